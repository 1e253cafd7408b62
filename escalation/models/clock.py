from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from escalation.models.escalation import Handoff
from escalation.models.policy import PolicyVersion
from staff.businesstime import WALL
from staff.models import CalendarVersion
from tickets.models import Ticket

if TYPE_CHECKING:
    from staff.businesstime import BusinessTime


class ClockKind(models.TextChoices):
    FIRST_RESPONSE = "first_response", _("First response")
    RESOLUTION = "resolution", _("Resolution")
    ACCEPTANCE = "acceptance", _("Acceptance")


class ClockState(models.TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    MET = "met", _("Met")
    DROPPED = "dropped", _("No longer needed")


class Clock(models.Model):
    """What measures one SLA target on one ticket.

    A running clock has ``due_at = add(running_since, budget − consumed)`` on its
    calendar; a paused one has none. It keeps the policy and calendar versions it
    started with, and its runs, so that every figure can be derived again.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks")
    kind = models.CharField(_("kind"), max_length=16, choices=ClockKind.choices)
    generation = models.PositiveIntegerField(_("generation"), default=0)
    handoff = models.OneToOneField(
        Handoff, on_delete=models.CASCADE, null=True, blank=True, related_name="clock"
    )
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    calendar_version = models.ForeignKey(
        CalendarVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
    )
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    budget = models.DurationField(_("target"))
    consumed = models.DurationField(_("used"))
    state = models.CharField(_("state"), max_length=8, choices=ClockState.choices)
    started_at = models.DateTimeField(_("started"))
    changed_at = models.DateTimeField(
        _("last start or stop"),
        help_text=_("Changes of the ticket's status after this are not yet reckoned with."),
    )
    running_since = models.DateTimeField(_("running since"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    warned_at = models.DateTimeField(_("warned"), null=True, blank=True)
    breached_at = models.DateTimeField(_("breached"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        ordering = ("ticket", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("ticket", "kind", "generation"),
                condition=Q(handoff__isnull=True),
                name="clock_once_per_generation",
            ),
            models.CheckConstraint(
                condition=Q(state="running", running_since__isnull=False, due_at__isnull=False)
                | Q(~Q(state="running"), running_since__isnull=True),
                name="clock_runs_or_not",
            ),
            models.CheckConstraint(
                condition=Q(kind="acceptance", handoff__isnull=False)
                | Q(~Q(kind="acceptance"), handoff__isnull=True),
                name="clock_of_a_handoff_is_acceptance",
            ),
        ]
        indexes = [
            models.Index(
                fields=("ticket",),
                include=("kind", "due_at"),
                condition=Q(state__in=("running", "paused")),
                name="clock_live_by_ticket",
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}/{self.generation}"

    @property
    def is_live(self) -> bool:
        return self.state in (ClockState.RUNNING, ClockState.PAUSED)

    @property
    def time(self) -> BusinessTime:
        """The time this clock is measured in: a calendar's open hours, or the wall's."""
        if self.calendar_version is None:
            return WALL
        return self.calendar_version.business_time(zone=self.zone or None)


class ClockRun(models.Model):
    """One stretch in which a clock ran."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="runs")
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"))
    worked = models.DurationField(_("used"))

    class Meta:
        verbose_name = _("clock run")
        verbose_name_plural = _("clock runs")
        ordering = ("clock", "started_at", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="clock_run_goes_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clock_id}: {self.started_at:%Y-%m-%d %H:%M} – {self.ended_at:%H:%M}"
