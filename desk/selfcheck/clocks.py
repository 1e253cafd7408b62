"""Clocks: every figure they show can be derived again from what happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import NEWEST, Check, Look, Noun, Row, Severity, query
from escalation.models import Clock, ClockRun
from escalation.models.clock import ClockState
from staff.businesstime import WALL, BusinessTime
from staff.models import CalendarVersion
from tickets.models import Event

RUNS = 5000
"""Stretches that are worked out anew, unless the check is deep: the newest."""


class _Times:
    """Calendar versions, compiled once each; none is the wall's time."""

    def __init__(self) -> None:
        self._times: dict[tuple[int, str], BusinessTime] = {}

    def of(self, version: int | None, zone: str) -> BusinessTime:
        if version is None:
            return WALL
        known = self._times.get((version, zone))
        if known is None:
            calendar = CalendarVersion.objects.get(pk=version)
            known = self._times[version, zone] = calendar.business_time(zone=zone or None)
        return known


def _wrongly_due(look: Look) -> Iterator[Row]:
    """Running clocks whose end is not where their calendar puts what is left of their target."""
    times = _Times()
    running = (
        Clock.objects.filter(state=ClockState.RUNNING)
        .order_by("-pk")
        .values_list(
            "pk",
            "ticket",
            "calendar_version",
            "zone",
            "running_since",
            "budget",
            "consumed",
            "due_at",
        )
    )
    for pk, ticket, version, zone, since, budget, consumed, due_at in (
        running if look.deep else running[:NEWEST]
    ).iterator(chunk_size=5000):
        assert since is not None  # the database's own constraint
        if times.of(version, zone).add(since, budget - consumed) != due_at:
            yield Row(str(pk), ticket)


def _wrongly_worked(look: Look) -> Iterator[Row]:
    """Stretches that used another time than their clock's calendar counts between their ends.

    Where a policy was applied to an open ticket, the hours may have been others before.
    """
    times = _Times()
    applied = Event.objects.filter(ticket=OuterRef("clock__ticket"), kind="policy_applied")
    runs = (
        ClockRun.objects.order_by("-pk")
        .annotate(applied=Exists(applied))
        .values_list(
            "clock",
            "clock__ticket",
            "clock__calendar_version",
            "clock__zone",
            "started_at",
            "ended_at",
            "worked",
            "applied",
        )
    )
    for clock, ticket, version, zone, since, until, worked, moved in (
        runs if look.deep else runs[:RUNS]
    ).iterator(chunk_size=5000):
        if not moved and not _agrees(times.of(version, zone), since, until, worked):
            yield Row(str(clock), ticket)


def _agrees(time: BusinessTime, since: datetime, until: datetime, worked: timedelta) -> bool:
    # A target that was in wall time before, or is now, had its stretches counted on the wall.
    return worked in (time.between(since, until), WALL.between(since, until))


CHECKS = (
    Check(
        name="clock-runs",
        promise=_("What a clock has used is the sum of the stretches in which it ran, none twice."),
        counts=_("Clocks whose stretches overlap, or do not add up to the time shown."),
        severity=Severity.TODAY,
        noun=Noun.CLOCK,
        find=query(
            "SELECT c.id, c.ticket_id FROM escalation_clock c LEFT JOIN ("
            " SELECT clock_id, sum(worked) AS worked, bool_or(ended_at > started_at"
            " AND started_at < before) AS overlaps FROM (SELECT *, max(ended_at) OVER"
            " (PARTITION BY clock_id ORDER BY started_at, id"
            " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM escalation_clockrun"
            " WHERE clock_id > (SELECT max(id) FROM escalation_clock) - %(newest)s) AS run"
            " GROUP BY clock_id) AS runs ON runs.clock_id = c.id"
            " WHERE c.id > (SELECT max(id) FROM escalation_clock) - %(newest)s"
            " AND (coalesce(runs.worked, interval '0') <> c.consumed OR runs.overlaps) ORDER BY c.id"
        ),
    ),
    Check(
        name="clock-worked",
        promise=_("A clock counts the open hours of its calendar, to the microsecond."),
        counts=_("Clocks with a stretch, of the newest, that counts otherwise."),
        severity=Severity.TODAY,
        noun=Noun.CLOCK,
        find=_wrongly_worked,
    ),
    Check(
        name="clock-due",
        promise=_("A running clock ends where its calendar puts what is left of its target."),
        counts=_("Running clocks that end elsewhere."),
        severity=Severity.NOW,
        noun=Noun.CLOCK,
        find=_wrongly_due,
    ),
    Check(
        name="clock-breached",
        promise=_("A clock that has run out is marked as breached, and people are told."),
        counts=_("Running clocks that are past their end without a mark."),
        severity=Severity.NOW,
        noun=Noun.CLOCK,
        find=query(
            "SELECT id, ticket_id FROM escalation_clock WHERE state = 'running'"
            " AND due_at < %(late)s AND breached_at IS NULL ORDER BY due_at"
        ),
    ),
    Check(
        name="clock-stopped",
        promise=_("No clock runs on after its ticket is resolved or closed."),
        counts=_("Clocks that run or stand still on tickets that are over."),
        severity=Severity.TODAY,
        noun=Noun.CLOCK,
        find=query(
            "SELECT c.id, c.ticket_id FROM escalation_clock c"
            " JOIN tickets_ticket t ON t.id = c.ticket_id"
            " WHERE c.state IN ('running', 'paused') AND t.status IN ('resolved', 'closed')"
            " AND (t.review_at IS NULL OR t.review_at > %(settled)s) ORDER BY c.id"
        ),
    ),
    Check(
        name="clock-sorts",
        promise=_("Lists sort tickets by what is really due next on them."),
        counts=_("Tickets sorted by another time than that of the next clock or promise."),
        severity=Severity.TODAY,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || t.id, t.id FROM tickets_ticket t"
            " LEFT JOIN (SELECT ticket_id, min(due_at) AS due_at FROM escalation_clock"
            " WHERE state = 'running' GROUP BY ticket_id) AS clock ON clock.ticket_id = t.id"
            " LEFT JOIN escalation_promise p ON p.ticket_id = t.id"
            " AND p.state IN ('open', 'suspended')"
            " WHERE (t.review_at IS NULL OR t.review_at > %(settled)s) AND t.sla_due_at"
            " IS DISTINCT FROM CASE WHEN t.status <> 'closed'"
            " THEN least(clock.due_at, p.due_at) END ORDER BY t.id"
        ),
    ),
)
