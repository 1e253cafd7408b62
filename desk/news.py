"""What a page that stays open asks every few seconds, in one answer with a stamp."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from desk import rail, triage
from escalation.sight import in_sight_of
from staff.models import User
from tickets import listing
from tickets.models import Ticket


def news(*, user: User, asked: Mapping[str, str]) -> dict[str, Any]:
    """Say how many offers wait and, as far as they are asked for, what a list or a ticket is at.

    ``asked`` holds either a list's filters (``page=triage`` and the address's parameters) or a
    ``ticket``'s reference. ``rows`` gives each ticket's mark, a number that grows with whatever
    happens to it; ``stamp`` changes with anything in the answer.
    """
    answer: dict[str, Any] = {"counts": dict(rail.counts(user))}
    if asked.get("page") == "triage":
        filters = listing.read_filters(asked)
        held = triage.counts(user=user, filters=filters)
        answer["counts"] |= {f"view-{view}": triage.count_word(n) for view, n in held.items()}
        tickets = listing.page(user=user, filters=filters).tickets
        answer["rows"] = triage.marks([ticket.pk for ticket in tickets])
    elif asked.get("ticket"):
        answer["rows"] = triage.marks(_seen(user, asked["ticket"]))
    said = json.dumps(answer, sort_keys=True, default=str)
    return {**answer, "stamp": hashlib.sha256(said.encode()).hexdigest()[:20]}


def _seen(user: User, reference: str) -> list[int]:
    number = Ticket.number_in(reference)
    if number is None:
        return []
    return list(in_sight_of(user).filter(pk=number).values_list("pk", flat=True))
