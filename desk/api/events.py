"""A ticket's timeline."""

from __future__ import annotations

from django.db.models import Q
from rest_framework.response import Response

from desk.api import listing
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.ticketshapes import EventShape
from desk.api.ticketview import TicketView
from staff.apitokens import Scope
from tickets.models import Event

EVENTS = Listing(
    filters=(
        listing.words("kind", lambda asked, _user: Q(kind=asked), longest=40),
        listing.moment("after", "at__gte"),
    ),
    orderings={"id": Key("pk")},
)


class Events(TicketView):
    tag = "Events"

    @operation("Read a timeline", scope=Scope.TICKETS_READ, gives=EventShape, listing=EVENTS)
    def get(self, ticket: int) -> Response:
        """Everything that happened to a ticket, the newest first."""
        self.must_see(ticket)
        return self.page(Event.objects.filter(ticket=ticket).select_related("user", "contact"))
