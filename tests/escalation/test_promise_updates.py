"""Promises while we wait, with an update's next word, and those that are told anew by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from escalation import asking, updates
from escalation.models.promise import PromiseState
from notifications.models import OutgoingEmail
from tests.house import (
    House,
    after,
    letter,
    letters_of,
    promise_of,
    told,
)
from tickets.errors import Refused
from tickets.models import Event, Ticket
from tickets.models.ticket import Status

QUARTER = timedelta(minutes=15)


DUE = after(hours=24)


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
