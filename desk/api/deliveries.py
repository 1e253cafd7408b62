"""What became of the letters about a ticket."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import listing
from desk.api.fields import Moment
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.shapes import ID
from desk.api.ticketshapes import values
from desk.api.ticketview import TicketView
from notifications.models import DeliveryEvent, DeliveryKind, DeliverySource, OutgoingEmail
from notifications.models.mail import MailState
from staff.apitokens import Scope
from tickets.models import Ticket

LETTERS = Listing(
    filters=(
        listing.choices("state", values(MailState), "state", "One or more, divided by commas."),
        listing.words("kind", lambda asked, _user: Q(kind=asked), longest=40),
    ),
    orderings={"id": Key("pk")},
)


class DeliveryEventShape(serializers.Serializer[Any]):
    """What was heard of a letter."""

    kind = serializers.ChoiceField(values(DeliveryKind))
    told_by = serializers.ChoiceField(values(DeliverySource), source="source")
    at = Moment()
    recipient = serializers.CharField()
    status = serializers.CharField(help_text="Such as 5.1.1 (RFC 3463).")
    said = serializers.CharField()


class LetterShape(serializers.Serializer[Any]):
    """A letter, without its text."""

    id = serializers.IntegerField(**ID)
    kind = serializers.CharField(help_text="What it says, such as escalated or reply.")
    to = serializers.CharField(source="to_address")
    language = serializers.CharField()
    state = serializers.ChoiceField(values(MailState))
    attempts = serializers.IntegerField(min_value=0)
    message_id = serializers.CharField()
    queued_at = Moment()
    not_before = Moment(allow_null=True)
    next_attempt_at = Moment(allow_null=True)
    sent_at = Moment(allow_null=True)
    withdrawn_at = Moment(allow_null=True)
    merged_into = serializers.IntegerField(
        source="merged_into_id", allow_null=True, help_text="The letter that says its words, too."
    )
    last_answer = serializers.CharField(
        source="last_error", help_text="What the mail server said when it was not taken."
    )
    events = DeliveryEventShape(many=True, source="delivery_events")


class Deliveries(TicketView):
    tag = "Letters"

    @operation("List deliveries", scope=Scope.TICKETS_READ, gives=LetterShape, listing=LETTERS)
    def get(self, ticket: int) -> Response:
        """Every letter about a ticket, to the customer or to staff, and what became of it."""
        self.must_see(ticket)
        events = DeliveryEvent.objects.order_by("at", "pk")
        letters = OutgoingEmail.objects.about(Ticket(pk=ticket).about)
        return self.page(
            letters.defer("text", "html", "variables", "headers").prefetch_related(
                Prefetch("delivery_events", events)
            )
        )
