"""Clocks go on when the priority, the policy or the end of a ticket changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from escalation import endings
from escalation.defaults import default_body
from escalation.models import Clock
from escalation.models.clock import ClockKind, ClockState
from tests.house import START, House, after, clock_of
from tickets.models import Ticket
from tickets.models.ticket import Status

RESOLUTION = ClockKind.RESOLUTION
HOUR = timedelta(hours=1)


# A new priority


def test_a_new_priority_keeps_what_has_been_used(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.status(ticket, Status.ON_HOLD, now=after(hours=1))
    house.status(ticket, Status.OPEN, now=after(hours=3))
    house.sweep(after(hours=3))
    house.assess(ticket, impact=1, urgency=2, now=after(hours=4))
    house.sweep(after(hours=4))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.budget, clock.due_at) == (8 * HOUR, after(hours=10)), "the pause is kept, too"


def test_a_new_priority_while_it_stands_counts_once_it_runs(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.status(ticket, Status.ON_HOLD, now=after(hours=1))
    house.assess(ticket, impact=1, urgency=2, now=after(hours=2))
    house.sweep(after(hours=2))
    assert clock_of(ticket, RESOLUTION).due_at is None
    house.status(ticket, Status.OPEN, now=after(hours=5))
    house.sweep(after(hours=5))
    assert clock_of(ticket, RESOLUTION).due_at == after(hours=12)


def test_a_new_priority_in_wall_time_counts_on_in_wall_time(house: House) -> None:
    targets: Any = default_body()["targets"]
    targets["silver"]["P2"]["resolution"] = "16h wall"
    house.publish(targets=targets)
    friday = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
    ticket = house.ticket(by=house.juergen, assignee=house.anna, now=friday)
    house.sweep(friday)
    evening = friday + timedelta(hours=1)
    house.assess(ticket, impact=1, urgency=2, now=evening)
    house.sweep(evening)
    clock = clock_of(ticket, RESOLUTION)
    assert clock.due_at == evening + 15 * HOUR, "an hour was used; the weekend counts from now on"
    house.assess(ticket, impact=2, urgency=2, now=evening + HOUR)
    house.sweep(evening + HOUR)
    clock = clock_of(ticket, RESOLUTION)
    assert clock.calendar_version is not None
    assert clock.consumed == 2 * HOUR


def test_a_priority_without_a_target_drops_the_clock_and_another_brings_it_back(
    house: House,
) -> None:
    house.norvik.plan.slug = "bronze"
    house.norvik.plan.save()
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.assess(ticket, impact=3, urgency=3, now=after(hours=5))
    house.sweep(after(hours=5))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.due_at, clock.consumed) == (ClockState.DROPPED, None, 5 * HOUR)
    house.assess(ticket, impact=2, urgency=2, now=after(hours=6))
    house.sweep(after(hours=6))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.due_at) == (ClockState.RUNNING, after(hours=61))


def test_a_running_clock_keeps_the_policy_it_started_with(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    before = clock_of(ticket, RESOLUTION)
    targets = {
        priority: {
            "first_response": "1h",
            "periodic_update": None,
            "resolution": "2h",
            "promise": "1h",
            "acceptance": "1h",
        }
        for priority in ("P1", "P2", "P3", "P4")
    }
    house.publish(now=after(minutes=1), targets={"default": targets})
    house.status(ticket, Status.OPEN, now=after(hours=1))
    house.sweep(after(hours=1))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.policy_version, clock.due_at) == (before.policy_version, after(hours=24))


# Reopened


def reopened(house: House, clocks: str) -> Ticket:
    house.publish(reopen={"window": "14d wall", "clocks": clocks}, now=START)
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=6), by=house.anna)
    house.sweep(after(hours=6))
    house.answer(ticket, "It fails again.", now=after(hours=30))
    return ticket


def test_a_reopened_tickets_clock_continues_where_it_stood(house: House) -> None:
    ticket = reopened(house, "continue")
    house.sweep(after(hours=31))
    [clock] = Clock.objects.filter(ticket=ticket, kind=RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.RUNNING, 6 * HOUR)
    assert (clock.due_at, clock.ended_at) == (after(hours=48), None)


def test_or_it_restarts_as_a_new_generation_from_the_moment_it_was_reopened(house: House) -> None:
    ticket = reopened(house, "restart")
    house.status(ticket, Status.WAITING, now=after(hours=31))
    house.sweep(after(hours=33))
    old, new = Clock.objects.filter(ticket=ticket, kind=RESOLUTION).order_by("generation")
    assert (old.state, old.consumed) == (ClockState.MET, 6 * HOUR)
    assert (new.state, new.consumed, new.started_at) == (ClockState.PAUSED, HOUR, after(hours=30))
    house.sweep(after(hours=40))
    assert Clock.objects.filter(ticket=ticket, kind=RESOLUTION).count() == 2


def test_or_there_is_none(house: House) -> None:
    ticket = reopened(house, "none")
    house.sweep(after(hours=31))
    [clock] = Clock.objects.filter(ticket=ticket, kind=RESOLUTION)
    assert clock.state == ClockState.MET
    ticket.refresh_from_db()
    assert ticket.sla_due_at is None
