"""Why a ticket was escalated or not, and what happens next: the engine's own words."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from desk.api import listing
from desk.api.escalationshapes import Recorded
from desk.api.fields import Moment
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.shapes import ID
from desk.api.ticketview import TicketView
from escalation.explanation import explain_ticket
from escalation.models import Decision
from escalation.rules import Skip
from staff.apitokens import Scope

DECISIONS = Listing(
    filters=(listing.slug("rule", "rule_key", "A rule's key."),),
    orderings={"id": Key("pk")},
)


class ReasonShape(serializers.Serializer[Any]):
    """What one condition of a rule asked for, and what it found."""

    path = serializers.CharField(help_text="Where it stands in the rule.")
    fact = serializers.CharField(help_text="What was asked about, such as no_public_reply_for.")
    op = serializers.CharField()
    wanted = serializers.JSONField(help_text="As in the policy.")
    actual = serializers.JSONField(help_text="What was found.")
    holds = serializers.BooleanField()
    negated = serializers.BooleanField(help_text="It counts where it does not hold.")
    since = Recorded(allow_null=True, help_text="From when a stretch of time is counted.")
    changes_at = Recorded(allow_null=True, help_text="When that turns, if only time passes.")


class DecisionShape(serializers.Serializer[Any]):
    """A rule escalated the ticket."""

    id = serializers.IntegerField(**ID)
    rule = serializers.CharField(source="rule_key")
    at = Moment()
    escalation = serializers.IntegerField(source="escalation_id", allow_null=True)
    policy = serializers.CharField(source="policy_version", help_text="Which version decided.")
    reasons = ReasonShape(many=True)


class MadeShape(serializers.Serializer[Any]):
    """An escalation that a rule made."""

    escalation = serializers.CharField(help_text="The escalation's key.")
    rule = serializers.CharField()
    at = Recorded()
    policy = serializers.CharField()
    reasons = ReasonShape(many=True)


class RuleShape(serializers.Serializer[Any]):
    """What a rule says of the ticket now."""

    rule = serializers.CharField()
    name = serializers.CharField()
    decides = serializers.BooleanField(help_text="The first rule that matches does.")
    holds = serializers.BooleanField(help_text="Its condition, taken alone.")
    skipped = serializers.ChoiceField(
        [each.value for each in Skip], allow_null=True, help_text="Why it is not asked."
    )
    skipped_until = Recorded(allow_null=True)
    reasons = ReasonShape(many=True)
    matches_from = Recorded(allow_null=True, help_text="When it matches, if only time passes.")
    matches_until = Recorded(allow_null=True)
    goes_to = serializers.CharField(help_text="To whom it would escalate.")


class ComingShape(serializers.Serializer[Any]):
    """What happens by itself at a moment, if nobody does anything before."""

    at = Recorded()
    kind = serializers.CharField()
    what = serializers.CharField()
    who = serializers.CharField()


class ExplanationShape(serializers.Serializer[Any]):
    """Everything the engine can say about a ticket at one moment."""

    ticket = serializers.CharField()
    at = Recorded()
    made = MadeShape(many=True)
    rules = RuleShape(many=True)
    coming = ComingShape(many=True)
    next_look = Recorded(allow_null=True, help_text="When the engine looks at it again.")


class Decisions(TicketView):
    tag = "Explanation"

    @operation(
        "List decisions", scope=Scope.ESCALATIONS_READ, gives=DecisionShape, listing=DECISIONS
    )
    def get(self, ticket: int) -> Response:
        """Escalations that rules made, with what the rules saw; the newest first."""
        self.must_see(ticket)
        decisions = Decision.objects.filter(ticket=ticket)
        return self.page(decisions.select_related("policy_version__policy"))


class Explain(TicketView):
    tag = "Explanation"

    @operation("Explain a ticket", scope=Scope.ESCALATIONS_READ, gives=ExplanationShape)
    def get(self, ticket: int) -> Response:
        """Why it was escalated, why not by the other rules, and what happens next and when."""
        found = explain_ticket(ticket=self.find(ticket), now=self.now)
        return self.answer(found.to_json())
