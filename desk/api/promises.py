"""What a ticket's customer was told to expect, and telling them how things stand."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import listing
from desk.api.endings import VersionShape
from desk.api.fields import Line, Moment, Text
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.shapes import ID, PersonShape
from desk.api.ticketshapes import TicketShape, values
from desk.api.ticketview import TicketView
from desk.ticketactions import ON_TICKET
from escalation.models import Promise
from escalation.models.promise import PromiseKind, PromiseState
from staff.apitokens import Scope

PROMISES = Listing(
    filters=(
        listing.choices("state", values(PromiseState), "state", "One or more, divided by commas."),
        listing.choices("kind", values(PromiseKind), "kind"),
    ),
    orderings={"id": Key("pk")},
)


class PromiseShape(serializers.Serializer[Any]):
    """A time the customer was told; at most one of a ticket is open or waits."""

    id = serializers.IntegerField(**ID)
    number = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(values(PromiseKind))
    state = serializers.ChoiceField(values(PromiseState))
    due_at = Moment(allow_null=True, help_text="Null while it waits for the customer.")
    target = serializers.CharField(help_text="How long it gave, such as 4h; empty for a time.")
    escalation = serializers.IntegerField(
        source="escalation_id", allow_null=True, help_text="The id of the escalation it is of."
    )
    made_at = Moment()
    made_by = PersonShape(allow_null=True, help_text="Null where the desk did by itself.")
    reason = serializers.CharField(help_text="Why the time was moved.")
    replaces = serializers.IntegerField(
        source="replaces_id", allow_null=True, help_text="The id of the one it took the place of."
    )
    slips = serializers.IntegerField(min_value=0, help_text="How often the time was moved.")
    letter = serializers.IntegerField(
        source="email_id", allow_null=True, help_text="The id of the letter that told it."
    )
    not_told_since = Moment(
        allow_null=True, help_text="Its letter bounced then, and none has arrived since."
    )
    broken_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)


class NewTimeShape(VersionShape):
    """Another time, before the old one has passed or after."""

    due = Moment()
    reason = Text(max_length=1000, help_text="Why it takes longer; the customer reads it.")
    done = Text(max_length=4000, allow_blank=True, default="", help_text="What is done so far.")


class UpdateShape(VersionShape):
    """How things stand; the customer reads all of it."""

    headline = Line(max_length=120, help_text="What is new, in a few words.")
    text = Text(max_length=4000)
    known = Text(max_length=4000, allow_blank=True, default="", help_text="What is known.")
    next_step = Text(max_length=4000, allow_blank=True, default="", help_text="What comes next.")
    workaround = Text(max_length=4000, allow_blank=True, default="", help_text="Until then.")
    next_word_by = Moment(
        required=False, allow_null=True, default=None, help_text="Promises the next word by then."
    )


class Promises(TicketView):
    tag = "Promises"

    @operation("List promises", scope=Scope.ESCALATIONS_READ, gives=PromiseShape, listing=PROMISES)
    def get(self, ticket: int) -> Response:
        """The times the customer was told, the newest first."""
        self.must_see(ticket)
        return self.page(_promises().filter(ticket=ticket))


class NewTime(TicketView):
    tag = "Promises"

    @operation(
        "Tell the customer a new time",
        scope=Scope.ESCALATIONS_WRITE,
        takes=NewTimeShape,
        gives=PromiseShape,
        status=201,
        asks={
            "Later": {"due": "2099-01-04T09:00:00Z", "reason": "The vendor has not answered yet."}
        },
    )
    def post(self, ticket: int) -> Response:
        """In a letter of its own. How often a time may be moved is the policy's; past that only a
        lead can.
        """
        self.hold(ticket)
        ON_TICKET["new-time"].do(ticket, self.sent, self.now, self.user)
        return self.answer(_promises().filter(ticket=ticket).latest("number"))


class Update(TicketView):
    tag = "Promises"

    @operation(
        "Tell the customer how things stand",
        scope=Scope.ESCALATIONS_WRITE,
        takes=UpdateShape,
        gives=TicketShape,
        asks={
            "With the next word's time": {
                "headline": "The cause is found",
                "text": "A limit of the gateway is too low.",
                "next_step": "We raise it tonight.",
                "next_word_by": "2099-01-04T09:00:00Z",
            }
        },
    )
    def post(self, ticket: int) -> Response:
        """It keeps the promise that stands, unless that is of a solution."""
        self.hold(ticket)
        ON_TICKET["update"].do(ticket, self.sent, self.now, self.user)
        return self.ticket_now(ticket)


def _promises() -> QuerySet[Promise]:
    return Promise.objects.select_related("made_by")
