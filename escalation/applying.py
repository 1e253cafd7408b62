"""Applying a policy to open tickets: running clocks leave the version they started with.

What has been used stays used. It is asked for by a person, who is shown first what would change;
afterwards each ticket says what did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from escalation import clocks
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Clock, PolicyVersion
from escalation.models.clock import ClockKind, ClockState
from escalation.policyspec import PolicySpec, Targets
from staff.durations import Duration
from tickets.models.ticket import ENDED


@dataclass(frozen=True, slots=True)
class TargetChange:
    """What applying a version would change for some tickets of one plan and priority.

    ``plan`` is None where no organization is known; a target None where there is none.
    """

    plan: str | None
    priority: int
    kind: str
    before: Duration | None
    after: Duration | None
    tickets: int

    @property
    def label(self) -> str:
        return str(ClockKind(self.kind).label)

    def __str__(self) -> str:
        return (
            f"{self.plan or '–'} P{self.priority}, {self.label}: {self.before or '–'} →"
            f" {self.after or '–'} ({self.tickets})"
        )


def outlook(spec: PolicySpec) -> list[TargetChange]:
    """What applying this policy to open tickets would change, by plan and priority."""
    running = Counter(
        Clock.objects.filter(
            kind__in=clocks.TICKET_CLOCKS, state__in=(ClockState.RUNNING, ClockState.PAUSED)
        ).values_list(
            "policy_version", "ticket__organization__plan__slug", "ticket__priority", "kind"
        )
    )
    versions = PolicyVersion.objects.in_bulk({version for version, *_rest in running})
    found: Counter[tuple[str | None, int, str, Duration | None, Duration | None]] = Counter()
    for (version, plan, priority, kind), tickets in running.items():
        before = _target(versions[version].spec.targets_for(plan=plan, priority=priority), kind)
        after = _target(spec.targets_for(plan=plan, priority=priority), kind)
        if before != after:
            found[plan, priority, kind, before, after] += tickets
    changes = [TargetChange(*change, tickets) for change, tickets in found.items()]
    return sorted(changes, key=lambda c: (c.plan or "", c.priority, c.kind, str(c.before)))


def apply(*, case: Case, ledger: Ledger) -> bool:
    """Bring the ticket's own clocks to the version in force, and the hours to those in force.

    Says whether there were any to bring.
    """
    if case.ticket.status in ENDED:
        return False
    moved = []
    for clock in _of_other_versions(case):
        moved.append(
            {
                "clock": str(clock.kind),
                "was_due": clock.due_at.isoformat() if clock.due_at is not None else None,
                "was_target": str(Duration(clock.budget, wall=clock.calendar_version_id is None)),
            }
        )
        _move(case, ledger, clock)
        moved[-1]["due"] = clock.due_at.isoformat() if clock.due_at is not None else None
    if moved:
        ledger.event(case.ticket, "policy_applied", version=case.policy_version.pk, clocks=moved)
    return bool(moved)


def _of_other_versions(case: Case) -> Sequence[Clock]:
    """Clocks that are not over; one that was dropped may have a target again."""
    newest: dict[str, Clock] = {}
    for clock in case.clocks:
        if clock.kind in clocks.TICKET_CLOCKS:
            known = newest.get(clock.kind)
            if known is None or known.generation < clock.generation:
                newest[clock.kind] = clock
    return [
        clock
        for clock in newest.values()
        if clock.policy_version_id != case.policy_version.pk
        and (clock.is_live or clock.state == ClockState.DROPPED)
    ]


def _move(case: Case, ledger: Ledger, clock: Clock) -> None:
    now = ledger.now
    targets = case.policy.targets_for(plan=case.plan, priority=case.ticket.priority)
    target = _target(targets, clock.kind)
    ran = clock.state == ClockState.RUNNING
    if ran:
        # What was used so far is booked by the hours it was used in.
        clocks.stop(ledger, clock, now)
    ledger.change(clock, policy_version=case.policy_version)
    if target is None:
        if clock.is_live:
            clocks.drop(ledger, clock)
        return
    version, zone = (None, "") if target.wall else case.roster.calendar_for(case.ticket)
    ledger.change(clock, calendar_version=version, zone=zone)
    if target.length != clock.budget:
        ledger.change(clock, budget=target.length, breached_at=None, warned_at=None)
    if ran:
        ledger.change(
            clock,
            running_since=now,
            due_at=clock.time.add(now, clock.budget - clock.consumed),
        )


def _target(targets: Targets, kind: str) -> Duration | None:
    if kind == ClockKind.FIRST_RESPONSE:
        return targets.first_response
    return targets.resolution
