"""Promises: what a customer was told by when, and how it is kept, moved or broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation import endings, lifecycle, updates
from escalation.models import Promise
from escalation.models.promise import PromiseState
from escalation.promises import due_at, round_up
from staff.businesstime import OpenHours
from staff.durations import parse_duration
from staff.hours import Hours
from staff.models import Team
from tests.house import (
    ALWAYS,
    OFFICE,
    START,
    House,
    after,
    letter,
    letters_of,
    promise_of,
    told,
)
from tickets import conversation
from tickets.errors import Refused
from tickets.models import Ticket

QUARTER = timedelta(minutes=15)
FRIDAY = datetime(2026, 11, 27, 15, 3, 27, tzinfo=UTC)


DUE = after(hours=24)


# When it falls due


@pytest.mark.parametrize(
    ("target", "team", "plan", "due"),
    [
        ("4h", OFFICE, ALWAYS, datetime(2026, 11, 27, 19, 15, tzinfo=UTC)),
        ("4h", ALWAYS, OFFICE, datetime(2026, 11, 27, 19, 15, tzinfo=UTC)),
        ("4h", OFFICE, OFFICE, datetime(2026, 11, 30, 9, 15, tzinfo=UTC)),
        ("4h wall", OFFICE, OFFICE, datetime(2026, 11, 27, 19, 15, tzinfo=UTC)),
    ],
)
def test_it_is_due_by_the_earlier_of_teams_and_plans_time_rounded_up(
    target: str, team: dict[str, object], plan: dict[str, object], due: datetime
) -> None:
    assert (
        due_at(
            target=parse_duration(target),
            since=FRIDAY,
            team_time=OpenHours(Hours.from_json(team)),
            plan_time=OpenHours(Hours.from_json(plan)),
            rounding=QUARTER,
        )
        == due
    )


def test_a_full_quarter_stays_what_it_is() -> None:
    assert round_up(START, QUARTER) == START
    assert round_up(START + timedelta(microseconds=1), QUARTER) == START + QUARTER


# Kept


def test_a_persons_public_reply_in_time_keeps_it(house: House, promised: Ticket) -> None:
    house.reply(promised, now=after(hours=20))
    house.sweep(after(hours=20))
    promise = promise_of(promised)
    assert (promise.state, promise.ended_at) == (PromiseState.KEPT, after(hours=20))


def test_a_reply_in_time_keeps_it_even_if_the_look_comes_late(
    house: House, promised: Ticket
) -> None:
    house.reply(promised, now=after(hours=20))
    house.reply(promised, now=after(hours=30))
    house.sweep(after(hours=40))
    promise = promise_of(promised)
    assert (promise.state, promise.ended_at) == (PromiseState.KEPT, after(hours=20))
    assert promise.broken_at is None


def test_a_reply_at_the_promised_instant_is_in_time(house: House, promised: Ticket) -> None:
    house.reply(promised, now=DUE)
    house.sweep(DUE)
    assert promise_of(promised).state == PromiseState.KEPT


def test_resolving_the_ticket_keeps_it(house: House, promised: Ticket) -> None:
    escalation = promised.escalations.get()
    lifecycle.accept(escalation_id=escalation.pk, now=after(hours=1), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Fixed.", now=after(hours=2), by=house.priya
    )
    endings.resolve(ticket_id=promised.pk, outcome="Fixed.", now=after(hours=3), by=house.anna)
    house.sweep(after(hours=3))
    promise = promise_of(promised)
    assert (promise.state, promise.ended_at) == (PromiseState.KEPT, after(hours=3))


def test_neither_the_acceptance_letter_nor_a_note_nor_the_customers_own_word_keeps_it(
    house: House, promised: Ticket
) -> None:
    escalation = promised.escalations.get()
    lifecycle.accept(escalation_id=escalation.pk, now=after(hours=1), by=house.priya)
    conversation.note(ticket_id=promised.pk, text="Seen.", now=after(hours=2), by=house.priya)
    house.answer(promised, "Any news on this?", now=after(hours=3))
    house.sweep(after(hours=3))
    assert "accepted" in letters_of(promised)
    assert promise_of(promised).state == PromiseState.OPEN


# Broken


def test_it_breaks_at_the_time_that_was_told(house: House, promised: Ticket) -> None:
    house.sweep(after(hours=23, minutes=59))
    assert promise_of(promised).state == PromiseState.OPEN
    house.sweep(after(hours=26))
    promise = promise_of(promised)
    assert (promise.state, promise.broken_at) == (PromiseState.BROKEN, DUE)


def test_a_reply_after_it_does_not_mend_it(house: House, promised: Ticket) -> None:
    house.reply(promised, now=DUE + timedelta(seconds=1))
    house.sweep(after(hours=25))
    assert promise_of(promised).state == PromiseState.BROKEN


# Warnings


def test_assignee_owner_and_lead_are_warned_before_it_breaks(
    house: House, promised: Ticket
) -> None:
    lifecycle.accept(
        escalation_id=promised.escalations.get().pk, now=after(minutes=5), by=house.priya
    )
    house.sweep(after(minutes=5))
    people = (house.anna, house.priya, house.marco)
    house.sweep(DUE - timedelta(minutes=61))
    assert [told(who, kind="staff_promise_warning") for who in people] == [[], [], []]
    house.sweep(DUE - timedelta(minutes=60))
    assert [len(told(who, kind="staff_promise_warning")) for who in people] == [1, 1, 1]
    house.sweep(DUE - timedelta(minutes=15))
    house.sweep(DUE - timedelta(minutes=14))
    assert [len(told(who, kind="staff_promise_warning")) for who in people] == [2, 2, 2]


def test_a_look_that_slept_through_both_warnings_warns_once(house: House, promised: Ticket) -> None:
    house.sweep(DUE - timedelta(minutes=10))
    assert len(told(house.anna, kind="staff_promise_warning")) == 1


def test_a_warning_is_counted_in_the_teams_business_time(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket, promised=datetime(2026, 11, 25, 7, 30, tzinfo=UTC))
    house.sweep(START)
    house.sweep(datetime(2026, 11, 24, 16, 29, tzinfo=UTC))
    assert told(house.anna, kind="staff_promise_warning") == []
    house.sweep(datetime(2026, 11, 24, 16, 30, tzinfo=UTC))
    assert len(told(house.anna, kind="staff_promise_warning")) == 1, "half an hour today"


def test_the_backup_is_warned_in_an_absence(house: House, promised: Ticket) -> None:
    house.away(house.anna, backup=house.ben)
    house.sweep(DUE - timedelta(minutes=50))
    assert len(told(house.ben, kind="staff_promise_warning")) == 1
    assert told(house.anna, kind="staff_promise_warning") == []


# Another time


def test_a_new_expected_time_replaces_it_and_tells_the_customer(
    house: House, promised: Ticket
) -> None:
    new = updates.new_expected_time(
        ticket_id=promised.pk,
        due=after(hours=30),
        reason="the supplier answers tomorrow",
        done="the logs are read",
        now=after(hours=20),
        by=house.anna,
    )
    old = Promise.objects.get(ticket=promised, number=1)
    assert (old.state, new.replaces, new.slips) == (PromiseState.REPLACED, old, 1)
    sent = letter(promised, "new_expected_time")
    assert "New expected time: Wed 25 Nov, 16:00 (Oslo, UTC+1)" in sent.subject
    assert "by Wed 25 Nov, 10:00 (Oslo, UTC+1); the new time is Wed 25 Nov, 16:00" in sent.text
    assert "The reason: the supplier answers tomorrow." in sent.text
    assert "Done so far: the logs are read." in sent.text
    house.sweep(after(hours=25))
    assert promise_of(promised).state == PromiseState.OPEN, "the old time no longer counts"


def test_a_broken_one_can_be_told_anew_and_stays_broken(house: House, promised: Ticket) -> None:
    house.sweep(after(hours=25))
    updates.new_expected_time(
        ticket_id=promised.pk, due=after(hours=30), reason="x", now=after(hours=26), by=house.anna
    )
    assert list(promised.promises.order_by("number").values_list("state", "slips")) == [
        ("broken", 0),
        ("open", 1),
    ]


def test_slips_are_capped_and_then_only_a_lead_can_move_the_time(
    house: House, promised: Ticket
) -> None:
    for hours in (30, 40):
        updates.new_expected_time(
            ticket_id=promised.pk,
            due=after(hours=hours),
            reason="more to read",
            now=after(hours=20),
            by=house.anna,
        )
    with pytest.raises(Refused, match="only a lead") as refused:
        updates.new_expected_time(
            ticket_id=promised.pk,
            due=after(hours=50),
            reason="more to read",
            now=after(hours=21),
            by=house.anna,
        )
    assert refused.value.field == "due"
    moved = updates.new_expected_time(
        ticket_id=promised.pk,
        due=after(hours=50),
        reason="more to read",
        now=after(hours=21),
        by=house.marco,
    )
    assert moved.slips == 3


@pytest.mark.parametrize(
    ("due", "reason", "field"),
    [
        (after(hours=10), "because", "due"),
        (DUE, "because", "due"),
        (after(hours=30), "  ", "reason"),
    ],
)
def test_a_new_time_lies_ahead_differs_and_has_a_reason(
    house: House, promised: Ticket, due: datetime, reason: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        updates.new_expected_time(
            ticket_id=promised.pk, due=due, reason=reason, now=after(hours=20), by=house.anna
        )
    assert refused.value.field == field
    assert promise_of(promised).number == 1


def test_where_nothing_was_promised_there_is_no_new_time(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(Refused):
        updates.new_expected_time(
            ticket_id=ticket.pk, due=after(hours=9), reason="x", now=START, by=house.anna
        )


# Who is in charge


def test_the_promise_stays_through_declining_and_handing_on(house: House, promised: Ticket) -> None:
    escalation = promised.escalations.get()
    lifecycle.hand_on(
        escalation_id=escalation.pk,
        team_id=house.platform.pk,
        now=after(hours=1),
        by=house.priya,
    )
    house.sweep(after(hours=1))
    assert promised.promises.count() == 1
    assert promise_of(promised).due_at == DUE
