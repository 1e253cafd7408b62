from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from staff.models import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user: User) -> NotificationQuerySet:
        return self.filter(readers__contains=[user.pk])

    def unread(self, user: User) -> NotificationQuerySet:
        read = NotificationReading.objects.filter(notification=OuterRef("pk"), user=user)
        return self.of(user).filter(~Exists(read))


class Notification(models.Model):
    """A message to some who work here; it is worded in the language of whoever looks.

    One row, however many it is for: a team of six is told of every offer.
    """

    dedupe_key = models.CharField(_("dedupe key"), max_length=200)
    readers = ArrayField(models.BigIntegerField(), verbose_name=_("readers"))
    kind = models.CharField(_("kind"), max_length=40)
    about = models.CharField(_("about"), max_length=40, blank=True)
    variables: models.JSONField[dict[str, Any]] = models.JSONField(_("variables"), default=dict)
    at = models.DateTimeField(_("at"))

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-at", "-pk")
        constraints = [
            # Not of the field: that would bring a second index, for patterns that nobody asks.
            models.UniqueConstraint(fields=("dedupe_key",), name="notification_once")
        ]
        indexes = [
            GinIndex(fields=("readers",), name="notification_by_reader"),
            models.Index(fields=("about", "id"), name="notification_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {', '.join(map(str, self.readers))}"


class NotificationReading(models.Model):
    """Somebody has read a notification."""

    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="readings", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="readings"
    )
    at = models.DateTimeField(_("read"))

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        constraints = [
            models.UniqueConstraint(fields=("notification", "user"), name="notification_read_once")
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} by {self.user_id}"
