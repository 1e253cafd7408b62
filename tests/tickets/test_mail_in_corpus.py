"""Every mail of the corpus through the door: none is lost, none stops another."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mail import FOLDER, NAMES, mail
from tickets.inbound.ingest import ingest
from tickets.models import InboundEmail, Message, Ticket

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OUTCOMES = {"created", "appended", "duplicate", "ignored", "suspended", "quarantined"}

#: What is not a mail, or more than we read.
QUARANTINED = {
    "empty",
    "header_without_end",
    "huge_header",
    "jpeg_not_a_mail",
    "nested_1500_multiparts",
    "nested_30_multiparts",
    "only_blank_lines",
    "random_bytes",
}
SUSPENDED = {
    "bare_header_only",
    "from_parsed_two_ways",
    "from_without_domain",
    "no_from",
    "sign_up_mail_to_a_ticket",
    "sign_up_mail_to_support",
    "two_addresses_in_from",
    "two_from_fields",
}
#: Automatic, and here without the ticket they belong to.
IGNORED = {
    "auto_reply_to_ticket",
    "auto_reply_without_ticket",
    "bounce_of_our_letter",
    "bounce_of_somebody_elses_letter",
    "from_our_own_address",
    "loop_of_our_own_mail",
    "loop_through_another_helpdesk",
    "newsletter",
    "null_return_path",
}
#: The words that must be readable in the end.
TEXTS = {
    "answer_top": "It is still broken.",
    "bad_charset": "Grüße aus Köln",
    "boundary_never_appears": "Only this text.",
    "content_type_is_nonsense": "Still text.",
    "crlf_line_ends": "First line\n\tindented line",
    "date_in_the_future": "From the future.",
    "forwarded_mail_inside": "See the mail within.",
    "german_latin1": "Die Rückerstattung über 40 € fehlt.",
    "html_and_text": "The plain words.",
    "html_nested_tags": "deep words",
    "missing_boundary": "There is no boundary.",
    "nested_8_multiparts": "Not so deep.",
    "nul_bytes": "ABC",
    "python_codec_as_charset": "Plain words.",
    "rfc2231_mess": "Odd name.",
    "right_to_left_name": "\u05e9\u05dc\u05d5\u05dd",
    "truncated_base64": "The log is attached",
    "wrong_charset": "Die Überweisung für März ist nicht angekommen, schöne Grüße.",
    "zip_bomb": "Open it.",
}

#: Those that somebody means harm with, and what they attack.
HOSTILE = {
    "address_in_display_name": "who it is from: another address as a name",
    "boundary_never_appears": "the reader: parts that never begin",
    "broken_encoded_words": "the reader: words that cannot be decoded",
    "content_type_is_nonsense": "the reader: no type at all",
    "date_in_the_future": "the clocks: sent in 2199",
    "forged_authentication_results": "who it is from: a verdict of the sender's own",
    "forged_message_id_chain": "another's ticket: a made-up Message-ID of ours",
    "forged_reply_signature": "another's ticket: a made-up signature",
    "from_our_own_address": "the desk itself: a loop",
    "from_parsed_two_ways": "who it is from: a comment that is an address",
    "header_without_end": "the reader: a header that never ends",
    "html_nested_tags": "the sanitiser: tags within tags within tags",
    "html_only_with_script": "agents' browsers: script, trackers, forms, htmx",
    "huge_header": "memory: a header beyond any measure",
    "jpeg_not_a_mail": "the reader: no mail",
    "loop_of_our_own_mail": "the desk itself: our own letter comes back",
    "loop_through_another_helpdesk": "the desk itself: two desks that answer each other",
    "nested_1500_multiparts": "the stack: parts within parts",
    "nested_30_multiparts": "the stack: just beyond the limit",
    "newline_in_subject": "letters' headers: a line of its own",
    "nul_bytes": "the database: what text cannot hold",
    "null_return_path": "the desk as a source of backscatter",
    "path_traversal_names": "the disk: names that climb out",
    "python_codec_as_charset": "the reader: a charset that inflates",
    "random_bytes": "the reader: noise",
    "rfc2231_mess": "the reader: a name in pieces that do not fit",
    "right_to_left_name": "agents' eyes: text that reads backwards",
    "same_message_id_two": "another's mail: its Message-ID, to be taken for a duplicate",
    "sign_up_mail_to_a_ticket": "accounts elsewhere: a code sent to the support address",
    "sign_up_mail_to_support": "accounts elsewhere: a code sent to the support address",
    "spoofed_sender": "another's ticket: in the customer's name",
    "stranger_with_the_reply_address": "another's ticket: by an address that leaked",
    "thousand_recipients": "the database: a thousand contacts",
    "three_hundred_parts": "memory and disk: parts without end",
    "ticket_number_in_subject": "another's ticket: by its number",
    "two_addresses_in_from": "who it is from: two at once",
    "two_from_fields": "who it is from: two fields",
    "two_tickets_addressed": "another's ticket: two signatures at once",
    "zip_bomb": "the disk: a small file that is a large one",
}


def expected(name: str) -> str:
    for outcome, names in (
        ("quarantined", QUARANTINED),
        ("suspended", SUSPENDED),
        ("ignored", IGNORED),
    ):
        if name in names:
            return outcome
    return "created"


@pytest.mark.parametrize("name", NAMES)
def test_each_mail_has_its_outcome_and_is_kept_byte_for_byte(name: str) -> None:
    outcome = ingest(raw=mail(name), source=name, now=NOW)

    kept = InboundEmail.objects.get(pk=outcome.inbound_id)
    assert outcome.outcome == expected(name), outcome.reason
    assert bytes(kept.raw) == mail(name)
    assert bytes(kept.sha256) == hashlib.sha256(mail(name)).digest()
    assert kept.received_at == NOW
    assert (kept.message is not None) == (outcome.outcome == "created")
    if name in TEXTS:
        assert kept.message is not None
        assert kept.message.text == TEXTS[name]


def test_what_was_left_out_is_said() -> None:
    parts = ingest(raw=mail("three_hundred_parts"), source="test", now=NOW)
    people = ingest(raw=mail("thousand_recipients"), source="test", now=NOW)

    assert "first 100 parts" in parts.reason
    assert "first 200 recipients" in people.reason


def test_no_control_character_reaches_a_name_or_a_subject() -> None:
    for name in ("newline_in_subject", "right_to_left_name", "nul_bytes", "broken_encoded_words"):
        ingest(raw=mail(name), source=name, now=NOW)

    shown = [ticket.subject + ticket.requester.name for ticket in Ticket.objects.all()]
    assert len(shown) == 4
    assert not [text for text in shown if set(text) & set("\r\n\0\u202e\u200f")]


def test_a_whole_folder_goes_through_the_command_and_nothing_stops_it() -> None:
    said = StringIO()

    call_command("ingest_email", str(FOLDER), "--mailbox", "support", stdout=said)

    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    mails = [line for line in lines if line["source"].endswith(".eml")]
    assert [Path(line["source"]).stem for line in mails] == list(NAMES)
    assert {Path(line["source"]).stem: line["outcome"] for line in mails} == {
        name: expected(name) for name in NAMES
    }
    assert {frozenset(line) for line in lines} == {
        frozenset({"source", "outcome", "ticket", "reason"})
    }
    assert InboundEmail.objects.count() == len(lines)
    assert Message.objects.count() == len([line for line in lines if line["ticket"]])


def test_more_than_thirty_hostile_mails_are_all_kept_and_the_next_good_one_gets_in(
    tmp_path: Path,
) -> None:
    assert len(HOSTILE) >= 30
    victim = ingest(raw=mail("plain"), source="before", now=NOW)
    attacked = InboundEmail.objects.get(pk=victim.inbound_id).message
    assert attacked is not None
    # With what it takes to reach the ticket: its number, its reply address, a Message-ID of ours.
    raws = {name: mail(name, answers=attacked, and_answers=attacked) for name in HOSTILE}
    for name, raw in raws.items():
        (tmp_path / f"{name}.eml").write_bytes(raw)
    said = StringIO()

    call_command("ingest_email", str(tmp_path), "--mailbox", "support", stdout=said)

    lines = {
        Path(line["source"]).stem: line for line in map(json.loads, said.getvalue().splitlines())
    }
    assert lines.keys() == HOSTILE.keys()
    for name, line in lines.items():
        assert line["outcome"] in OUTCOMES, line
        assert "Reading it failed" not in line["reason"], line
        assert "Error:" not in line["reason"], line
        kept = InboundEmail.objects.get(sha256=hashlib.sha256(raws[name]).digest())
        assert bytes(kept.raw) == raws[name]
        assert (kept.message is not None) == (line["outcome"] in ("created", "appended")), line
    ticket = Ticket.objects.get(pk=attacked.ticket_id)
    assert (ticket.requester_id, ticket.status) == (attacked.contact_id, "new")
    believed = Message.objects.filter(ticket=ticket, sender_verdict="pass")
    assert [message.pk for message in believed if message.pk != attacked.pk] == []
    assert ingest(raw=mail("german_latin1"), source="after", now=NOW).outcome == "created"


FIELDS = st.sampled_from(
    [b"From", b"To", b"Subject", b"Content-Type", b"Message-ID", b"References", b"MIME-Version",
     b"Content-Transfer-Encoding", b"Content-Disposition", b"Authentication-Results", b"\xff"]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"dana@northwind.example", b"=?utf-8?q?=00=0A=FF?= <a@b.example>", b"a@b, <c@d>",
         b"multipart/mixed; boundary=b", b"text/html; charset=utf-16", b"base64", b"x-uuencode",
         b"multipart/report; report-type=delivery-status; boundary=b", b"message/rfc822",
         b"attachment; filename*=utf-8''%00%2F..", b"text/plain; charset=\"\x00\"", b"<a@b>"]
    ),
)  # fmt: skip
BODIES = st.lists(
    st.one_of(
        st.binary(max_size=80),
        st.sampled_from([b"--b\n", b"--b--\n", b"\n\n", b"begin 644 x\n", b"<b>", b"\0", b"=\n"]),
    ),
    max_size=8,
).map(b"".join)
MAILS = st.builds(
    lambda fields, body: b"".join(b"%s: %s\n" % field for field in fields) + b"\n" + body,
    st.lists(st.tuples(FIELDS, VALUES), max_size=8),
    BODIES,
)
#: A mail of the corpus with a piece of it replaced.
DAMAGED = st.builds(
    lambda name, at, length, piece: (
        mail(name)[: at % (len(mail(name)) + 1)]
        + piece
        + mail(name)[at % (len(mail(name)) + 1) + length :]
    ),
    st.sampled_from([name for name in NAMES if len(mail(name)) < 5_000]),
    st.integers(0, 5_000),
    st.integers(0, 40),
    st.binary(max_size=20),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(raw=st.one_of(st.binary(max_size=400), MAILS, DAMAGED))
def test_whatever_the_bytes_are_there_is_an_outcome_and_they_are_kept(raw: bytes) -> None:
    outcome = ingest(raw=raw, source="any", mailbox="any", envelope_from=None, now=NOW)

    assert outcome.outcome in OUTCOMES
    assert bytes(InboundEmail.objects.get(pk=outcome.inbound_id).raw) == raw
    assert "Reading it failed" not in outcome.reason
    assert "Error:" not in outcome.reason
