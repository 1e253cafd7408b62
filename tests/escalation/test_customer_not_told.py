"""A letter bounced: the customer does not know what we promised, and somebody has to tell them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from escalation import engine, updates
from escalation.models import Promise
from notifications import delivery
from notifications.models import DeliveryEvent, OutgoingEmail
from tests import mail as mails
from tests.house import START, House, after, promise_of, told
from tests.notifications.mailserver import MailServer, running
from tests.notifications.test_delivery import uses
from tests.pages.acting import as_
from tests.pages.desk import html
from tickets import followups
from tickets.inbound import ingest
from tickets.models import Contact, Event, FollowUp, Ticket

REFUSED = "550 5.1.1 No such mailbox here"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    """Knows everybody but Dana."""
    found = MailServer()
    found.to_rcpt = lambda address: REFUSED if address.startswith("dana@") else "250 OK"
    with running(found):
        uses(settings, found.port)
        yield found


@pytest.fixture
def ticket(house: House) -> Ticket:
    """Escalated at 9:00, with a promise to Dana."""
    ticket = house.ticket(assignee=house.anna)
    turn(START)
    house.escalate(ticket)
    turn(START)
    return ticket


def turn(now: datetime) -> None:
    engine.turn(clock=lambda: now)


def post(now: datetime) -> None:
    """The mail worker sends what is due, and the engine hears of it."""
    delivery.send_due(clock=lambda: now)
    turn(now)


def reports_bounce(ticket: Ticket, *, status: str = "5.1.1", now: datetime) -> None:
    """A delivery report comes back for the newest letter to the requester."""
    letter = OutgoingEmail.objects.filter(
        about=ticket.about, to_address=ticket.requester.email, kind="escalated"
    ).latest("pk")
    raw = mails.mail("bounce_of_our_letter").replace(b"@@MESSAGE_ID@@", letter.message_id.encode())
    raw = raw.replace(b"Status: 5.1.1", f"Status: {status}".encode())
    ingest.ingest(raw=raw, source="test", envelope_from="", now=now)


def follow_ups(ticket: Ticket) -> list[tuple[str, bool]]:
    return [
        (follow_up.kind, follow_up.is_open)
        for follow_up in FollowUp.objects.filter(
            ticket=ticket, kind__in=("not_told", "phone")
        ).order_by("pk")
    ]


def ola(house: House) -> Contact:
    """Norvik's escalation contact."""
    return house.contact("Ola Berg", house.norvik, is_escalation_contact=True)


def letters_to(address: str) -> list[str]:
    return list(
        OutgoingEmail.objects.filter(to_address=address)
        .order_by("pk")
        .values_list("kind", flat=True)
    )


# Known at once


def test_a_refused_letter_of_a_promise_leaves_the_customer_untold(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    promise = promise_of(ticket)
    assert promise.is_untold
    assert promise.not_told_since == after(minutes=1)
    assert Event.objects.filter(ticket=ticket, kind="customer_not_told").count() == 1
    turn(after(minutes=2))
    assert Event.objects.filter(ticket=ticket, kind="customer_not_told").count() == 1


def test_the_assignee_is_reminded_within_fifteen_minutes_to_phone(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    assert follow_ups(ticket) == [("phone", True)]
    assert told(house.anna, kind="staff_follow_up") == ["staff_follow_up"]
    for minutes in range(2, 20):
        post(after(minutes=minutes))
    assert follow_ups(ticket) == [("phone", True)]
    assert told(house.anna, kind="staff_follow_up") == ["staff_follow_up"]


@pytest.mark.django_db(transaction=True)
def test_a_report_says_it_as_well_as_a_refusal(house: House, ticket: Ticket) -> None:
    reports_bounce(ticket, now=after(minutes=5))
    turn(after(minutes=5))
    assert promise_of(ticket).is_untold
    assert follow_ups(ticket) == [("phone", True)]


@pytest.mark.django_db(transaction=True)
def test_a_delayed_letter_changes_nothing(house: House, ticket: Ticket) -> None:
    letter = OutgoingEmail.objects.get(about=ticket.about, kind="escalated")
    raw = mails.mail("bounce_of_our_letter").replace(b"@@MESSAGE_ID@@", letter.message_id.encode())
    raw = raw.replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")
    ingest.ingest(raw=raw, source="test", envelope_from="", now=after(minutes=5))
    turn(after(minutes=5))
    assert not promise_of(ticket).is_untold
    assert follow_ups(ticket) == []
    assert Event.objects.filter(ticket=ticket, kind="delivery_delayed").exists()


@pytest.mark.django_db(transaction=True)
def test_a_forged_report_changes_nothing(house: House, ticket: Ticket) -> None:
    raw = mails.mail("bounce_of_our_letter").replace(
        b"@@MESSAGE_ID@@",
        f"<aaaaaaaaaa.ticket-{ticket.pk}.k1-aaaaaaaaaaaaaaaa@brightquay.example>".encode(),
    )
    ingest.ingest(raw=raw, source="test", envelope_from="", now=after(minutes=5))
    turn(after(minutes=5))
    assert not promise_of(ticket).is_untold
    assert follow_ups(ticket) == []


def test_a_bounced_letter_without_a_time_gives_the_follow_up_alone(
    house: House, server: MailServer
) -> None:
    ticket = house.ticket(assignee=house.anna)
    turn(START)
    post(after(minutes=1))
    assert follow_ups(ticket) == [("phone", True)]
    assert not Promise.objects.exists()


# Who is written to instead


def test_the_escalation_contacts_get_the_letter_next(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    contact = ola(house)
    house.contact("Kari Lie", house.norvik)
    house.contact("Max Ruf", house.steinbach, is_escalation_contact=True)
    post(after(minutes=1))
    post(after(minutes=2))
    post(after(minutes=3))
    assert letters_to(contact.email) == ["escalated"]
    [letter] = [m for m in server.received if m["To"] and "ola@" in m["To"]]
    assert "Ola" in str(letter.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert letters_to("kari@norvik.example") == letters_to("max@steinbach.example") == []
    assert follow_ups(ticket) == [("not_told", True)]
    assert promise_of(ticket).is_untold


def test_an_escalation_contact_whose_own_address_bounced_is_not_written_to(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    contact = ola(house)
    server.to_rcpt = lambda _address: REFUSED
    post(after(minutes=1))
    assert follow_ups(ticket) == [("not_told", True)]
    post(after(minutes=2))
    assert follow_ups(ticket) == [("not_told", False), ("phone", True)]
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=3),
        by=house.anna,
    )  # fmt: skip
    post(after(minutes=3))
    post(after(minutes=4))
    assert letters_to(contact.email) == ["escalated"]


def test_an_escalation_contact_may_answer_what_they_were_sent(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    contact = ola(house)
    post(after(minutes=1))
    letter = OutgoingEmail.objects.get(to_address=contact.email)
    assert f"+{ticket.pk}.{contact.pk}." in letter.reply_to
    assert letter.thread_subject == ""


# Told after all


def test_a_later_letter_that_is_taken_clears_it(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    server.to_rcpt = lambda _address: "250 OK"
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=5),
        by=house.anna,
    )  # fmt: skip
    assert promise_of(ticket).is_untold
    post(after(minutes=6))
    assert not promise_of(ticket).is_untold
    assert follow_ups(ticket) == [("phone", False)]
    assert Event.objects.filter(ticket=ticket, kind="customer_told").exists()


def test_a_corrected_address_clears_it_with_the_next_letter(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    Contact.objects.filter(pk=house.dana.pk).update(email="d.reyes@norvik.example")
    turn(after(minutes=2))
    assert promise_of(ticket).is_untold
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=5),
        by=house.anna,
    )  # fmt: skip
    post(after(minutes=6))
    assert not promise_of(ticket).is_untold


@pytest.mark.django_db(transaction=True)
def test_what_is_only_taken_does_not_overcome_a_report(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    server.to_rcpt = lambda _address: "250 OK"
    post(after(minutes=1))
    reports_bounce(ticket, now=after(minutes=5))
    turn(after(minutes=5))
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=6),
        by=house.anna,
    )  # fmt: skip
    post(after(minutes=7))
    assert promise_of(ticket).is_untold


def test_whoever_has_phoned_ticks_it_off(house: House, ticket: Ticket, server: MailServer) -> None:
    post(after(minutes=1))
    follow_up = FollowUp.objects.get(ticket=ticket, kind="phone")
    followups.complete(followup_id=follow_up.pk, now=after(minutes=10), by=house.anna)
    turn(after(minutes=10))
    assert not promise_of(ticket).is_untold
    assert follow_ups(ticket) == [("phone", False)]
    turn(after(minutes=20))
    assert follow_ups(ticket) == [("phone", False)]


def test_whether_an_escalation_contact_was_reached_says_nothing_of_the_customer(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    ola(house)
    post(after(minutes=1))
    follow_up = FollowUp.objects.get(ticket=ticket, kind="not_told")
    followups.complete(followup_id=follow_up.pk, now=after(minutes=2), by=house.anna)
    server.to_rcpt = lambda _address: REFUSED
    post(after(minutes=3))
    assert DeliveryEvent.objects.filter(recipient="ola@norvik.example", kind="bounced").exists()
    assert not promise_of(ticket).is_untold
    assert follow_ups(ticket) == [("not_told", False)]


def test_a_letter_that_bounces_after_that_is_owed_anew(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    follow_up = FollowUp.objects.get(ticket=ticket, kind="phone")
    followups.complete(followup_id=follow_up.pk, now=after(minutes=10), by=house.anna)
    turn(after(minutes=10))
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=15),
        by=house.anna,
    )  # fmt: skip
    post(after(minutes=16))
    assert promise_of(ticket).is_untold
    assert follow_ups(ticket) == [("phone", False), ("phone", True)]


def test_looking_again_and_again_does_nothing_twice(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    ola(house)
    post(after(minutes=1))
    before = (Event.objects.count(), OutgoingEmail.objects.count(), FollowUp.objects.count())
    Ticket.objects.update(review_at=START)
    turn(after(minutes=1))
    assert (
        Event.objects.count(),
        OutgoingEmail.objects.count(),
        FollowUp.objects.count(),
    ) == before


# Where it is seen


def test_ticket_board_and_triage_say_that_the_customer_was_not_told(
    house: House, ticket: Ticket, server: MailServer
) -> None:
    post(after(minutes=1))
    anna, marco = as_(house.anna), as_(house.marco)
    for page in _pages(anna, marco, ticket):
        assert "Customer not told" in page
    server.to_rcpt = lambda _address: "250 OK"
    updates.new_expected_time(
        ticket_id=ticket.pk, due=after(hours=30), reason="A test.", now=after(minutes=5),
        by=house.anna,
    )  # fmt: skip
    post(after(minutes=6))
    for page in _pages(anna, marco, ticket):
        assert "Customer not told" not in page


def _pages(anna: Client, marco: Client, ticket: Ticket) -> list[str]:
    return [
        html(anna.get(ticket.get_absolute_url())),
        html(anna.get("/desk/?view=all_open")),
        html(marco.get("/escalations/")),
    ]
