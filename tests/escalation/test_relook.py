"""A policy is published, a calendar changed: tickets that stand are looked at again, gently."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from escalation import engine, publishing, relooking
from escalation.defaults import default_body
from escalation.models import Clock, Escalation, PolicyVersion, Relook
from escalation.models.clock import ClockKind
from escalation.policyfile import parse_policy
from staff.calendars import publish_hours
from staff.hours import Hours
from staff.models import CalendarVersion
from tests.house import OFFICE, START, House, after, clock_of
from tickets.models import Event, Ticket

P3_AFTER_AN_HOUR = {
    "key": "unanswered",
    "name": "A ticket has waited an hour",
    "when": {"fact": "unanswered_for", "op": "at_least", "value": "1h wall"},
    "to": [{"next_tier": True}],
}


def turn(now: datetime) -> int:
    """One turn of the engine, at this moment."""
    return engine.turn(clock=lambda: now)


def publish(
    house: House, *, now: datetime, to_open_tickets: bool = False, **changes: Any
) -> PolicyVersion:
    """Sam publishes the shipped policy with some parts replaced."""
    version = publishing.draft(
        policy=house.policy,
        spec=parse_policy({**default_body(), **changes}),
        by=house.sam,
        now=now,
    )
    assert version is not None
    publishing.publish(version=version, now=now, by=house.sam, to_open_tickets=to_open_tickets)
    return version


def targets(**resolution: str) -> dict[str, Any]:
    """The shipped targets, with Gold's resolution replaced by priority."""
    body: Any = default_body()["targets"]
    for priority, length in resolution.items():
        body["gold"][priority]["resolution"] = length
    return {"targets": body}


def next_look(ticket: Ticket) -> datetime | None:
    return Ticket.objects.get(pk=ticket.pk).review_at


# What publishing a policy does


def test_publishing_makes_no_ticket_due(house: House) -> None:
    tickets = [house.ticket() for _number in range(5)]
    turn(START)
    publish(house, now=after(minutes=1), clock_warning="60%")
    assert not Ticket.objects.due_for_review(after(minutes=1)).exists()
    relook = Relook.objects.get()
    assert (relook.cause, relook.done_at, relook.created_by) == ("policy", None, house.sam)
    assert turn(after(minutes=1)) == 0
    relook.refresh_from_db()
    assert relook.done_at == after(minutes=1)
    assert (relook.looked, relook.cursor) == (5, tickets[-1].pk)


def test_the_next_look_is_earlier_where_the_new_policy_wants_it_earlier(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    before = next_look(ticket)
    assert before is not None
    assert before > after(hours=1)
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    turn(after(minutes=1))
    assert next_look(ticket) == after(hours=1)
    turn(after(hours=1))
    assert Escalation.objects.filter(ticket=ticket).exists()


def test_the_next_look_is_later_where_nothing_is_owed_so_early_any_more(house: House) -> None:
    publish(house, now=START, rules=[P3_AFTER_AN_HOUR])
    ticket = house.ticket()
    turn(START)
    assert next_look(ticket) == after(hours=1)
    publish(house, now=after(minutes=1), rules=[])
    turn(after(minutes=1))
    later = next_look(ticket)
    assert later is not None
    assert later > after(hours=1)


def test_what_the_new_policy_owes_already_is_done_at_once(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    publish(house, now=after(hours=2), rules=[P3_AFTER_AN_HOUR])
    turn(after(hours=2))
    turn(after(hours=2, seconds=5))
    assert Escalation.objects.filter(ticket=ticket).exists()


def test_only_tickets_whose_next_look_differs_are_written(house: House) -> None:
    for _number in range(3):
        house.ticket()
    turn(START)
    publish(house, now=after(minutes=1), auto_close_after="30d wall")
    turn(after(minutes=1))
    relook = Relook.objects.get()
    assert (relook.looked, relook.changed) == (3, 0)


def test_a_resolved_ticket_closes_by_the_new_quiet_time(house: House) -> None:
    ticket = house.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        status="resolved", resolved_at=START, outcome="Done.", status_since=START
    )
    turn(START)
    assert next_look(ticket) == after(days=14)
    publish(house, now=after(days=2), auto_close_after="1d wall")
    turn(after(days=2))
    turn(after(days=2, seconds=5))
    assert Ticket.objects.get(pk=ticket.pk).status == "closed"


def test_a_running_clock_keeps_its_version(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    before = clock_of(ticket, ClockKind.RESOLUTION)
    publish(house, now=after(minutes=1), **targets(P3="2h"))
    turn(after(minutes=1))
    clock = clock_of(ticket, ClockKind.RESOLUTION)
    assert (clock.due_at, clock.policy_version) == (before.due_at, before.policy_version)


# Applied to open tickets


def test_applied_to_open_tickets_running_clocks_get_the_new_target(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    before = clock_of(ticket, ClockKind.RESOLUTION)
    version = publish(house, now=after(hours=1), to_open_tickets=True, **targets(P3="2h"))
    turn(after(hours=1))
    clock = clock_of(ticket, ClockKind.RESOLUTION)
    assert (clock.policy_version, clock.due_at) == (version, after(hours=2))
    assert clock.consumed == timedelta(hours=1)
    assert Relook.objects.get().applied == 1
    event = Event.objects.get(ticket=ticket, kind="policy_applied")
    assert event.user == house.sam
    told = {moved["clock"]: moved for moved in event.data["clocks"]}
    assert before.due_at is not None
    assert told["resolution"]["was_due"] == before.due_at.isoformat()
    assert told["resolution"]["due"] == after(hours=2).isoformat()
    assert Ticket.objects.get(pk=ticket.pk).sla_due_at == after(hours=2)


def test_applied_a_target_that_has_passed_is_breached_at_once(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    publish(house, now=after(hours=3), to_open_tickets=True, **targets(P3="2h"))
    turn(after(hours=3))
    turn(after(hours=3, seconds=5))
    assert clock_of(ticket, ClockKind.RESOLUTION).breached_at == after(hours=2)


def test_applied_a_target_that_is_gone_is_measured_no_more(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    body: Any = targets()
    body["targets"]["gold"]["P3"]["resolution"] = None
    publish(house, now=after(hours=1), to_open_tickets=True, **body)
    turn(after(hours=1))
    assert clock_of(ticket, ClockKind.RESOLUTION).state == "dropped"
    publish(house, now=after(hours=2), to_open_tickets=True, **targets(P3="5h"))
    turn(after(hours=2))
    turn(after(hours=2, seconds=5))
    clock = clock_of(ticket, ClockKind.RESOLUTION)
    assert (clock.state, clock.consumed) == ("running", timedelta(hours=1))


def test_a_paused_clock_stays_paused_and_resumes_with_the_new_target(house: House) -> None:
    ticket = house.ticket()
    house.status(ticket, "on_hold", now=after(hours=1))
    turn(after(hours=1))
    publish(house, now=after(hours=2), to_open_tickets=True, **targets(P3="2h"))
    turn(after(hours=2))
    clock = clock_of(ticket, ClockKind.RESOLUTION)
    assert (clock.state, clock.due_at) == ("paused", None)
    house.status(ticket, "open", now=after(hours=5))
    turn(after(hours=5))
    assert clock_of(ticket, ClockKind.RESOLUTION).due_at == after(hours=6)


def test_what_another_version_has_replaced_meanwhile_is_not_applied(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    before = clock_of(ticket, ClockKind.RESOLUTION)
    publish(house, now=after(minutes=1), to_open_tickets=True, **targets(P3="2h"))
    publish(house, now=after(minutes=2), **targets(P3="3h"))
    turn(after(minutes=2))
    assert clock_of(ticket, ClockKind.RESOLUTION).due_at == before.due_at


# What changing a calendar does


def test_new_hours_are_noticed_and_looked_at_once(house: House) -> None:
    ticket = house.ticket(by=house.juergen)
    publish(house, now=START, rules=[{**P3_AFTER_AN_HOUR, "when": {
        "fact": "unanswered_for", "op": "at_least", "value": "4h"}}])  # fmt: skip
    turn(START)
    # 9:00 in London is 10:00 in Berlin: 4 hours later it is 14:00 there.
    assert next_look(ticket) == after(hours=4)
    opening_late = {**OFFICE, "weekly": {"tue": [["11:00", "18:00"]]}}
    publish_hours(
        calendar=house.office,
        hours=Hours.from_json(opening_late),
        by=house.sam,
        now=after(hours=1),
    )
    turn(after(hours=1))
    assert next_look(ticket) == after(hours=5)
    turn(after(hours=1, seconds=5))
    relook = Relook.objects.get(cause="calendar")
    assert (relook.calendar_version.number, relook.changed) == (2, 1)  # type: ignore[union-attr]


def test_a_new_calendar_is_no_reason_to_look_again(house: House) -> None:
    house.calendar("lisbon", OFFICE)
    turn(START)
    assert not Relook.objects.exists()


def test_one_walk_serves_all_hours_that_are_new(house: House) -> None:
    house.ticket()
    turn(START)
    for number in (2, 3, 4):
        CalendarVersion.objects.create(
            calendar=house.always,
            number=number,
            hours=house.always.in_force.hours,
            created_at=START,
        )
    turn(after(minutes=1))
    assert sorted(Relook.objects.values_list("looked", flat=True)) == [0, 0, 1]
    assert not Relook.objects.pending().exists()


# Gently


def test_what_falls_due_during_a_walk_is_reviewed_before_its_next_step(house: House) -> None:
    tickets = [house.ticket() for _number in range(6)]
    turn(START)
    publish(house, now=after(minutes=1), rules=[])
    # Due in the fifth second, when the walk has begun and is far from over.
    Ticket.objects.filter(pk=tickets[5].pk).update(review_at=after(minutes=1, seconds=5))
    moments = iter(after(minutes=1, seconds=n) for n in range(100))
    assert engine.turn(clock=lambda: next(moments), chunk=1) == 1
    relook = Relook.objects.get()
    assert relook.looked == 6
    assert relook.done_at is not None
    assert relook.done_at > after(minutes=1, seconds=5)


def test_a_walk_goes_on_where_it_stood_and_passes_nobody_over(house: House) -> None:
    tickets = [house.ticket() for _number in range(7)]
    turn(START)
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    for looked in (3, 6, 7):
        assert relooking.step(now=after(minutes=1), chunk=3)
        assert Relook.objects.get().looked == looked
    assert not relooking.step(now=after(minutes=1))
    assert {next_look(ticket) for ticket in tickets} == {after(hours=1)}


def test_a_turn_that_takes_too_long_leaves_the_rest_to_the_next(house: House) -> None:
    for _number in range(3):
        house.ticket()
    turn(START)
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    moments = iter(after(minutes=1, seconds=20 * n) for n in range(100))
    engine.turn(clock=lambda: next(moments), chunk=1)
    assert Relook.objects.pending().exists()


def test_a_poison_ticket_is_left_to_the_review_and_stops_nobody(house: House) -> None:
    good, bad = house.ticket(), house.ticket()
    turn(START)
    # A zone that no longer is one.
    Clock.objects.filter(ticket=bad).update(zone="Nowhere/Land", calendar_version_id=(
        house.office.in_force.pk))  # fmt: skip
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    turn(after(minutes=1))
    assert next_look(good) == after(hours=1)
    turn(after(minutes=1, seconds=5))
    bad.refresh_from_db()
    assert bad.review_attempts == 1
    assert bad.review_error


def test_closed_tickets_are_not_looked_at(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    Ticket.objects.filter(pk=ticket.pk).update(status="closed")
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    turn(after(minutes=1))
    assert Relook.objects.get().looked == 0


@pytest.mark.django_db(transaction=True)
def test_publishing_twice_walks_twice_and_the_last_word_counts(house: House) -> None:
    ticket = house.ticket()
    turn(START)
    publish(house, now=after(minutes=1), rules=[P3_AFTER_AN_HOUR])
    publish(house, now=after(minutes=1, seconds=1), rules=[])
    turn(after(minutes=2))
    later = next_look(ticket)
    assert later is not None
    assert later > after(hours=1)
    assert connection.in_atomic_block is False
