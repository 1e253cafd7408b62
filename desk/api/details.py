"""What a ticket's category asks for, what is known of it, and asking the customer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from desk.api.fields import Line, Number, Shape, Slug
from desk.api.operations import operation
from desk.api.ticketshapes import DetailsShape, TicketShape
from desk.api.ticketview import TicketView
from escalation import asking
from staff.apitokens import Scope
from tickets import gathering
from tickets.gathering import LONGEST_VALUE
from tickets.models import Detail, RequiredDetail, Ticket


class DetailChangeShape(Shape):
    """What a detail is."""

    value = Line(max_length=LONGEST_VALUE)
    version = Number(max_value=2**31 - 1, required=False)


class AskShape(Shape):
    """Which of the missing details to ask for; all of them where none is named."""

    keys = serializers.ListField(child=Slug(), required=False, min_length=1, max_length=50)
    version = Number(max_value=2**31 - 1, required=False)


class Details(TicketView):
    tag = "Details"

    @operation("List details", scope=Scope.TICKETS_READ, gives=DetailsShape)
    def get(self, ticket: int) -> Response:
        """What the category asks for, there or not, and what else is known."""
        return self.answer(_details(self.find(ticket)))


class OneDetail(TicketView):
    tag = "Details"

    @operation(
        "Set a detail",
        scope=Scope.TICKETS_WRITE,
        takes=DetailChangeShape,
        gives=DetailsShape,
        asks={"The key's id": {"value": "key_4f2a91"}},
    )
    def put(self, ticket: int, key: str) -> Response:
        """It takes the place of what was found in the conversation."""
        held = self.hold(ticket)
        gathering.set_detail(
            ticket_id=ticket, key=key, value=self.sent["value"], now=self.now, by=self.user
        )
        return self.answer(_details(held))


class Ask(TicketView):
    tag = "Details"

    @operation(
        "Ask the customer for missing details",
        scope=Scope.TICKETS_WRITE,
        takes=AskShape,
        gives=TicketShape,
        asks={"The key's id": {"keys": ["key-id"]}},
    )
    def post(self, ticket: int) -> Response:
        """In one letter; the ticket waits for the customer from then on."""
        held = self.hold(ticket)
        keys = self.sent.get("keys")
        if keys is None:
            keys = [detail.key for detail in gathering.gathered(held).missing]
        asking.ask(ticket_id=ticket, keys=keys, now=self.now, by=self.user)
        return self.ticket_now(ticket)


def _details(ticket: Ticket) -> dict[str, Any]:
    gathered = gathering.gathered(ticket)
    known = {detail.key: detail for detail in Detail.objects.filter(ticket=ticket)}
    required = {detail.key: detail for detail in gathered.required}
    return {
        "completeness": gathered.percent,
        "details": [
            _detail(key, required.get(key), known.get(key))
            for key in dict.fromkeys([*required, *sorted(known)])
        ],
    }


def _detail(key: str, required: RequiredDetail | None, known: Detail | None) -> dict[str, Any]:
    return {
        "key": key,
        "label": required.local_label if required is not None else key,
        "required": required is not None,
        "value": known.value or None if known is not None else None,
        "asked_at": known.asked_at if known is not None else None,
        "message": known.message_id if known is not None else None,
        "sentence": known.sentence if known is not None else "",
        "set_by": known.user_id if known is not None else None,
    }
