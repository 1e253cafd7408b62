"""Tickets over the API: opened, listed, read, changed."""

from __future__ import annotations

import pytest

from tests.api.programs import Program
from tests.house import House
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

ASKED = {
    "requester": {"email": "dana@norvik.example"},
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10. Our key is key_4f2a91.",
}


def test_a_program_opens_a_ticket_for_a_customer(house: House, anna: Program) -> None:
    answer = anna.post("/tickets/", {**ASKED, "customer_reference": "INC-88", "tags": ["invoices"]})

    assert answer.status == 201, answer
    ticket = Ticket.objects.get()
    assert answer.headers["Location"] == f"/api/v1/tickets/{ticket.reference}/"
    assert answer.body["requester"]["email"] == house.dana.email
    assert answer.body == anna.get(answer.headers["Location"]).body
