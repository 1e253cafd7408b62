from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PauseCause(models.TextChoices):
    HAND = "hand", _("paused by hand")
    RESTORE = "restore", _("restored from a backup")


class OutboxPauseQuerySet(models.QuerySet["OutboxPause"]):
    def standing(self) -> OutboxPauseQuerySet:
        return self.filter(ended_at=None)


class OutboxPause(models.Model):
    """A stretch of time in which no letter and no webhook message is claimed for sending.

    After a restore, ``copied_at`` is the moment the backup shows; letters and messages up to the two
    ids came with it, and those that waited then are *in doubt*: where the backup was made of, they
    may have been sent since.
    """

    began_at = models.DateTimeField(_("since"))
    cause = models.CharField(_("cause"), max_length=7, choices=PauseCause.choices)
    note = models.CharField(_("why"), max_length=200, blank=True)
    began_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paused by"),
        help_text=_("Nobody where a command did it."),
    )
    copied_at = models.DateTimeField(_("state of"), null=True, blank=True)
    last_letter = models.BigIntegerField(_("last letter of the backup"), default=0)
    last_message = models.BigIntegerField(_("last webhook message of the backup"), default=0)
    doubted_at = models.DateTimeField(
        _("in doubt since"),
        null=True,
        blank=True,
        help_text=_("When what waited in the backup was put in doubt: once, right after."),
    )
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("released by"),
    )

    objects = OutboxPauseQuerySet.as_manager()

    class Meta:
        verbose_name = _("pause of the outbox")
        verbose_name_plural = _("pauses of the outbox")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(ended_at=None), name="outbox_paused_once"
            ),
            models.CheckConstraint(
                condition=Q(cause=PauseCause.HAND, copied_at__isnull=True)
                | Q(cause=PauseCause.RESTORE, copied_at__isnull=False),
                name="outbox_pause_of_a_restore_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.began_at:%Y-%m-%d %H:%M}"

    @property
    def is_restore(self) -> bool:
        return self.cause == PauseCause.RESTORE
