"""Tickets that the engine looks at, and when it does next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.house import House
from tickets.models import Ticket


def review_at(ticket: Ticket) -> datetime | None:
    return Ticket.objects.values_list("review_at", flat=True).get(pk=ticket.pk)


def urgent(house: House, **options: Any) -> Ticket:
    return house.ticket(impact=1, urgency=1, assignee=house.anna, **options)
