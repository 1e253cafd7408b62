"""What a program sends to escalate a ticket, and to do something with an escalation."""

from __future__ import annotations

from typing import Any

from tests.api.programs import Answer, Program
from tickets.models import Ticket

ASKED = {"tried": "Repeated the call: 502.", "ask": "Find out why the gateway refuses it."}


def escalate(program: Program, ticket: Ticket, **more: Any) -> Answer:
    return program.post(f"/tickets/{ticket.reference}/escalations/", {**ASKED, **more})


def offered(program: Program, ticket: Ticket, **more: Any) -> int:
    answer = escalate(program, ticket, **more)
    assert answer.status == 201, answer
    pk: int = answer.body["id"]
    return pk


def act(program: Program, pk: int, action: str, **body: Any) -> Answer:
    return program.post(f"/escalations/{pk}/{action}/", body)
