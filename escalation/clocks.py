"""Clocks: brought in step with what happened to their ticket, then watched.

A clock follows the ticket's changes of status one by one, at the moments they happened
and not when the review looks, so that a look that comes late costs nobody a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from escalation.cases import Case, StatusChange
from escalation.ledger import Ledger
from escalation.models import Clock, ClockRun, Handoff
from escalation.models.clock import ClockKind, ClockState
from escalation.policyspec import ReopenClocks
from escalation.promises import answers_for, lead_for
from notifications.values import moment, phrase
from staff import setwise
from staff.durations import Duration
from tickets.models import Event
from tickets.models.ticket import ENDED, Status

TICKET_CLOCKS = (ClockKind.FIRST_RESPONSE, ClockKind.RESOLUTION)


def missed_changes(cases: Sequence[Case]) -> Mapping[int, list[StatusChange]]:
    """The changes of status that the clocks of these cases have not reckoned with yet.

    One query, and only where there are any.
    """
    since: dict[int, datetime] = {}
    for case in cases:
        began = _reckoned_until(case)
        case.reckoned_until = _reckoned_until(case, only_standing=True)
        if case.ticket.status_since > began or (
            began == case.ticket.created_at and case.ticket.status != Status.NEW
        ):
            since[case.ticket.pk] = began
    found: dict[int, list[StatusChange]] = {}
    if not since:
        return found
    events = Event.objects.filter(
        ticket__pk__among=since, kind="status_changed", at__gte=min(since.values())
    ).order_by("at", "pk")
    for ticket_id, at, data in events.values_list("ticket", "at", "data"):
        if at >= since[ticket_id]:
            found.setdefault(ticket_id, []).append(StatusChange(at=at, status=data["to"]))
    return found


def sync(*, case: Case, ledger: Ledger, changes: Iterable[StatusChange]) -> None:
    """Start, pause, resume, end and re-target the ticket's own clocks."""
    changes = list(changes)
    for kind in TICKET_CLOCKS:
        clock = _newest(case, kind)
        if clock is None:
            clock = _start(case, ledger, kind, generation=0, at=case.ticket.created_at)
        if clock is None:
            continue
        _catch_up(case, ledger, clock, changes)
        if _starts_anew(case, clock):
            clock = _start(
                case,
                ledger,
                kind,
                generation=case.ticket.reopened_count,
                at=case.reopened_at or case.ticket.status_since,
            )
            if clock is None:
                continue
            _catch_up(case, ledger, clock, changes)
        _retarget(case, ledger, clock)


def start_acceptance(*, case: Case, ledger: Ledger, handoff: Handoff, target: Duration) -> Clock:
    """The clock of an offer, on the receiving team's calendar or in wall time."""
    team = case.roster.teams[handoff.to_team_id]
    clock = setwise.new(
        Clock,
        ticket=case.ticket,
        kind=ClockKind.ACCEPTANCE,
        handoff=handoff,
        policy_version=case.policy_version,
        calendar_version=None if target.wall else case.roster.calendar_of(team),
        budget=target.length,
        consumed=timedelta(),
        state=ClockState.RUNNING,
        started_at=handoff.offered_at,
        changed_at=handoff.offered_at,
        running_since=handoff.offered_at,
        due_at=handoff.accept_by,
    )
    ledger.add(clock)
    case.clocks.append(clock)
    return clock


def end(*, clock: Clock, ledger: Ledger, at: datetime, met: bool) -> None:
    """Stop a clock for good, as met or as no longer needed."""
    stop(ledger, clock, at)
    ledger.change(
        clock,
        state=ClockState.MET if met else ClockState.DROPPED,
        ended_at=at,
        due_at=None,
        changed_at=at,
    )


def watch(*, case: Case, ledger: Ledger) -> list[datetime]:
    """Mark warnings and breaches that have been reached; returns the moments to come."""
    coming: list[datetime] = []
    for clock in case.clocks:
        if clock.state != ClockState.RUNNING or clock.due_at is None:
            continue
        if clock.breached_at is None and clock.due_at <= ledger.now:
            ledger.change(clock, breached_at=clock.due_at)
            ledger.event(
                case.ticket, "clock_breached", clock=clock.kind, due_at=clock.due_at.isoformat()
            )
            _alarm(case, ledger, clock, "breached")
        warn_at = warning_moment(case, clock)
        if clock.breached_at is None:
            if clock.warned_at is None and warn_at <= ledger.now:
                ledger.change(clock, warned_at=warn_at)
                if clock.kind != ClockKind.ACCEPTANCE:
                    _alarm(case, ledger, clock, "warned")
            coming += [at for at in (warn_at, clock.due_at) if at > ledger.now]
    return coming


def warning_moment(case: Case, clock: Clock) -> datetime:
    """When the policy's share of a running clock's target is used up."""
    share = case.policy.clock_warning / 100
    return clock.time.add(
        clock.running_since or clock.changed_at,
        max(clock.budget * share - clock.consumed, timedelta()),
    )


def nearest(case: Case) -> tuple[datetime | None, str]:
    """The next thing due on a ticket, and which: a clock's kind, or ``promise``."""
    due = [
        (clock.due_at, str(clock.kind))
        for clock in case.clocks
        if clock.state == ClockState.RUNNING and clock.due_at is not None
    ]
    if case.promise is not None and case.promise.is_live and case.promise.due_at is not None:
        due.append((case.promise.due_at, "promise"))
    return min(due, default=(None, ""))


def _newest(case: Case, kind: ClockKind) -> Clock | None:
    return max(
        (clock for clock in case.clocks if clock.kind == kind),
        key=lambda clock: clock.generation,
        default=None,
    )


def _reckoned_until(case: Case, *, only_standing: bool = False) -> datetime:
    """Up to when every clock has followed the ticket; one that is yet to start, from its beginning."""
    moments = []
    for kind in TICKET_CLOCKS:
        clock = _newest(case, kind)
        if clock is not None:
            moments.append(clock.changed_at)
        elif not only_standing and _target(case, kind) is not None:
            moments.append(case.ticket.created_at)
    return min(moments, default=case.ticket.created_at)


def _starts_anew(case: Case, clock: Clock) -> bool:
    """Whether a reopened ticket gets a new clock of this kind."""
    return (
        clock.kind == ClockKind.RESOLUTION
        and not clock.is_live
        and case.policy.reopen.clocks == ReopenClocks.RESTART
        and clock.generation < case.ticket.reopened_count
    )


def _start(
    case: Case, ledger: Ledger, kind: ClockKind, *, generation: int, at: datetime
) -> Clock | None:
    """Start a clock at the moment its ticket gave cause; None without such a target.

    What has happened to the ticket since is followed afterwards.
    """
    ticket = case.ticket
    target = _target(case, kind)
    if target is None:
        return None
    version, zone = (None, "") if target.wall else case.roster.calendar_for(ticket)
    clock = setwise.new(
        Clock,
        ticket=ticket,
        kind=kind,
        generation=generation,
        policy_version=case.policy_version,
        calendar_version=version,
        zone=zone,
        budget=target.length,
        consumed=timedelta(),
        state=ClockState.PAUSED,
        started_at=at,
        changed_at=at,
    )
    ledger.add(clock)
    case.clocks.append(clock)
    if (Status.OPEN if generation else Status.NEW) not in case.policy.pausing:
        _run(ledger, clock, at)
    return clock


def _catch_up(case: Case, ledger: Ledger, clock: Clock, changes: Sequence[StatusChange]) -> None:
    """Follow what the clock has missed, each change in its turn, and the response in its."""
    # Several changes may bear one moment: a reply opens a new ticket and lets it wait at once.
    since, new = clock.changed_at, clock.changed_at == case.ticket.created_at
    for change in changes:
        if change.at > since or (new and change.at == since):
            _meet(case, ledger, clock, before=change.at)
            _follow(case, ledger, clock, change)
    _meet(case, ledger, clock)
    _agree(case, ledger, clock)


def _agree(case: Case, ledger: Ledger, clock: Clock) -> None:
    """See to it that a clock stands where its ticket's status wants it.

    A change whose moment is no later than one that was reckoned with already (two people at
    once, on two web servers) is followed here.
    """
    at = max(case.ticket.status_since, clock.changed_at)
    wanted = case.ticket.status
    if clock.is_live and (wanted in ENDED or (wanted in case.policy.pausing) != _stands(clock)):
        _follow(case, ledger, clock, StatusChange(at=at, status=wanted))


def _stands(clock: Clock) -> bool:
    return clock.state == ClockState.PAUSED


def _follow(case: Case, ledger: Ledger, clock: Clock, change: StatusChange) -> None:
    if change.status in ENDED:
        # To resolve answers the customer, too.
        if clock.is_live:
            end(clock=clock, ledger=ledger, at=change.at, met=True)
    elif change.status in case.policy.pausing:
        if clock.state == ClockState.RUNNING:
            _pause(ledger, clock, change.at)
    elif clock.state == ClockState.PAUSED or _continues(case, clock):
        ledger.change(clock, ended_at=None)
        _run(ledger, clock, change.at)
    ledger.change(clock, changed_at=change.at)


def _continues(case: Case, clock: Clock) -> bool:
    """Whether reopening sets a met resolution clock going again where it stood."""
    return (
        clock.kind == ClockKind.RESOLUTION
        and clock.state == ClockState.MET
        and case.policy.reopen.clocks == ReopenClocks.CONTINUE
    )


def _run(ledger: Ledger, clock: Clock, at: datetime) -> None:
    ledger.change(
        clock,
        state=ClockState.RUNNING,
        running_since=at,
        due_at=clock.time.add(at, clock.budget - clock.consumed),
        changed_at=at,
    )


def _pause(ledger: Ledger, clock: Clock, at: datetime) -> None:
    stop(ledger, clock, at)
    ledger.change(clock, state=ClockState.PAUSED, due_at=None, changed_at=at)


def stop(ledger: Ledger, clock: Clock, at: datetime) -> None:
    """Book what a running clock has used until now; it stands, whatever its state says."""
    if clock.running_since is None:
        return
    since = min(clock.running_since, at)
    worked = clock.time.between(since, at)
    if clock.due_at is not None and clock.breached_at is None and clock.due_at <= at:
        ledger.change(clock, breached_at=clock.due_at)
    ledger.add(ClockRun(clock=clock, started_at=since, ended_at=at, worked=worked))
    ledger.change(clock, consumed=clock.consumed + worked, running_since=None)


def _meet(case: Case, ledger: Ledger, clock: Clock, before: datetime | None = None) -> None:
    """End the first-response clock when there was one (not after ``before``)."""
    responded_at = case.ticket.first_responded_at
    if clock.kind != ClockKind.FIRST_RESPONSE or not clock.is_live or responded_at is None:
        return
    if before is None or responded_at <= before:
        end(clock=clock, ledger=ledger, at=max(responded_at, clock.changed_at), met=True)


def _retarget(case: Case, ledger: Ledger, clock: Clock) -> None:
    """A new priority or plan changes what is left, not what has been used."""
    target = _target(case, ClockKind(clock.kind), clock)
    if target is None:
        if clock.is_live:
            drop(ledger, clock)
        return
    if clock.state == ClockState.DROPPED and not case.ticket.is_ended:
        _revive(case, ledger, clock)
    if clock.is_live:
        _recalendar(case, ledger, clock, target)
    if not clock.is_live or target.length == clock.budget:
        return
    ledger.change(clock, budget=target.length, breached_at=None, warned_at=None)
    if clock.running_since is not None:
        due_at = clock.time.add(clock.running_since, clock.budget - clock.consumed)
        ledger.change(clock, due_at=due_at)


def _recalendar(case: Case, ledger: Ledger, clock: Clock, target: Duration) -> None:
    """Count on in wall time or business time, where the new target is in the other."""
    version, zone = (None, "") if target.wall else case.roster.calendar_for(case.ticket)
    if (version is None) == (clock.calendar_version is None):
        return
    ran, changed_at = clock.running_since is not None, clock.changed_at
    stop(ledger, clock, ledger.now)
    ledger.change(clock, calendar_version=version, zone=zone)
    if ran:
        _run(ledger, clock, ledger.now)
        ledger.change(clock, changed_at=changed_at)


def drop(ledger: Ledger, clock: Clock) -> None:
    """There is no such target any more; what was used is kept, should there be one again."""
    changed_at = clock.changed_at
    end(clock=clock, ledger=ledger, at=ledger.now, met=False)
    ledger.change(clock, changed_at=changed_at)


def _revive(case: Case, ledger: Ledger, clock: Clock) -> None:
    changed_at = clock.changed_at
    ledger.change(clock, state=ClockState.PAUSED, ended_at=None)
    if case.ticket.status not in case.policy.pausing:
        _run(ledger, clock, ledger.now)
        ledger.change(clock, changed_at=changed_at)


def _target(case: Case, kind: ClockKind, clock: Clock | None = None) -> Duration | None:
    spec = clock.policy_version.spec if clock is not None else case.policy
    targets = spec.targets_for(plan=case.plan, priority=case.ticket.priority)
    return targets.first_response if kind == ClockKind.FIRST_RESPONSE else targets.resolution


def _alarm(case: Case, ledger: Ledger, clock: Clock, what: str) -> None:
    """Tell the assignee; a breach reaches the lead too."""
    ledger.notice(
        key=f"{case.ticket.reference}:{clock.kind}:{clock.handoff_id or clock.generation}:{what}",
        to=(answers_for(case), lead_for(case) if what == "breached" else None),
        kind=f"staff_clock_{what}",
        ticket=case.ticket,
        clock=phrase(f"clock_{clock.kind}"),
        due=moment(clock.due_at),
    )
