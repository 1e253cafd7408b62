"""A request that is sent again has one effect, however often and however much at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from desk.api import idempotency
from desk.models import IdempotentRequest
from tests.api.programs import Answer, Program
from tests.house import House
from tickets.models import Contact, Event, Ticket

ASKED = {
    "requester": {"email": "dana@norvik.example"},
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10.",
}
KEY = {"Idempotency-Key": "order 66"}


@pytest.mark.django_db
def test_the_same_request_is_answered_again_and_not_done_again(anna: Program) -> None:
    first = anna.post("/tickets/", ASKED, headers=KEY)
    again = anna.post("/tickets/", ASKED, headers=KEY)

    assert (first.status, again.status) == (201, 201)
    assert first.raw == again.raw
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Ticket.objects.count() == 1


@pytest.mark.django_db
def test_another_request_under_the_key_is_refused(anna: Program, house: House) -> None:
    anna.post("/tickets/", ASKED, headers=KEY)

    for answer in (
        anna.post("/tickets/", {**ASKED, "text": "Something else."}, headers=KEY),
        anna.post("/contacts/", {"email": "new@norvik.example"}, headers=KEY),
    ):
        assert (answer.status, answer.slug) == (422, "key-reused")
    assert Ticket.objects.count() == 1
    assert Program(house.ben).post("/tickets/", ASKED, headers=KEY).status == 201, "another's key"


@pytest.mark.django_db
def test_what_was_refused_may_be_sent_again_under_its_key(anna: Program) -> None:
    wrong = anna.post("/contacts/", {"email": "dana@norvik.example"}, headers=KEY)
    assert wrong.status == 422
    Contact.objects.filter(email="dana@norvik.example").update(email="other@norvik.example")

    assert anna.post("/contacts/", {"email": "dana@norvik.example"}, headers=KEY).status == 201


@pytest.mark.django_db
def test_a_change_is_made_once(anna: Program, house: House) -> None:
    ticket = house.ticket()
    change = {"version": ticket.version, "tags": ["vip"]}

    first, again = (
        anna.patch(f"/tickets/{ticket.reference}/", change, headers=KEY) for _ in range(2)
    )

    assert (first.status, again.status) == (200, 200), "the second would be stale"
    assert Event.objects.filter(ticket=ticket, kind="labelled").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ü"])
def test_a_key_has_to_be_short_and_printable(anna: Program, key: str) -> None:
    answer = anna.post("/tickets/", ASKED, headers={"Idempotency-Key": key})

    assert (answer.status, answer.faults) == (400, {"Idempotency-Key": "invalid"})


@pytest.mark.django_db
def test_a_key_is_forgotten_after_a_day(anna: Program) -> None:
    anna.post("/tickets/", ASKED, headers=KEY)
    now = timezone.now()
    assert idempotency.purge(now=now + timedelta(hours=23)) == 0

    IdempotentRequest.objects.update(created_at=now - timedelta(hours=25))
    again = anna.post("/tickets/", {**ASKED, "text": "Another day."}, headers=KEY)
    assert again.status == 201, "as if it were new, also before it is thrown away"
    assert idempotency.purge(now=now + timedelta(hours=25)) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_have_one_effect(house: House) -> None:
    program = Program(house.anna)
    start = Barrier(20)

    def send(_number: int) -> Answer:
        start.wait()
        try:
            return Program.with_token(program.raw).post("/tickets/", ASKED, headers=KEY)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert Counter(answer.status for answer in answers) == {201: 20}
    assert len({answer.raw for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 19
    assert Ticket.objects.count() == 1
    assert Event.objects.filter(kind="ticket_opened").count() == 1
