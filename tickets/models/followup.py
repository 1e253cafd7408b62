from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from staff.models import User
from tickets.models.ticket import Ticket


class FollowUpKind(models.TextChoices):
    BY_HAND = "by_hand", _("Reminder")
    PROGRESS = "progress", _("Check progress")
    RETURNED = "returned", _("Escalation came back")
    CONFIRM = "confirm", _("Confirm with the customer")
    NOT_TOLD = "not_told", _("A letter bounced: the customer was not told")
    PHONE = "phone", _("A letter bounced: phone the customer")


UNDELIVERED = (FollowUpKind.NOT_TOLD, FollowUpKind.PHONE)


class FollowUp(models.Model):
    """A dated reminder for staff; the review fires it, and again when it repeats."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="follow_ups")
    kind = models.CharField(_("kind"), max_length=12, choices=FollowUpKind.choices)
    key = models.CharField(
        _("key"),
        max_length=120,
        help_text=_("What it is owed for; the same key is never owed twice."),
    )
    about = models.CharField(_("about"), max_length=120, blank=True)
    user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="follow_ups",
        verbose_name=_("for"),
        help_text=_("The ticket's assignee where nobody is named."),
    )
    text = models.CharField(_("what to do"), max_length=500, blank=True)
    due_at = models.DateTimeField(_("due"))
    every = models.CharField(_("repeated every"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    fired_at = models.DateTimeField(_("last reminded"), null=True, blank=True)
    fired_count = models.PositiveIntegerField(_("times reminded"), default=0)
    missed_count = models.PositiveIntegerField(_("times missed"), default=0)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    dropped_at = models.DateTimeField(_("no longer needed"), null=True, blank=True)

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ("due_at", "pk")
        indexes = [
            models.Index(
                fields=("user", "due_at"),
                condition=Q(done_at__isnull=True, dropped_at__isnull=True),
                name="follow_up_open_by_user",
            ),
            models.Index(fields=("about",), name="follow_up_about"),
        ]
        constraints = [
            models.UniqueConstraint(fields=("key",), name="follow_up_once"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(dropped_at__isnull=True),
                name="follow_up_done_or_dropped",
            ),
        ]

    def __str__(self) -> str:
        return self.text or str(self.get_kind_display())

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.dropped_at is None
