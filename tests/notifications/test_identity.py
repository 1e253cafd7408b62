from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from notifications import identity

NUMBERS = st.integers(min_value=1, max_value=10**12)


@pytest.fixture(autouse=True)
def mail_names(settings: Settings) -> None:
    settings.HELPDESK_MAIL_KEYS = [("k1", "a secret of the tests")]
    settings.HELPDESK_MAIL_DOMAIN = "help.example"
    settings.HELPDESK_REPLY_LOCALPART = "reply"
    settings.HELPDESK_BASE_URL = "https://help.example"


def _with_one_character_changed(token: str, position: int) -> str:
    other = "b" if token[position] != "b" else "c"
    return token[:position] + other + token[position + 1 :]


@given(number=NUMBERS)
def test_a_message_id_of_ours_tells_what_it_was_about(number: int) -> None:
    written = identity.message_id(about=f"ticket:{number}", seed="escalated:1")
    assert written.startswith("<")
    assert written.endswith("@help.example>")
    assert identity.read_message_id(written) == f"ticket:{number}"
    assert identity.read_message_id(written.strip("<>").upper()) == f"ticket:{number}"


def test_a_message_id_is_stable_for_one_letter_and_differs_between_two() -> None:
    first = identity.message_id(about="ticket:17", seed="escalated:1")
    assert first == identity.message_id(about="ticket:17", seed="escalated:1")
    assert first != identity.message_id(about="ticket:17", seed="escalated:2")
    assert len(first) < 120


def test_a_letter_about_nothing_has_a_message_id_of_ours_too() -> None:
    assert identity.read_message_id(identity.message_id(about="", seed="test")) == ""


@pytest.mark.parametrize(
    "about", ["ticket:0", "ticket:017", "Ticket:1", "ticket 1", "ticket:1\r\nBcc: a@b.example"]
)
def test_a_message_id_is_refused_for_anything_but_a_kind_and_a_number(about: str) -> None:
    with pytest.raises(ValueError, match="about"):
        identity.message_id(about=about, seed="x")


@given(number=NUMBERS, contact=NUMBERS)
def test_a_reply_address_of_ours_tells_ticket_and_contact(number: int, contact: int) -> None:
    address = identity.reply_address(ticket_number=number, contact_id=contact)
    assert len(address.split("@")[0]) <= 64
    assert identity.read_reply_address(address) == (number, contact)
    assert identity.read_reply_address(address.upper()) == (number, contact)


@given(position=st.integers(min_value=0, max_value=51))
def test_a_reply_address_with_any_character_changed_proves_nothing(position: int) -> None:
    address = identity.reply_address(ticket_number=1042, contact_id=7)
    local_part = address.split("@")[0]
    forged = _with_one_character_changed(local_part, position % len(local_part))
    assert identity.read_reply_address(f"{forged}@help.example") is None


@given(text=st.text(max_size=200))
def test_no_text_makes_a_reader_fail(text: str) -> None:
    assert identity.read_message_id(text) is None
    assert identity.read_reply_address(text) is None
    assert identity.read_status_token(text) is None


def test_another_tickets_or_contacts_signature_does_not_pass() -> None:
    mine = identity.reply_address(ticket_number=1042, contact_id=7)
    assert identity.read_reply_address(mine.replace("1042.7", "1043.7")) is None
    assert identity.read_reply_address(mine.replace("1042.7", "1042.8")) is None


def test_a_signature_for_one_purpose_does_not_pass_for_another() -> None:
    token = identity.status_token(1042)
    signature = token.rpartition("-")[2][:16]
    assert identity.read_reply_address(f"reply+1042.7.k1-{signature}@help.example") is None
    assert identity.read_message_id(f"<{'a' * 16}.ticket-1042.k1-{signature}@x.example>") is None


def test_what_an_older_key_signed_is_believed_until_that_key_is_gone(
    settings: Settings,
) -> None:
    address = identity.reply_address(ticket_number=1042, contact_id=7)
    letter = identity.message_id(about="ticket:1042", seed="x")
    status = identity.status_token(1042)

    settings.HELPDESK_MAIL_KEYS = [("k2", "a newer secret"), ("k1", "a secret of the tests")]
    assert identity.read_reply_address(address) == (1042, 7)
    assert identity.read_message_id(letter) == "ticket:1042"
    assert identity.read_status_token(status) == 1042
    assert ".k2-" in identity.status_token(1042)

    settings.HELPDESK_MAIL_KEYS = [("k2", "a newer secret")]
    assert identity.read_reply_address(address) is None
    assert identity.read_message_id(letter) is None
    assert identity.read_status_token(status) is None


def test_a_status_link_opens_only_its_own_ticket() -> None:
    link = identity.status_url(1042)
    assert link.startswith("https://help.example/s/1042.k1-")
    token = link.rstrip("/").rpartition("/")[2]
    assert identity.read_status_token(token) == 1042
    assert identity.read_status_token(token.replace("1042", "1043")) is None


def test_a_missing_key_is_said_plainly(settings: Settings) -> None:
    settings.HELPDESK_MAIL_KEYS = []
    with pytest.raises(ValueError, match="HELPDESK_MAIL_KEYS"):
        identity.status_token(1)
