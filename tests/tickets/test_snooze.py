"""Snoozing: out of sight until a time, or until the customer has something to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from escalation import endings
from escalation.models.clock import ClockKind
from tests.house import START, House, after, clock_of, told
from tests.pages.acting import ago, ahead, as_, form, opened, press, queries
from tests.pages.desk import html, words
from tickets import intake, listing, snoozing, triage
from tickets.errors import Refused
from tickets.listing import Filters, View
from tickets.models import Snooze, Ticket
from tickets.models.ticket import Channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(assignee=house.anna)


def snooze(house: House, ticket: Ticket, *, until: datetime) -> Snooze:
    return snoozing.snooze(
        ticket_id=ticket.pk, until=until, reason="Security answers", now=START, by=house.anna
    )


def views_of(house: House, ticket: Ticket) -> set[View]:
    return {
        view
        for view in View
        if ticket in listing.page(user=house.anna, filters=Filters(view=view)).tickets
    }


def test_a_snoozed_ticket_is_out_of_sight_but_not_gone(house: House, ticket: Ticket) -> None:
    assert {View.MINE, View.NEEDS_REPLY} <= views_of(house, ticket)
    snooze(house, ticket, until=after(hours=3))
    assert views_of(house, ticket) == {View.SNOOZED, View.ALL_OPEN}
    counts = listing.counts(user=house.anna, filters=Filters())
    assert (counts[View.MINE], counts[View.NEEDS_REPLY], counts[View.SNOOZED]) == (0, 0, 1)


def test_it_wakes_when_its_time_has_come(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    house.sweep(after(hours=2, minutes=59))
    assert views_of(house, ticket) == {View.SNOOZED, View.ALL_OPEN}
    looks_at = Ticket.objects.get(pk=ticket.pk).review_at
    assert looks_at is not None
    assert looks_at <= after(hours=3)
    house.sweep(after(hours=3))
    assert {View.MINE, View.NEEDS_REPLY} <= views_of(house, ticket)
    assert told(house.anna).count("staff_follow_up") == 1
    house.sweep(after(hours=4))
    assert told(house.anna).count("staff_follow_up") == 1


def test_the_customers_word_wakes_it_and_thanks_do_not(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    house.answer(ticket, "Thanks a lot!", now=after(minutes=10))
    assert View.SNOOZED in views_of(house, ticket)
    house.answer(ticket, "It fails again with 503.", now=after(minutes=20))
    assert View.SNOOZED not in views_of(house, ticket)
    assert View.NEEDS_REPLY in views_of(house, ticket)
    assert Snooze.objects.get().woken_at == after(minutes=20)


def test_neither_automatic_nor_strangers_mail_wakes_it(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    house.answer(ticket, "I am out of the office.", now=after(minutes=1), automatic=True)
    house.answer(ticket, "Let me in, please, it fails.", now=after(minutes=2), unverified=True)
    assert View.SNOOZED in views_of(house, ticket)


def test_clocks_run_on_while_it_sleeps(house: House, ticket: Ticket) -> None:
    house.sweep(START)
    snooze(house, ticket, until=after(days=3))
    before = clock_of(ticket, ClockKind.FIRST_RESPONSE).due_at
    house.sweep(after(hours=1))
    assert clock_of(ticket, ClockKind.FIRST_RESPONSE).due_at == before


def test_snoozing_again_takes_the_newer_time(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=1))
    snooze(house, ticket, until=after(hours=5))
    house.sweep(after(hours=2))
    assert View.SNOOZED in views_of(house, ticket)
    assert Snooze.objects.open().get().until == after(hours=5)


def test_what_is_over_neither_sleeps_nor_stays_asleep(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    endings.resolve(ticket_id=ticket.pk, outcome="Done", now=after(minutes=1), by=house.anna)
    assert not Snooze.objects.open().exists()
    with pytest.raises(Refused):
        snooze(house, ticket, until=after(hours=3))


@pytest.mark.parametrize("until", [START, START - timedelta(days=1)])
def test_a_time_that_is_over_is_refused(house: House, ticket: Ticket, until: datetime) -> None:
    with pytest.raises(Refused) as refused:
        snooze(house, ticket, until=until)
    assert refused.value.field == "until"


def test_staff_messages_leave_it_asleep(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    house.reply(ticket, now=after(minutes=5))
    triage.set_status(ticket_id=ticket.pk, status="on_hold", now=after(minutes=6), by=house.anna)
    assert View.SNOOZED in views_of(house, ticket)


# On the pages


def test_the_page_snoozes_until_tomorrow_morning_where_one_is(house: House, ticket: Ticket) -> None:
    anna = as_(house.anna)  # in Berlin
    page = html(anna.get(ticket.get_absolute_url()))
    assert 'data-key="h"' in page
    answer = press(
        anna,
        ticket,
        "snooze",
        usual="tomorrow",
        reason="Security answers",
        **opened(anna, page, "/snooze/"),
    )
    assert answer.status_code == 302
    until = Snooze.objects.open().get().until
    berlin = ZoneInfo("Europe/Berlin")
    local = until.astimezone(berlin)
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == (timezone.now().astimezone(berlin) + timedelta(days=1)).date()
    page = html(anna.get(ticket.get_absolute_url()))
    assert "Snoozed until" in page
    assert "Security answers" in page
    assert press(anna, ticket, "unsnooze", **form(page, "/unsnooze/")).status_code == 302
    assert not Snooze.objects.open().exists()


def test_an_own_time_is_taken_or_refused_at_its_field(house: House, ticket: Ticket) -> None:
    anna = as_(house.anna)
    for until in ("", "2020-01-01T10:00"):
        answer = press(anna, ticket, "snooze", usual="own", until=until)
        assert answer.status_code == 422
        assert 'id="on-snooze-until_error"' in html(answer)
    assert press(anna, ticket, "snooze", usual="own", until=ahead(days=3)).status_code == 302
    assert Snooze.objects.open().get().until > timezone.now() + timedelta(days=2)


def test_the_list_shows_until_when_for_the_same_number_of_queries(house: House) -> None:
    anna = as_(house.anna)
    first = house.ticket(now=ago(minutes=9), assignee=house.anna)
    snoozing.snooze(
        ticket_id=first.pk,
        until=timezone.now() + timedelta(days=1),
        now=ago(minutes=5),
        by=house.anna,
    )
    few = queries(anna, "/desk/?view=snoozed")
    assert first.reference in words(anna.get("/desk/?view=snoozed"))
    assert first.reference not in words(anna.get("/desk/?view=mine"))
    for n in range(4):
        other = house.ticket(f"Another {n}", now=ago(minutes=9))
        snoozing.snooze(
            ticket_id=other.pk,
            until=timezone.now() + timedelta(days=1),
            now=ago(minutes=5),
            by=house.anna,
        )
    assert len(queries(anna, "/desk/?view=snoozed")) == len(few)


def test_a_call_wakes_it_too(house: House, ticket: Ticket) -> None:
    snooze(house, ticket, until=after(hours=3))
    intake.append_message(
        ticket_id=ticket.pk,
        contact=ticket.requester,
        incoming=intake.Incoming(text="It is down for all of us now.", channel=Channel.PHONE),
        now=after(minutes=9),
    )
    assert View.SNOOZED not in views_of(house, ticket)
