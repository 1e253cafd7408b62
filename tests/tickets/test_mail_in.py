"""What becomes of a mail: on which ticket it lands, in whose name, and what is held back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from notifications.identity import reply_address
from staff.models import Calendar
from tests.mail import mail, tokens_of
from tickets.inbound.ingest import Outcome, ingest, release
from tickets.models import (
    Attachment,
    Contact,
    InboundEmail,
    Message,
    Organization,
    OrganizationDomain,
    Plan,
    Ticket,
)
from tickets.models.ticket import Status

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
DANA = "dana@northwind.example"


def take(raw: bytes, *, envelope_from: str | None = None, now: datetime = NOW) -> Outcome:
    return ingest(raw=raw, source="test", mailbox="support", envelope_from=envelope_from, now=now)


def message_of(outcome: Outcome) -> Message:
    found = InboundEmail.objects.get(pk=outcome.inbound_id).message
    assert found is not None
    return found


@pytest.fixture
def asked() -> Message:
    """What Dana asked first; her ticket hangs on it."""
    return message_of(take(mail("plain")))


@pytest.fixture
def northwind() -> Organization:
    calendar = Calendar.objects.create(slug="office", name="Office")
    plan = Plan.objects.create(slug="gold", name="Gold", calendar=calendar)
    organization = Organization.objects.create(
        name="Northwind", customer_id="C-1", plan=plan, zone="Europe/Berlin"
    )
    OrganizationDomain.objects.create(organization=organization, domain="northwind.example")
    return organization


def test_a_mail_from_somebody_new_opens_a_ticket_in_their_name() -> None:
    outcome = take(mail("plain"))

    message = message_of(outcome)
    assert outcome.outcome == "created"
    assert outcome.ticket == message.ticket.reference
    assert message.ticket.subject == "Invoices fail"
    assert message.text == "Hello,\n\nPOST /v2/invoices returns 502 since 08:40.\n\nDana"
    assert message.contact is not None
    assert (message.contact.name, message.contact.email) == ("Dana Ruiz", DANA)
    assert message.ticket.requester == message.contact


def test_somebody_new_at_an_organizations_domain_joins_it(northwind: Organization) -> None:
    contact = message_of(take(mail("german_latin1"))).contact

    assert contact is not None
    assert contact.organization == northwind
    assert (contact.zone, contact.language) == ("Europe/Berlin", "de")


def test_a_free_mail_domain_joins_nobody_to_an_organization(northwind: Organization) -> None:
    OrganizationDomain.objects.create(organization=northwind, domain="gmail.com")

    contact = message_of(take(mail("plain").replace(b"northwind.example", b"gmail.com"))).contact

    assert contact is not None
    assert contact.organization is None


def test_a_known_contact_is_found_in_any_case() -> None:
    known = Contact.objects.create(email="Dana@Northwind.example", created_at=NOW)

    assert message_of(take(mail("plain"))).contact == known


def test_an_answer_to_the_signed_address_is_appended_and_its_quotation_folded(
    asked: Message,
) -> None:
    outcome = take(mail("answer_top", answers=asked))

    message = message_of(outcome)
    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert message.text == "It is still broken."
    assert message.quoted.startswith("On Tue, 24 Nov 2026")
    assert "> Could you send the transaction?" in message.quoted
    assert not message.unverified


def test_an_answer_is_found_by_the_message_id_of_our_letter(asked: Message) -> None:
    outcome = take(mail("answer_by_references", answers=asked))

    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert message_of(outcome).text == "Noch immer."


def test_an_answer_below_or_between_the_quoted_lines_is_shown(asked: Message) -> None:
    below = message_of(take(mail("answer_below_quote", answers=asked)))
    between = message_of(take(mail("answer_between_quotes", answers=asked)))

    assert below.text == "It is TX-4711."
    assert "> Which transaction?\nTX-4711\n> Since when?\nMonday" in between.text


@pytest.mark.parametrize(
    "name", ["forged_reply_signature", "forged_message_id_chain", "ticket_number_in_subject"]
)
def test_a_forged_signature_or_a_number_in_the_subject_never_appends(
    asked: Message, name: str
) -> None:
    outcome = take(mail(name, answers=asked))

    assert outcome.outcome == "created"
    assert outcome.ticket_id != asked.ticket_id
    assert asked.ticket.messages.count() == 1


def test_a_stranger_with_the_reply_address_waits_for_an_agent(asked: Message) -> None:
    outcome = take(mail("stranger_with_the_reply_address", answers=asked))

    message = message_of(outcome)
    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert message.unverified
    assert message.internal
    assert "agent has to accept" in outcome.reason


def test_a_stranger_at_an_ended_ticket_gets_a_ticket_of_their_own(asked: Message) -> None:
    Ticket.objects.filter(pk=asked.ticket_id).update(
        status=Status.CLOSED, outcome="Done.", resolved_at=NOW, closed_at=NOW
    )

    outcome = take(mail("stranger_with_the_reply_address", answers=asked), now=LATER)

    ticket = message_of(outcome).ticket
    assert outcome.outcome == "created"
    assert ticket.requester.email == "mallory@fabrikam.example"
    assert ticket.continues is None


def test_the_escalation_contact_of_the_organization_may_write_at_once(
    northwind: Organization,
) -> None:
    asked = message_of(take(mail("plain")))
    boss = Contact.objects.create(
        email="boss@northwind.example",
        organization=northwind,
        is_escalation_contact=True,
        created_at=NOW,
    )
    raw = mail("answer_top", answers=asked).replace(DANA.encode(), boss.email.encode())

    outcome = take(raw)

    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert not message_of(outcome).unverified


def test_a_colleague_who_was_only_copied_waits_for_an_agent(northwind: Organization) -> None:
    asked = message_of(take(mail("plain")))
    raw = mail("answer_top", answers=asked).replace(DANA.encode(), b"kim@northwind.example")

    assert message_of(take(raw)).unverified


def test_a_late_answer_to_a_closed_ticket_opens_a_linked_one(asked: Message) -> None:
    Ticket.objects.filter(pk=asked.ticket_id).update(
        status=Status.CLOSED, outcome="Done.", resolved_at=NOW, closed_at=NOW, reopen_until=NOW
    )

    outcome = take(mail("answer_top", answers=asked), now=LATER)

    assert outcome.outcome == "created"
    assert message_of(outcome).ticket.continues_id == asked.ticket_id


def test_an_answer_to_a_ticket_that_is_no_more_opens_a_new_one(asked: Message) -> None:
    raw = mail("answer_top", answers=asked).replace(
        tokens_of(asked)["REPLY"].encode(),
        reply_address(ticket_number=999_999_999, contact_id=1).encode(),
    )

    assert take(raw).outcome == "created"


def test_a_mail_to_two_tickets_at_once_is_quarantined(asked: Message) -> None:
    other = message_of(take(mail("no_message_id")))

    outcome = take(mail("two_tickets_addressed", answers=asked, and_answers=other))

    assert (outcome.outcome, outcome.ticket) == ("quarantined", None)
    assert "more than one ticket" in outcome.reason


def test_an_auto_reply_is_filed_on_its_ticket_as_automatic(asked: Message) -> None:
    outcome = take(mail("auto_reply_to_ticket", answers=asked))

    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert message_of(outcome).automatic


def test_another_helpdesks_receipt_is_filed_as_automatic_and_not_public(asked: Message) -> None:
    message = message_of(take(mail("loop_through_another_helpdesk", answers=asked)))

    assert (message.automatic, message.internal) == (True, True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("auto_reply_without_ticket", "out-of-office"),
        ("newsletter", "Precedence: bulk"),
        ("null_return_path", "empty envelope sender"),
        ("bounce_of_somebody_elses_letter", "Automatic"),
        ("from_our_own_address", "our own"),
    ],
)
def test_automatic_mail_without_a_ticket_opens_none(name: str, reason: str) -> None:
    outcome = take(mail(name))

    assert (outcome.outcome, outcome.ticket) == ("ignored", None)
    assert reason in outcome.reason
    assert not Ticket.objects.exists()
    assert not Contact.objects.exists()


def test_a_null_envelope_sender_is_automatic() -> None:
    assert take(mail("plain"), envelope_from="").outcome == "ignored"


def test_our_own_letter_that_comes_back_is_ignored(asked: Message) -> None:
    outcome = take(mail("loop_of_our_own_mail", answers=asked))

    assert outcome.outcome == "ignored"
    assert asked.ticket.messages.count() == 1


def test_a_bounce_of_our_letter_stands_on_its_ticket_and_is_not_public(asked: Message) -> None:
    outcome = take(mail("bounce_of_our_letter", answers=asked))

    message = message_of(outcome)
    assert (outcome.outcome, outcome.ticket_id) == ("appended", asked.ticket_id)
    assert (message.automatic, message.internal) == (True, True)
    assert "failed 5.1.1 dana@northwind.example" in outcome.reason
    assert not Contact.objects.filter(email__istartswith="mailer-daemon").exists()


@override_settings(HELPDESK_AUTHSERV_ID="mx.brightquay.example")
def test_a_forged_sender_is_suspended_and_can_be_released(asked: Message) -> None:
    outcome = take(mail("spoofed_sender", answers=asked))
    assert (outcome.outcome, outcome.ticket) == ("suspended", None)
    assert asked.ticket.messages.count() == 1

    released = release(inbound_id=outcome.inbound_id, now=LATER)

    assert (released.outcome, released.ticket_id) == ("appended", asked.ticket_id)
    assert message_of(released).sender_verdict == "fail"


@override_settings(HELPDESK_AUTHSERV_ID="mx.brightquay.example")
def test_only_our_own_servers_top_most_result_counts() -> None:
    assert message_of(take(mail("verified_sender"))).sender_verdict == "pass"
    assert message_of(take(mail("forged_authentication_results"))).sender_verdict == "none"


@override_settings(HELPDESK_AUTHSERV_ID="")
def test_without_a_server_of_our_own_no_result_is_believed(asked: Message) -> None:
    message = message_of(take(mail("spoofed_sender", answers=asked)))

    assert message.sender_verdict == "none"


@pytest.mark.parametrize(
    "name",
    ["no_from", "two_from_fields", "two_addresses_in_from", "from_parsed_two_ways",
     "from_without_domain", "bare_header_only"],
)  # fmt: skip
def test_a_mail_from_nobody_in_particular_is_suspended_and_stays_so(name: str) -> None:
    outcome = take(mail(name))

    assert (outcome.outcome, outcome.ticket) == ("suspended", None)
    assert release(inbound_id=outcome.inbound_id, now=LATER).outcome == "suspended"


@pytest.mark.parametrize("name", ["sign_up_mail_to_a_ticket", "sign_up_mail_to_support"])
def test_a_sign_up_mail_is_held_where_no_customer_sees_it(asked: Message, name: str) -> None:
    outcome = take(mail(name, answers=asked))

    assert (outcome.outcome, outcome.ticket) == ("suspended", None)
    assert asked.ticket.messages.count() == 1


def test_the_same_mail_again_is_a_duplicate() -> None:
    first, second = take(mail("plain")), take(mail("plain"), now=LATER)

    assert (second.outcome, second.ticket) == ("duplicate", first.ticket)
    assert InboundEmail.objects.count() == Message.objects.count() == 1


def test_other_content_under_one_message_id_is_kept_apart_and_marked() -> None:
    one, two = take(mail("same_message_id_one")), take(mail("same_message_id_two"))

    assert (one.outcome, two.outcome) == ("created", "created")
    assert one.ticket != two.ticket
    assert "Another mail has this Message-ID" in two.reason
    assert InboundEmail.objects.filter(same_id_as_another=True).count() == 2


def test_attachments_are_kept_under_names_of_our_own() -> None:
    message = message_of(take(mail("with_attachments")))

    log, picture = message.attachments.all()
    assert (log.name, picture.name) == ("server.log", "Bildschirm für Dana.png")
    assert picture.content_id == "shot@northwind"
    assert picture.file.read().startswith(b"\x89PNG")
    assert "Bildschirm" not in str(picture.file.name)


def test_names_that_lead_elsewhere_are_inert() -> None:
    message = message_of(take(mail("path_traversal_names")))

    names = [attachment.name for attachment in message.attachments.all()]
    assert names[:4] == ["passwd", "evil.dll", "olute.sh", "attachment-4"]
    assert names[4].endswith(".txt")
    assert len(names[4]) <= 150
    assert not [name for name in names if set(name) & set('/\\<>\n\0"')]
    assert not [each for each in Attachment.objects.all() if ".." in str(each.file.name)]


def test_a_mail_without_text_or_subject_says_so() -> None:
    message = message_of(take(mail("no_subject_no_text")))

    assert message.ticket.subject == "(no subject)"
    assert message.text == "(no text)"
