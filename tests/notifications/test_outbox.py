"""The outbox: what is queued, once, and taken back in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications import outbox
from notifications.catalog import UnknownTemplate
from notifications.models import MailState, MailTemplate, OutgoingEmail
from notifications.outbox import UnknownVariable
from notifications.rendering import render
from notifications.templates import load_defaults, write_version
from tests.atonce import at_once
from tests.notifications.letters import ABOUT, NOW, letter

LEASE = timedelta(minutes=2)


@pytest.fixture
def texts(db: None) -> None:
    load_defaults(now=NOW)


def claim(*, minutes: float = 0, limit: int = 20) -> list[OutgoingEmail]:
    return outbox.claim(now=NOW + timedelta(minutes=minutes), limit=limit, lease=LEASE)


def test_a_letter_is_queued_once_however_often_it_is_owed(texts: None) -> None:
    (first,) = outbox.queue(letters=[letter()], now=NOW)
    (again,) = outbox.queue(
        letters=[letter(to_name="Somebody else")], now=NOW + timedelta(minutes=1)
    )

    assert again.pk == first.pk
    assert OutgoingEmail.objects.get().to_name == "Dana Reyes"


def test_rows_come_back_in_the_order_of_their_letters(texts: None) -> None:
    outbox.queue(letters=[letter("b")], now=NOW)

    rows = outbox.queue(letters=[letter("c"), letter("b"), letter("a"), letter("c")], now=NOW)

    assert [row.dedupe_key for row in rows] == ["c", "b", "a", "c"]
    assert OutgoingEmail.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_who_queue_the_same_letter_at_once_queue_it_once() -> None:
    load_defaults(now=NOW)

    def queue() -> int:
        return outbox.queue(letters=[letter()], now=NOW)[0].pk

    found = set(at_once(queue, queue))

    assert found == {OutgoingEmail.objects.get().pk}


def test_a_letter_goes_with_the_transaction_of_its_cause(texts: None) -> None:
    with transaction.atomic():
        outbox.queue(letters=[letter()], now=NOW)
        transaction.set_rollback(True)

    assert not OutgoingEmail.objects.exists()


def test_many_letters_cost_as_few_queries_as_some(texts: None) -> None:
    def cost(*keys: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            outbox.queue(letters=[letter(key) for key in keys], now=NOW)
        return len(asked)

    assert cost(*"abcd") == cost(*(f"many:{number}" for number in range(50)))
    assert cost("one") < cost(*(f"more:{number}" for number in range(50)))


def test_a_letter_that_says_what_its_kind_does_not_know_is_refused(texts: None) -> None:
    with pytest.raises(UnknownVariable, match="secret"):
        outbox.queue(letters=[letter(variables={"secret": "x"})], now=NOW)
    with pytest.raises(UnknownTemplate):
        outbox.queue(letters=[letter(template="nothing")], now=NOW)

    assert not OutgoingEmail.objects.exists()


def test_two_letters_never_share_a_message_id(texts: None) -> None:
    outbox.queue(letters=[letter("a", message_id="<1@brightquay.example>")], now=NOW)

    with pytest.raises(ValueError, match="Message-ID"), transaction.atomic():
        outbox.queue(letters=[letter("b", message_id="<1@brightquay.example>")], now=NOW)


def test_nobody_claims_a_letter_before_its_time(texts: None) -> None:
    outbox.queue(letters=[letter(not_before=NOW + timedelta(seconds=10))], now=NOW)

    assert claim() == []
    assert claim(minutes=9 / 60) == []
    assert [mail.dedupe_key for mail in claim(minutes=10 / 60)] == ["escalated:1"]


def test_the_letter_that_has_waited_longest_is_claimed_first(texts: None) -> None:
    outbox.queue(letters=[letter("new")], now=NOW + timedelta(minutes=1))
    outbox.queue(letters=[letter("old")], now=NOW)

    assert [mail.dedupe_key for mail in claim(minutes=2)] == ["old", "new"]


def test_a_claimed_letter_is_one_workers_alone(texts: None) -> None:
    outbox.queue(letters=[letter(f"l:{number}") for number in range(3)], now=NOW)

    first, second = claim(limit=2), claim(limit=2)

    assert len(first) == 2
    assert len(second) == 1
    assert claim() == []
    assert {mail.state for mail in (*first, *second)} == {MailState.SENDING}
    assert first[0].lease_token != second[0].lease_token


@pytest.mark.django_db(transaction=True)
def test_workers_who_claim_at_once_share_the_letters_between_them() -> None:
    load_defaults(now=NOW)
    outbox.queue(letters=[letter(f"l:{number}") for number in range(40)], now=NOW)

    def work() -> list[int]:
        found: list[int] = []
        while mails := claim(limit=3):
            found += [mail.pk for mail in mails]
        return found

    claimed = [pk for found in at_once(*[work] * 4) for pk in found]

    assert len(claimed) == 40
    assert len(set(claimed)) == 40


def test_what_is_no_longer_true_is_taken_back(texts: None) -> None:
    outbox.queue(
        letters=[
            letter("true"),
            letter("escalated:1"),
            letter("waiting", not_before=NOW + timedelta(hours=1)),
            letter("other", about="ticket:7"),
        ],
        now=NOW,
    )
    OutgoingEmail.objects.filter(dedupe_key="true").update(kind="received")

    assert outbox.withdraw(about=ABOUT, kinds=["escalated"], now=NOW) == 2

    states = dict(OutgoingEmail.objects.values_list("dedupe_key", "state"))
    assert states == {
        "true": MailState.QUEUED,
        "escalated:1": MailState.WITHDRAWN,
        "waiting": MailState.WITHDRAWN,
        "other": MailState.QUEUED,
    }
    assert {mail.dedupe_key for mail in claim(minutes=120)} == {"true", "other"}


def test_a_letter_somebody_has_claimed_and_not_begun_is_taken_back_too(texts: None) -> None:
    outbox.queue(letters=[letter()], now=NOW)
    claim()

    assert outbox.withdraw(about=ABOUT, now=NOW) == 1
    assert OutgoingEmail.objects.get().state == MailState.WITHDRAWN


def test_what_has_begun_to_go_out_cannot_be_taken_back(texts: None) -> None:
    outbox.queue(letters=[letter()], now=NOW)
    claim()
    OutgoingEmail.objects.update(begun_at=NOW)

    assert outbox.withdraw(about=ABOUT, now=NOW) == 0
    assert OutgoingEmail.objects.get().state == MailState.SENDING


def test_an_uncertain_letter_that_is_no_longer_true_is_not_repeated(texts: None) -> None:
    outbox.queue(letters=[letter()], now=NOW)
    OutgoingEmail.objects.update(state=MailState.UNCERTAIN, leases_lost=1, next_attempt_at=NOW)

    assert outbox.withdraw(about=ABOUT, now=NOW) == 0

    assert OutgoingEmail.objects.get().state == MailState.UNCERTAIN
    assert claim(minutes=60) == []


def test_a_letter_keeps_the_text_that_was_in_force_when_it_was_decided(texts: None) -> None:
    (mail,) = outbox.queue(letters=[letter()], now=NOW)
    template = MailTemplate.objects.get(key="escalated", language="en")
    write_version(of=template, subject="Changed {ref}", text="Changed.", by=None, now=NOW)

    assert render(mail=OutgoingEmail.objects.get(pk=mail.pk)).subject.startswith(
        "[HD-1042] With Tier 2"
    )
    (later,) = outbox.queue(letters=[letter("escalated:2")], now=NOW)
    assert render(mail=later).subject == "Changed HD-1042"


def test_a_long_conversation_keeps_its_first_message_and_the_newest(texts: None) -> None:
    chain = tuple(f"<{number}@norvik.example>" for number in range(40))

    (mail,) = outbox.queue(letters=[letter(references=chain, in_reply_to=chain[-1])], now=NOW)

    references = mail.headers["References"].split()
    assert references == [chain[0], *chain[-9:]]
    assert mail.headers["In-Reply-To"] == chain[-1]
