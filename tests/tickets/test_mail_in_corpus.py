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
