"""What the clocks of a life's ticket measured, each stretch of it booked as a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from escalation.models import Clock, ClockRun
from escalation.models.clock import ClockKind, ClockState
from helpdesk.demo.life import Life, Stretch
from staff.businesstime import BusinessTime
from staff.durations import Duration
from staff.models import CalendarVersion


def worked_on(time: BusinessTime, life: Life, until: datetime) -> list[tuple[Stretch, timedelta]]:
    """The stretches in which the ticket was ours until a moment, and what counts of each."""
    stretches = []
    since = life.ticket.created_at
    for start, end in [*life.paused, (until, until)]:
        if start >= until:
            start = until
        if start > since:
            stretches.append(((since, start), time.between(since, start)))
        since = end
        if since >= until:
            break
    return stretches


def sum_of(worked: Sequence[tuple[Stretch, timedelta]], start: timedelta) -> timedelta:
    return sum((used for _stretch, used in worked), start)


def clocks_ran(life: Life) -> None:
    """The ticket's own clocks, as they stood when it was closed."""
    ticket = life.ticket
    for kind, goal, ended_at in (
        (ClockKind.FIRST_RESPONSE, life.goals.first_response, ticket.first_responded_at),
        (ClockKind.RESOLUTION, life.goals.resolution, ticket.resolved_at),
    ):
        if goal is None or ended_at is None:
            continue
        version, zone = (None, "") if goal.wall else life.roster.calendar_for(ticket)
        time = life.roster.time(version, zone)
        _put(
            life,
            Clock(kind=kind, zone=zone, state=ClockState.MET, started_at=ticket.created_at),
            version,
            goal,
            worked_on(time, life, ended_at),
            changed_at=ticket.status_since,
        )


def acceptance_ran(life: Life, clock: Clock, goal: Duration, ended_at: datetime) -> None:
    """The clock of an offer, from when it was made."""
    handoff = clock.handoff
    assert handoff is not None
    version = None if goal.wall else life.roster.calendar_of(handoff.to_team)
    stretch = (handoff.offered_at, ended_at)
    worked = life.roster.time(version).between(*stretch)
    _put(life, clock, version, goal, [(stretch, worked)], changed_at=ended_at)


def _put(
    life: Life,
    clock: Clock,
    version: CalendarVersion | None,
    goal: Duration,
    worked: Sequence[tuple[Stretch, timedelta]],
    *,
    changed_at: datetime,
) -> None:
    clock.ticket, clock.policy_version = life.ticket, life.policy_version
    clock.calendar_version, clock.budget = version, goal.length
    clock.consumed, clock.changed_at = timedelta(), changed_at
    time = life.roster.time(version, clock.zone)
    warning = goal.length * life.policy.clock_warning / 100
    life.shelf.put(clock)
    for (start, end), used in worked:
        if clock.warned_at is None and clock.consumed + used >= warning:
            clock.warned_at = time.add(start, warning - clock.consumed)
        due = time.add(start, goal.length - clock.consumed)
        if clock.breached_at is None and due <= end:
            clock.breached_at = due
            life.shelf.event(
                life.ticket,
                "clock_breached",
                due,
                clock=str(clock.kind),
                due_at=due.isoformat(),
            )
        clock.consumed += used
        clock.ended_at = end
        life.shelf.put(ClockRun(clock=clock, started_at=start, ended_at=end, worked=used))
