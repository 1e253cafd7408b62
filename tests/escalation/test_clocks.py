"""Clocks: what they count, when they stand still, when they warn, and that a late look costs
nobody a second."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalation import endings, lifecycle
from escalation.models import ClockRun
from escalation.models.clock import ClockKind, ClockState
from staff.businesstime import BusinessTime
from tests.house import START, House, after, clock_of, told
from tickets import conversation
from tickets.errors import Refused
from tickets.models import Event, Ticket
from tickets.models.ticket import Status

FIRST = ClockKind.FIRST_RESPONSE
RESOLUTION = ClockKind.RESOLUTION
HOUR = timedelta(hours=1)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of day in Berlin in that November, which is an hour ahead of UTC."""
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


# What is due when


def test_a_tickets_clocks_run_from_its_first_second(house: House) -> None:
    ticket = house.ticket()
    house.sweep(after(minutes=3))
    assert clock_of(ticket, FIRST).due_at == after(hours=4)
    assert clock_of(ticket, RESOLUTION).due_at == after(hours=24)
    ticket.refresh_from_db()
    assert (ticket.sla_due_at, ticket.sla_due_kind) == (after(hours=4), "first_response")


def test_a_plans_clocks_count_its_calendar_in_the_customers_zone(house: House) -> None:
    friday = berlin(27, 16)
    ticket = house.ticket(by=house.juergen, now=friday)
    house.sweep(friday)
    assert clock_of(ticket, FIRST).due_at == berlin(30, 14), "2 h on Friday, 6 on Monday"


# First response


def test_a_reply_meets_the_first_response_at_the_moment_it_was_written(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.reply(ticket, now=after(hours=1))
    house.sweep(after(hours=9))
    clock = clock_of(ticket, FIRST)
    assert (clock.state, clock.ended_at) == (ClockState.MET, after(hours=1))
    assert clock.consumed == HOUR
    assert clock.breached_at is None, "it was in time, only the look was late"


def test_waiting_after_the_reply_is_not_charged_to_the_first_response(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.reply(ticket, now=after(hours=1))
    house.status(ticket, Status.WAITING, now=after(hours=6))
    house.sweep(after(hours=9))
    clock = clock_of(ticket, FIRST)
    assert (clock.consumed, clock.ended_at, clock.breached_at) == (HOUR, after(hours=1), None)


def test_a_note_is_no_response(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    conversation.note(ticket_id=ticket.pk, text="Looks bad.", now=after(hours=1), by=house.anna)
    house.sweep(after(hours=1))
    assert clock_of(ticket, FIRST).state == ClockState.RUNNING


def test_a_reply_that_comes_too_late_is_a_breach_even_if_nobody_looked_before(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.reply(ticket, now=after(hours=5))
    house.sweep(after(hours=6))
    clock = clock_of(ticket, FIRST)
    assert (clock.state, clock.breached_at) == (ClockState.MET, after(hours=4))


# Pause and resume


@pytest.mark.parametrize("status", [Status.WAITING, Status.ON_HOLD])
def test_a_clock_stands_while_the_status_pauses_it(house: House, status: str) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.status(ticket, status, now=after(hours=2))
    house.sweep(after(hours=2))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.due_at, clock.consumed) == (ClockState.PAUSED, None, 2 * HOUR)
    house.status(ticket, Status.OPEN, now=after(hours=12))
    house.sweep(after(hours=12))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.due_at) == (ClockState.RUNNING, after(hours=34))


def test_a_late_look_costs_nobody_a_second(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.status(ticket, Status.WAITING, now=after(hours=1))
    house.answer(ticket, "Any news on this?", now=after(hours=7))
    house.status(ticket, Status.ON_HOLD, now=after(hours=9))
    house.sweep(after(hours=20))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.PAUSED, 3 * HOUR)
    assert list(clock.runs.values_list("started_at", "ended_at")) == [
        (START, after(hours=1)),
        (after(hours=7), after(hours=9)),
    ]


def test_nor_does_a_first_look_that_comes_late(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.status(ticket, Status.WAITING, now=after(hours=1))
    house.answer(ticket, "Any news on this?", now=after(hours=7))
    house.sweep(after(hours=8))
    assert clock_of(ticket, RESOLUTION).due_at == after(hours=30)
    assert clock_of(ticket, FIRST).due_at == after(hours=10)


def test_a_ticket_opened_and_resolved_while_nobody_looked_has_been_measured(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=30), by=house.anna)
    house.sweep(after(hours=31))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.MET, 30 * HOUR)
    assert clock.breached_at == after(hours=24)


def test_a_reply_that_opens_a_new_ticket_and_lets_it_wait_pauses_at_once(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.reply(ticket, now=after(hours=1), status=Status.WAITING)
    house.sweep(after(hours=1))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.PAUSED, HOUR)


def test_two_people_at_once_do_not_leave_a_clock_in_the_wrong_state(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.status(ticket, Status.OPEN, now=after(hours=1))
    house.sweep(after(hours=1))
    # A web server whose clock is a moment behind commits later.
    house.status(ticket, Status.WAITING, now=after(minutes=59))
    house.sweep(after(hours=2))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.PAUSED, HOUR)


def test_resolving_straight_from_hold_does_not_charge_the_hold(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.status(ticket, Status.ON_HOLD, now=after(hours=2))
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=40), by=house.anna)
    house.sweep(after(hours=41))
    clock = clock_of(ticket, RESOLUTION)
    assert (clock.state, clock.consumed) == (ClockState.MET, 2 * HOUR)
    assert (clock.ended_at, clock.breached_at) == (after(hours=40), None)


def test_a_clock_does_not_run_on_after_resolving(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=2), by=house.anna)
    house.run(since=after(hours=3), until=after(days=3), every=timedelta(hours=12))
    assert {clock.state for clock in ticket.clocks.all()} == {ClockState.MET}
    assert told(house.anna, kind="staff_clock_breached") == []


# Warnings and breaches


def test_staff_are_warned_at_three_quarters_in_business_time(house: House) -> None:
    friday = berlin(27, 16)
    ticket = house.ticket(by=house.juergen, assignee=house.anna, now=friday)
    house.sweep(friday)
    house.sweep(berlin(30, 11, 59))
    assert told(house.anna, kind="staff_clock_warned") == []
    ticket.refresh_from_db()
    assert ticket.review_at == berlin(30, 12), "6 of 8 hours: 2 on Friday, 4 on Monday"
    house.sweep(berlin(30, 12))
    assert told(house.anna, kind="staff_clock_warned") == ["staff_clock_warned"]
    assert clock_of(ticket, FIRST).warned_at == berlin(30, 12)


def test_a_breach_is_marked_once_and_each_told_once(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.run(since=START, until=after(hours=9), every=timedelta(minutes=30))
    assert clock_of(ticket, FIRST).breached_at == after(hours=4)
    assert told(house.anna) == ["staff_clock_warned", "staff_clock_breached"]
    assert told(house.marco) == ["staff_clock_breached"]
    assert Event.objects.filter(ticket=ticket, kind="clock_breached").count() == 1


def test_what_falls_due_in_an_absence_goes_to_the_backup(house: House) -> None:
    house.away(house.anna, backup=house.ben)
    house.ticket(assignee=house.anna)
    house.sweep(after(hours=5))
    assert "staff_clock_breached" in told(house.ben)
    assert told(house.anna) == []


def test_after_an_outage_a_breach_bears_the_time_it_was_due(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.sweep(after(hours=10))
    assert clock_of(ticket, FIRST).breached_at == after(hours=4)
    assert "staff_clock_warned" not in told(house.anna), "the breach says it all"


# Acceptance


def test_accepting_meets_the_acceptance_clock(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=40), by=house.priya)
    clock = clock_of(ticket, ClockKind.ACCEPTANCE)
    assert (clock.state, clock.ended_at) == (ClockState.MET, after(minutes=40))
    assert clock.consumed == timedelta(minutes=40)


def test_an_offer_nobody_accepts_breaches_its_clock_and_the_tickets_people_hear_of_it(
    house: House,
) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    house.run(since=START, until=after(hours=2, minutes=30), every=timedelta(minutes=10))
    assert clock_of(ticket, ClockKind.ACCEPTANCE).breached_at == after(hours=2)
    assert told(house.anna) == ["staff_clock_breached"]


def test_a_p1_is_accepted_in_wall_time(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.escalate(ticket)
    clock = clock_of(ticket, ClockKind.ACCEPTANCE)
    assert (clock.calendar_version, clock.due_at) == (None, after(minutes=15))


def test_the_ticket_waiting_for_its_customer_does_not_stop_the_acceptance(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    house.status(ticket, Status.WAITING, now=after(minutes=5))
    house.sweep(after(minutes=6))
    assert clock_of(ticket, ClockKind.ACCEPTANCE).state == ClockState.RUNNING


# Whatever happens, whenever anybody looks

ACTIONS = ("open", "wait", "hold", "reply", "reply and wait", "answer", "resolve", "reopen", "look")


@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 1, 7, 59, 60, 61, 240, 711, 1440)) | st.integers(0, 3000),
            st.sampled_from(ACTIONS),
        ),
        max_size=14,
    ),
    st.booleans(),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_was_used_follows_from_what_happened_and_not_from_when_somebody_looked(
    house: House, story: list[tuple[int, str]], office: bool
) -> None:
    with transaction.atomic():
        ticket = house.ticket(by=house.juergen if office else house.dana, assignee=house.anna)
        now = START
        for minutes, action in story:
            now += timedelta(minutes=minutes)
            with suppress(Refused):
                _act(house, ticket, action, now)
        now += timedelta(minutes=1)
        house.sweep(now)
        for kind in (FIRST, RESOLUTION):
            clock = clock_of(ticket, kind)
            running = clock.running_since
            used = clock.consumed + (clock.time.between(running, now) if running else timedelta())
            assert used == _used(ticket, kind, clock.time, now), (kind, story)
            worked = ClockRun.objects.filter(clock=clock).values_list("worked", flat=True)
            assert sum(worked, timedelta()) == clock.consumed
        transaction.set_rollback(True)


def _act(house: House, ticket: Ticket, action: str, now: datetime) -> None:
    match action:
        case "open":
            house.status(ticket, Status.OPEN, now=now)
        case "wait":
            house.status(ticket, Status.WAITING, now=now)
        case "hold":
            house.status(ticket, Status.ON_HOLD, now=now)
        case "reply":
            house.reply(ticket, now=now)
        case "reply and wait":
            house.reply(ticket, now=now, status=Status.WAITING)
        case "answer":
            house.answer(ticket, "It still fails, have you found anything?", now=now)
        case "resolve":
            endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=now, by=house.anna)
        case "reopen":
            endings.reopen(ticket_id=ticket.pk, now=now, by=house.anna)
        case _:
            house.sweep(now)


def _used(ticket: Ticket, kind: str, time: BusinessTime, now: datetime) -> timedelta:
    """What the timeline says a clock has used, added up by itself."""
    moments = [(ticket.created_at, "new")]
    for at, data in (
        Event.objects.filter(ticket=ticket, kind="status_changed")
        .order_by("at", "pk")
        .values_list("at", "data")
    ):
        moments.append((at, data["to"]))
    until = now
    if kind == FIRST:
        ticket.refresh_from_db()
        ends = [at for at, status in moments if status in ("resolved", "closed")]
        until = min([now, *ends, *filter(None, [ticket.first_responded_at])])
    used = timedelta()
    for (at, status), (following, _status) in zip(moments, [*moments[1:], (now, "")], strict=True):
        if status in ("new", "open") and at < until:
            used += time.between(at, min(following, until))
    return used
