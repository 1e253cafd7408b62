"""Tickets over the API: opened."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.programs import Program, queries
from tests.house import House
from tickets.inbound.reader import limits
from tickets.models import Attachment, Contact, Detail, Event, Ticket

pytestmark = pytest.mark.django_db

ASKED: dict[str, Any] = {
    "requester": {"email": "dana@norvik.example"},
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10. Our key is key_4f2a91.",
}
FILE = {"name": "../calls.log", "content_type": "text/plain", "data": "NTAyIDUwMg=="}


def test_a_program_opens_a_ticket_for_a_customer(house: House, anna: Program) -> None:
    answer = anna.post(
        "/tickets/",
        {
            **ASKED,
            "customer_reference": "INC-88",
            "tags": ["invoices", "vip", "vip"],
            "details": {"region": "eu-west"},
            "attachments": [FILE],
        },
    )

    assert answer.status == 201, answer
    ticket = Ticket.objects.get()
    assert answer.headers["Location"] == f"/api/v1/tickets/{ticket.reference}/"
    assert answer.body == anna.get(answer.headers["Location"]).body
    assert answer.body["requester"]["id"] == house.dana.pk
    assert answer.body["category"] == "api", "told by the words, as with a mail"
    assert answer.body["team"]["slug"] == "emea"
    assert answer.body["tags"] == ["invoices", "vip"]
    assert (ticket.channel, ticket.customer_reference) == ("api", "INC-88")
    assert dict(Detail.objects.filter(ticket=ticket).values_list("key", "value")) == {
        "key-id": "key_4f2a91",
        "region": "eu-west",
    }
    [kept] = Attachment.objects.filter(message__ticket=ticket)
    assert (kept.name, kept.file.read()) == ("calls.log", b"502 502")
    [opened] = Event.objects.filter(ticket=ticket, kind="ticket_opened")
    assert (opened.user, opened.contact) == (house.anna, house.dana), "who answers for it"


def test_who_is_not_known_becomes_a_contact(house: House, anna: Program) -> None:
    for email, organization in (("ola@norvik.example", house.norvik), ("ola@gmail.com", None)):
        answer = anna.post(
            "/tickets/", {**ASKED, "requester": {"email": email, "name": "Ola Berg"}}
        )
        assert answer.status == 201, answer
        contact = Contact.objects.get(email=email)
        assert (contact.name, contact.organization) == ("Ola Berg", organization)


def test_who_is_known_by_an_id_or_an_address_stays_as_they_are(house: House, anna: Program) -> None:
    for requester in (
        {"id": house.dana.pk},
        {"email": "DANA@norvik.example", "name": "Somebody Else"},
    ):
        answer = anna.post("/tickets/", {**ASKED, "requester": requester})
        assert (answer.status, answer.body["requester"]["name"]) == (201, "Dana Reyes")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"requester": {}}, "requester"),
        ({"requester": {"id": 1, "email": "a@b.example"}}, "requester"),
        ({"requester": {"id": 999_999}}, "requester.id"),
        ({"requester": {"email": "nobody"}}, "requester.email"),
        ({"category": "nothing"}, "category"),
        ({"subject": "  \n "}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"text": "x" * 50_001}, "text"),
        ({"details": {"a b": "c"}}, "details"),
        ({"details": {f"k{n}": "v" for n in range(51)}}, "details"),
        ({"details": {"key-id": 7}}, "details.key-id"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"attachments": [{"name": "a", "data": "===="}]}, "attachments.0.data"),
        ({"attachments": [FILE] * (limits().parts + 1)}, "attachments"),
    ],
)
def test_what_is_wrong_with_a_new_ticket_is_named(
    anna: Program, wrong: dict[str, Any], field: str
) -> None:
    answer = anna.post("/tickets/", {**ASKED, **wrong})

    assert answer.status == 400, answer
    assert list(answer.faults) == [field]
    assert not Ticket.objects.exists()


def test_files_may_be_as_large_as_a_visitors(anna: Program) -> None:
    half = base64.b64encode(b"x" * (limits().raw // 2 + 1)).decode()
    two = [{"name": name, "data": half} for name in ("a", "b")]

    answer = anna.post("/tickets/", {**ASKED, "attachments": two})

    assert (answer.status, answer.faults) == (400, {"attachments": "too_large"})
    assert anna.post("/tickets/", {**ASKED, "attachments": two[:1]}).status == 201


def test_a_customer_id_that_nobody_has_is_refused(anna: Program) -> None:
    requester = {"email": "new@elsewhere.example", "customer_id": "NOBODY-1"}

    answer = anna.post("/tickets/", {**ASKED, "requester": requester})

    assert (answer.status, answer.slug) == (422, "refused")
    assert answer.faults == {"requester.customer_id": "refused"}


def test_opening_a_ticket_takes_so_many_queries(house: House, anna: Program) -> None:
    asked = {**ASKED, "text": "Nothing to find here."}
    anna.post("/tickets/", asked)

    plain = queries(lambda: anna.post("/tickets/", asked))
    keyed = queries(lambda: anna.post("/tickets/", asked, headers={"Idempotency-Key": "1"}))
    found = queries(lambda: anna.post("/tickets/", ASKED))

    # Each event asks once whether a webhook hears of it.
    assert len(plain) <= 9, "\n".join(plain)
    assert len(keyed) <= 11, "\n".join(keyed)
    assert len(found) <= 14, "\n".join(found)
