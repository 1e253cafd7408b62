from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from staff.models import User
from tickets.models.ticket import Ticket


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    def open(self) -> SnoozeQuerySet:
        """Those that still hide their ticket."""
        return self.filter(woken_at__isnull=True)


class Snooze(models.Model):
    """A ticket is out of sight until a time, or until its customer writes. Clocks run on."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="snoozes")
    until = models.DateTimeField(_("until"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    set_at = models.DateTimeField(_("set"))
    woken_at = models.DateTimeField(_("woken"), null=True, blank=True)

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        verbose_name = _("snooze")
        verbose_name_plural = _("snoozes")
        ordering = ("-set_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("ticket",), condition=Q(woken_at__isnull=True), name="snooze_open_once"
            ),
            models.CheckConstraint(condition=Q(until__gt=F("set_at")), name="snooze_lies_ahead"),
        ]

    def __str__(self) -> str:
        return f"HD-{self.ticket_id} until {self.until:%Y-%m-%d %H:%M}"
