"""What becomes of a letter is kept: what our mail server says, reports, and the provider's hooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from notifications import delivery, receipts
from notifications.models import DeliveryEvent, DeliveryKind, DeliverySource, OutgoingEmail
from notifications.templates import load_defaults
from tests import mail as mails
from tests.house import START, House, after
from tests.notifications.letters import NOW, letter
from tests.notifications.mailserver import MailServer, running
from tests.notifications.test_delivery import queue, send, the_mail, uses
from tickets import deliveries
from tickets.inbound import ingest
from tickets.models import Event, Ticket

REFUSED = "550 5.1.1 No such mailbox here"


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with running(MailServer()) as found:
        uses(settings, found.port)
        yield found


@pytest.fixture
def texts(db: None) -> None:
    load_defaults(now=NOW)


# What our mail server says


def test_a_letter_that_is_refused_for_good_bounced(texts: None, server: MailServer) -> None:
    server.to_rcpt = lambda _address: REFUSED
    queue()
    send()
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.source, event.status) == ("bounced", "smtp", "5.1.1")
    assert (event.recipient, event.at, event.about) == ("dana@norvik.example", NOW, "ticket:1042")
    assert event.is_hard
    assert "No such mailbox" in event.said


def test_a_letter_that_is_refused_for_now_has_not_bounced(texts: None, server: MailServer) -> None:
    server.to_rcpt = lambda _address: "450 4.2.1 Greylisted"
    queue()
    send()
    assert not DeliveryEvent.objects.exists()


def test_a_letter_given_up_after_days_bounced_but_its_address_may_be_good(
    texts: None, server: MailServer
) -> None:
    server.to_rcpt = lambda _address: "450 4.2.1 Greylisted"
    queue()
    for hours in range(0, 80, 2):
        send(NOW + timedelta(hours=hours))
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.status, event.is_hard) == ("bounced", "4.2.1", False)
    assert not receipts.unreachable(["dana@norvik.example"])


def test_a_reply_code_alone_says_enough(texts: None, server: MailServer) -> None:
    server.to_data = lambda _number: "554 We do not want it"
    queue()
    send()
    event = DeliveryEvent.objects.get()
    assert (event.status, event.is_hard) == ("554", True)


def test_that_a_letter_was_taken_is_no_news(texts: None, server: MailServer) -> None:
    queue()
    send()
    assert not DeliveryEvent.objects.exists()


def test_that_a_letter_was_taken_is_news_after_one_that_bounced(
    texts: None, server: MailServer
) -> None:
    server.to_rcpt = lambda _address: REFUSED
    queue()
    send()
    assert receipts.unreachable(["Dana@Norvik.example"]) == {"dana@norvik.example"}
    server.to_rcpt = lambda _address: "250 OK"
    queue(letter("accepted:1"), now=NOW)
    send(NOW + timedelta(minutes=1))
    assert [event.kind for event in DeliveryEvent.objects.order_by("pk")] == ["bounced", "accepted"]
    assert not receipts.unreachable(["dana@norvik.example"])


# Reports (RFC 3464)


@pytest.fixture
def told(house: House) -> Ticket:
    """Dana was sent “With Tier 2”."""
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.escalate(ticket)
    return ticket


def report(
    ticket: Ticket,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    about: str = "",
    name: str = "bounce_of_our_letter",
) -> None:
    """A report comes about a letter of this ticket (or about another Message-ID)."""
    mail = OutgoingEmail.objects.get(about=ticket.about, kind="escalated")
    raw = mails.mail(name).replace(b"@@MESSAGE_ID@@", (about or mail.message_id).encode())
    raw = raw.replace(b"Action: failed", f"Action: {action}".encode())
    raw = raw.replace(b"Status: 5.1.1", f"Status: {status}".encode())
    ingest.ingest(raw=raw, source="test", envelope_from="", now=after(minutes=5))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("action", "status", "kind", "hard"),
    [
        ("failed", "5.1.1", "bounced", True),
        ("failed", "4.4.7", "bounced", False),
        ("delayed", "4.4.1", "delayed", False),
        ("delivered", "2.1.5", "delivered", False),
    ],
)
def test_a_report_that_returns_our_letter_says_what_became_of_it(
    house: House, told: Ticket, action: str, status: str, kind: str, hard: bool
) -> None:
    report(told, action=action, status=status)
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.source, event.status) == (kind, "dsn", status)
    assert (event.is_hard, event.recipient) == (hard, told.requester.email)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "forged",
    [
        "<unknown@northwind.example>",
        "<aaaaaaaaaa.ticket-{ticket}.k1-aaaaaaaaaaaaaaaa@brightquay.example>",
    ],
)
def test_a_report_without_our_signed_message_id_is_only_a_hint(
    house: House, told: Ticket, forged: str
) -> None:
    house.sweep(after(minutes=1))
    before = Event.objects.filter(ticket=told).count()
    report(told, about=forged.format(ticket=told.pk))
    deliveries.take_in(now=after(minutes=6))
    assert not DeliveryEvent.objects.exists()
    assert Event.objects.filter(ticket=told).count() == before


@pytest.mark.django_db(transaction=True)
def test_the_same_report_five_times_is_one_event(house: House, told: Ticket) -> None:
    for _time in range(5):
        report(told)
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_relayed_letter_leaves_open_what_became_of_it(house: House, told: Ticket) -> None:
    report(told, action="relayed", status="2.0.0")
    assert not DeliveryEvent.objects.exists()


# The provider's hooks


SECRET = "hook:a-long-shared-secret"
POSTMARK = "/hooks/postmark/"


@pytest.fixture
def postmark(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "POSTMARK_SERVER_TOKEN": "token"}


def bounce(mail: OutgoingEmail, **changed: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce",
        "ID": 901542550,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 The email account does not exist.",
        "Email": mail.to_address,
        "BouncedAt": "2026-11-24T09:05:00Z",
        "Metadata": {"letter": mail.message_id},
        **changed,
    }


def post(body: dict[str, Any], *, secret: str = SECRET, address: str = POSTMARK) -> int:
    return (
        Client(enforce_csrf_checks=True)
        .post(
            address,
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"},
        )
        .status_code
    )


def test_the_provider_tells_of_a_bounce_once(texts: None, postmark: None) -> None:
    queue()
    for _time in range(3):
        assert post(bounce(the_mail())) == 200
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.source, event.status) == ("bounced", "webhook", "5.1.1")
    assert event.email == the_mail()


def test_without_the_secret_nobody_is_believed(texts: None, postmark: None) -> None:
    queue()
    assert post(bounce(the_mail()), secret="hook:guessed") == 400
    assert not DeliveryEvent.objects.exists()


def test_what_is_not_of_our_letters_is_passed_over(texts: None, postmark: None) -> None:
    queue()
    assert post(bounce(the_mail(), Metadata={"letter": "<forged@example.org>"})) == 200
    assert post(bounce(the_mail(), Metadata={})) == 200
    assert post(bounce(the_mail(), RecordType="Open")) == 200
    assert not DeliveryEvent.objects.exists()


def test_what_cannot_be_read_is_refused_and_no_error_of_ours(texts: None, postmark: None) -> None:
    queue()
    assert post(bounce(the_mail(), Metadata=None)) == 400
    assert post(bounce(the_mail(), BouncedAt=["now"])) == 400


def test_only_the_provider_that_sends_for_us_is_listened_to(
    texts: None, postmark: None, settings: Settings
) -> None:
    queue()
    assert post(bounce(the_mail()), address="/hooks/mailgun/") == 404
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token"}
    assert post(bounce(the_mail())) == 404
    settings.EMAIL_BACKEND = "notifications.smtp.EmailBackend"
    assert post(bounce(the_mail())) == 404


def test_a_provider_is_given_the_message_id_along(texts: None) -> None:
    queue()
    mail = the_mail()
    built: Any = delivery.message(mail)
    assert built.metadata == {"letter": mail.message_id}


# What the ticket hears of it


def test_what_became_of_a_letter_stands_on_its_ticket_once(house: House, told: Ticket) -> None:
    house.sweep(after(minutes=1))
    mail = OutgoingEmail.objects.get(about=told.about, kind="escalated")
    heard(mail, DeliveryKind.DELAYED, status="4.4.1")
    heard(mail, DeliveryKind.BOUNCED, status="5.1.1")
    assert deliveries.take_in(now=after(minutes=6)) == 2
    assert deliveries.take_in(now=after(minutes=6)) == 0
    events = Event.objects.filter(ticket=told, kind__startswith="delivery_").order_by("pk")
    assert [(event.kind, event.data["status"]) for event in events] == [
        ("delivery_delayed", "4.4.1"),
        ("delivery_failed", "5.1.1"),
    ]
    review_at = Ticket.objects.get(pk=told.pk).review_at
    assert review_at is not None
    assert review_at <= after(minutes=6)


def test_a_notice_to_staff_that_bounced_is_nothing_on_the_ticket(
    house: House, told: Ticket
) -> None:
    heard(OutgoingEmail.objects.filter(kind="staff_offer").latest("pk"), DeliveryKind.BOUNCED)
    assert deliveries.take_in(now=after(minutes=6)) == 1
    assert not Event.objects.filter(kind="delivery_failed").exists()


def test_that_a_letter_arrived_is_no_line_unless_one_had_not(house: House, told: Ticket) -> None:
    mail = OutgoingEmail.objects.get(about=told.about, kind="escalated")
    heard(mail, DeliveryKind.DELIVERED)
    deliveries.take_in(now=after(minutes=6))
    assert not Event.objects.filter(kind="delivery_succeeded").exists()


def test_mail_about_nothing_or_about_a_ticket_that_is_gone_is_taken_in_too(texts: None) -> None:
    [mail] = queue()
    heard(mail, DeliveryKind.BOUNCED)
    [other] = queue(letter("other", about="", message_id="<x@brightquay.example>"))
    heard(other, DeliveryKind.BOUNCED)
    assert deliveries.take_in(now=NOW) == 2
    assert not DeliveryEvent.objects.filter(taken_at__isnull=True).exists()


def heard(mail: OutgoingEmail, kind: DeliveryKind, *, status: str = "") -> None:
    receipts.record(
        mail=mail,
        kind=kind,
        source=DeliverySource.WEBHOOK,
        key=f"test:{mail.pk}:{kind}",
        at=after(minutes=5),
        status=status,
    )
