"""What answers say of escalations, of their hand-offs, and of what went along with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from desk.api.fields import Moment, written
from desk.api.shapes import ID, PersonShape, TeamShape
from desk.api.ticketshapes import values
from escalation.models import Escalation
from escalation.models.escalation import HandoffOutcome, Kind, Nature, ReturnReason, State, Trigger
from escalation.policyspec import Action
from tickets.models.customers import Complexity
from tickets.models.ticket import Level, Priority


class Recorded(Moment):
    """A moment that stands in JSON, as text."""

    def to_representation(self, value: Any) -> str:
        return written(datetime.fromisoformat(value) if isinstance(value, str) else value)


class OfferShape(serializers.Serializer[Any]):
    """To whom an escalation is offered, or who has accepted it."""

    number = serializers.IntegerField(**ID)
    to_team = TeamShape()
    to_user = PersonShape(allow_null=True, help_text="Null where it is anybody of the team.")
    offered_at = Moment()
    accept_by = Moment(help_text="Until when it has to be accepted.")
    outcome = serializers.ChoiceField(values(HandoffOutcome))

    def get_attribute(self, instance: Any) -> Any:
        """Of an escalation: its newest hand-off, as ``escalationview.shown`` reads it."""
        return instance.newest[-1]


class EscalationShape(serializers.Serializer[Any]):
    """A ticket needs expertise or authority that it does not have where it is."""

    id = serializers.IntegerField(**ID)
    key = serializers.CharField(help_text="Its name in letters and logs.")
    ticket = serializers.SerializerMethodField(help_text="The ticket's reference.")
    kind = serializers.ChoiceField(values(Kind))
    state = serializers.ChoiceField(values(State))
    trigger = serializers.ChoiceField(values(Trigger), help_text="Who or what escalated.")
    rule = serializers.CharField(source="rule_key", help_text="The rule's key; empty by hand.")
    nature = serializers.ChoiceField(values(Nature))
    urgency = serializers.ChoiceField(values(Level), help_text="1 is high, 3 is low.")
    reason = serializers.CharField()
    tried = serializers.CharField()
    ask = serializers.CharField()
    owner = PersonShape(allow_null=True, help_text="Who accepted it.")
    current = OfferShape(help_text="The newest of its hand-offs.")
    hops = serializers.IntegerField(min_value=1, help_text="How many hand-offs it has had.")
    incomplete = serializers.BooleanField(help_text="It went without required details.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Keys of details.")
    override_reason = serializers.CharField(help_text="Why it went without them.")
    opened_at = Moment()
    opened_by = PersonShape(allow_null=True, help_text="Null where a rule did.")
    accepted_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    ended_by = PersonShape(allow_null=True)
    outcome = serializers.CharField()
    cause = serializers.CharField()

    def get_ticket(self, escalation: Escalation) -> str:
        return f"HD-{escalation.ticket_id}"


class PathStepShape(serializers.Serializer[Any]):
    """What is done while nobody accepts."""

    number = serializers.IntegerField(**ID)
    action = serializers.ChoiceField([each.value for each in Action])
    after = serializers.CharField(help_text="After the step before it, or after the offer: 30m.")
    fired_at = Moment(allow_null=True, help_text="When it was done.")
    due_at = Moment(allow_null=True, help_text="When it will be, if nobody accepts before.")
    user = PersonShape(allow_null=True, help_text="Who is or will be asked.")
    team = serializers.CharField(allow_null=True, help_text="The slug of the team.")


class PackagedCustomerShape(serializers.Serializer[Any]):
    """The customer as they were then."""

    organization = serializers.CharField()
    customer_id = serializers.CharField()
    plan = serializers.CharField()
    contact = serializers.CharField()
    zone = serializers.CharField()
    language = serializers.CharField()


class PackagedTicketShape(serializers.Serializer[Any]):
    """The ticket as it was then."""

    subject = serializers.CharField()
    priority = serializers.ChoiceField(values(Priority))
    impact = serializers.ChoiceField(values(Level))
    urgency = serializers.ChoiceField(values(Level))
    complexity = serializers.ChoiceField(values(Complexity))
    category = serializers.CharField()
    opened_at = Recorded()
    reopened = serializers.IntegerField(min_value=0)


class PackagedDetailShape(serializers.Serializer[Any]):
    """A detail that went along."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name of the framework's, too
    value = serializers.CharField()
    sentence = serializers.CharField()
    message = serializers.IntegerField(allow_null=True, help_text="The message's id.")


class PackagedGapShape(serializers.Serializer[Any]):
    """A required detail that was missing."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    asked = serializers.BooleanField(help_text="The customer had been asked for it.")


class PackageShape(serializers.Serializer[Any]):
    """What went along with a hand-off, frozen."""

    version = serializers.IntegerField()
    customer = PackagedCustomerShape()
    ticket = PackagedTicketShape()
    nature = serializers.CharField()
    urgency = serializers.ChoiceField(values(Level))
    reason = serializers.CharField()
    tried = serializers.CharField()
    ask = serializers.CharField()
    details = PackagedDetailShape(many=True)
    completeness = serializers.IntegerField(min_value=0, max_value=100)
    missing = PackagedGapShape(many=True)
    messages = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids, the oldest first."
    )
    attachments = serializers.ListField(child=serializers.IntegerField(), help_text="Ids.")
    from_team = serializers.CharField()
    assignee = serializers.CharField()


class HandoffShape(OfferShape):
    """One transfer of an escalation."""

    from_team = TeamShape(allow_null=True)
    offered_by = PersonShape(allow_null=True)
    note = serializers.CharField(help_text="A note for who receives it.")
    outcome_at = Moment(allow_null=True)
    outcome_by = PersonShape(allow_null=True)
    reason_code = serializers.ChoiceField(
        ["", *values(ReturnReason)], help_text="Why it was declined or sent back."
    )
    reason = serializers.CharField(help_text="The same in words.")
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Keys of details that were asked back for."
    )
    path = PathStepShape(many=True, source="steps_shown")
    package = PackageShape()


class WholeEscalationShape(EscalationShape):
    """An escalation with its hand-offs, their packages and paths; the first one first."""

    handoffs = HandoffShape(many=True, source="newest")
