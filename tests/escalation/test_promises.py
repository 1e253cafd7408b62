"""Promises: what a customer was told by when, and how it is kept, moved or broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation import asking, endings, lifecycle, updates
from escalation.models import Promise
from escalation.models.promise import PromiseState
from escalation.promises import due_at, round_up
from notifications.models import OutgoingEmail
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
from tickets.models import Event, Ticket
from tickets.models.ticket import Status

QUARTER = timedelta(minutes=15)
FRIDAY = datetime(2026, 11, 27, 15, 3, 27, tzinfo=UTC)


@pytest.fixture
def promised(house: House) -> Ticket:
    """Escalated at 9:00; a reply is promised by the same time tomorrow."""
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.escalate(ticket)
    house.sweep(after(minutes=1))
    return ticket


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


# While we wait for the customer


def test_it_is_suspended_while_we_wait_and_the_letter_says_so(
    house: House, promised: Ticket
) -> None:
    promised.details.all().delete()
    asking.ask(ticket_id=promised.pk, keys=["key-id"], now=after(hours=2), by=house.anna)
    house.sweep(after(hours=2))
    promise = promise_of(promised)
    assert (promise.state, promise.due_at) == (PromiseState.SUSPENDED, None)
    assert "The expected time waits for your reply" in letter(promised, "detail_needed").text
    house.run(since=after(hours=3), until=after(days=3), every=timedelta(hours=9))
    assert promise_of(promised).state == PromiseState.SUSPENDED
    assert told(house.anna, kind="staff_promise_warning") == []


def test_the_answer_starts_the_target_anew(house: House, promised: Ticket) -> None:
    house.status(promised, Status.WAITING, now=after(hours=2))
    house.sweep(after(hours=2))
    house.answer(promised, "It is key_1234.", now=after(hours=50, minutes=7))
    house.sweep(after(hours=51))
    promise = promise_of(promised)
    assert (promise.state, promise.due_at) == (PromiseState.OPEN, after(hours=74, minutes=15))
    house.sweep(after(hours=73, minutes=30))
    assert len(told(house.anna, kind="staff_promise_warning")) == 1


def test_an_engine_that_slept_through_the_wait_comes_to_the_same(
    house: House, promised: Ticket
) -> None:
    house.status(promised, Status.WAITING, now=after(hours=20))
    house.answer(promised, "It is key_1234.", now=after(hours=28))
    house.sweep(after(hours=29))
    promise = promise_of(promised)
    assert (promise.state, promise.due_at) == (PromiseState.OPEN, after(hours=52))


def test_a_wait_that_begins_too_late_saves_nothing(house: House, promised: Ticket) -> None:
    house.status(promised, Status.WAITING, now=after(hours=25))
    house.sweep(after(hours=26))
    assert promise_of(promised).state == PromiseState.BROKEN


def test_a_time_told_while_we_wait_already_counts(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.status(ticket, Status.WAITING, now=after(minutes=10))
    house.sweep(after(minutes=10))
    house.escalate(ticket, now=after(minutes=20))
    house.sweep(after(minutes=20))
    promise = promise_of(ticket)
    assert (promise.state, promise.due_at) == (
        PromiseState.OPEN,
        after(hours=24, minutes=30),
    )


# Updates


def test_an_update_keeps_the_promise_and_names_the_next_word(
    house: House, promised: Ticket
) -> None:
    updates.update(
        ticket_id=promised.pk,
        headline="the gateway  is found",
        text="We have found the gateway that refuses your calls",
        known="it began at 09:10",
        next_step="it is replaced tonight",
        next_word_by=after(hours=8),
        now=after(hours=4),
        by=house.anna,
    )
    old, new = promised.promises.order_by("number")
    assert (old.state, new.state, new.kind) == (PromiseState.KEPT, PromiseState.OPEN, "update")
    assert (new.due_at, new.slips) == (after(hours=8), 0)
    sent = letter(promised, "update")
    assert "Update: the gateway is found" in sent.subject
    assert "Next word by Tue 24 Nov, 18:00 (Oslo, UTC+1)." in sent.text
    assert "What we know: it began at 09:10." in sent.text
    assert "Until then" not in sent.text, "nothing was said of a workaround"
    assert new.email == OutgoingEmail.objects.get(about=promised.about, kind="update")


def test_an_update_without_a_next_word_promises_nothing_more(
    house: House, promised: Ticket
) -> None:
    updates.update(
        ticket_id=promised.pk,
        headline="news",
        text="It is found",
        now=after(hours=4),
        by=house.anna,
    )
    assert [promise.state for promise in promised.promises.all()] == [PromiseState.KEPT]
    assert "Next word" not in letter(promised, "update").text


def test_the_next_word_is_a_promise_like_any_other(house: House, promised: Ticket) -> None:
    updates.update(
        ticket_id=promised.pk,
        headline="news",
        text="It is found",
        next_word_by=after(hours=8),
        now=after(hours=4),
        by=house.anna,
    )
    house.run(since=after(hours=4), until=after(hours=9), every=timedelta(minutes=15))
    assert promise_of(promised).state == PromiseState.BROKEN
    assert len(told(house.marco, kind="staff_promise_warning")) == 3, "1 h, 15 min, and broken"


@pytest.mark.parametrize(
    ("headline", "text", "next_word", "field"),
    [
        ("", "News", None, "headline"),
        ("News", " ", None, "text"),
        ("News", "News", after(hours=1), "next_word_by"),
    ],
)
def test_an_update_says_something_and_its_next_word_lies_ahead(
    house: House,
    promised: Ticket,
    headline: str,
    text: str,
    next_word: datetime | None,
    field: str,
) -> None:
    with pytest.raises(Refused) as refused:
        updates.update(
            ticket_id=promised.pk,
            headline=headline,
            text=text,
            next_word_by=next_word,
            now=after(hours=2),
            by=house.anna,
        )
    assert refused.value.field == field


# By itself


def test_a_new_time_goes_out_by_itself_once_a_quarter_before_where_the_policy_says_so(
    house: House,
) -> None:
    house.publish(
        promises={
            "warnings": ["1h"],
            "round_up_to": "15m",
            "max_slips": 2,
            "auto_repromise": "once",
        }
    )
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    house.sweep(DUE - timedelta(minutes=16))
    assert promise_of(ticket).number == 1
    ticket.refresh_from_db()
    assert ticket.review_at == DUE - QUARTER
    house.sweep(DUE - QUARTER)
    first, second = ticket.promises.order_by("number")
    assert (first.state, second.state, second.slips) == ("replaced", "open", 1)
    assert second.due_at == DUE - QUARTER + timedelta(hours=24)
    assert letters_of(ticket).count("new_expected_time") == 1
    assert second.due_at is not None
    house.run(since=DUE, until=second.due_at + timedelta(hours=1), every=QUARTER)
    assert promise_of(ticket).state == PromiseState.BROKEN, "it slips by itself only once"
    assert letters_of(ticket).count("new_expected_time") == 1


def test_off_means_a_person_has_to_do_it(house: House, promised: Ticket) -> None:
    house.run(since=after(hours=23), until=after(hours=25), every=timedelta(minutes=5))
    assert promise_of(promised).state == PromiseState.BROKEN
    assert "new_expected_time" not in letters_of(promised)
    assert Event.objects.filter(ticket=promised, kind="promise_broken").count() == 1


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
