"""What is done with an escalation: the stations of the ticket page, one address each."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import choosing
from desk.api.endings import ResolveShape, VersionShape
from desk.api.escalations import gate_problem, person_of, team_of
from desk.api.escalationshapes import EscalationShape, WholeEscalationShape
from desk.api.escalationview import EscalationView, shown
from desk.api.fields import Choice, Line, Number, Slug, Text, training_override
from desk.api.operations import operation
from desk.api.problems import WRONG_STATE, Problem
from desk.api.ticketshapes import values
from desk.escalationactions import ON_ESCALATION
from escalation.authority import WrongState
from escalation.gate import GateClosed
from escalation.models import Escalation
from escalation.models.escalation import ReturnReason
from staff.apitokens import Scope
from staff.models import User


class AcceptShape(VersionShape):
    """What is done first; it completes "… begins with" in the letter."""

    first_step = Line(max_length=300, allow_blank=True, default="")
    training_override = training_override()


class ReturnShape(VersionShape):
    """Why it comes back, and what was missing."""

    reason_code = Choice(choices=values(ReturnReason))
    reason = Text(
        max_length=2000, allow_blank=True, default="", help_text="In words; needed with other."
    )
    missing = serializers.ListField(
        child=Slug(), max_length=50, default=list, help_text="Keys of required details."
    )


class HandOnShape(VersionShape):
    """To whom."""

    team = Slug(help_text="A team's slug.")
    user = Number(required=False, allow_null=True, help_text="One of its people, by id.")
    note = Text(max_length=4000, allow_blank=True, default="", help_text="A note for them.")


class OfferAgainShape(HandOnShape):
    """To whom, and why it goes without what is missing."""

    override_reason = Line(max_length=500, allow_blank=True, default="")
    training_override = training_override()


class WithdrawShape(VersionShape):
    """Why; in the first ten seconds it need not be said."""

    reason = Text(max_length=2000, allow_blank=True, default="")


class NoNeedShape(VersionShape):
    """Why it is not needed any more."""

    reason = Text(max_length=2000)


class OwnerShape(VersionShape):
    """Who goes on with it."""

    owner = Number(help_text="A person's id.")
    training_override = training_override()


class AcceptForShape(OwnerShape):
    """Who takes it on, and what they begin with."""

    first_step = Line(max_length=300, allow_blank=True, default="")


_DOES: dict[str, Any] = {"scope": Scope.ESCALATIONS_WRITE, "gives": WholeEscalationShape}


class Acting(EscalationView):
    """An address that does one thing with an escalation."""

    def act(self, action: str, pk: int) -> Response:
        """Do it as the ticket page does; whoever comes too late is told who was faster."""
        escalation = self.find_escalation(pk)
        held = self.hold(escalation.ticket_id)
        data = dict(self.sent)
        if "team" in data:
            data["team"] = team_of(data["team"])
            data["user"] = person_of(data.get("user"), "user")
        if "owner" in data:
            people = User.objects.filter(is_active=True)
            data["owner"] = choosing.chosen(people, "owner", pk=data["owner"])
        try:
            ON_ESCALATION[action].do(pk, data, self.now, self.user)
        except GateClosed as closed:
            raise gate_problem(closed, held) from closed
        except WrongState as wrong:
            raise _too_late(wrong, pk) from wrong
        return self.tell(pk)


class Accept(Acting):
    @operation(
        "Accept an offer",
        takes=AcceptShape,
        asks={"And say how": {"first_step": "tracing a failed call"}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """It is one's own then; the customer is told who works on it. Where somebody was faster,
        the answer (409) says who.
        """
        return self.act("accept", pk)


class AcceptFor(Acting):
    @operation("Accept an offer for somebody", takes=AcceptForShape, **_DOES)
    def post(self, pk: int) -> Response:
        """A lead names who of the team takes it on."""
        return self.act("accept-for", pk)


class Decline(Acting):
    @operation(
        "Decline an offer",
        takes=ReturnShape,
        asks={"Not enough is known": {"reason_code": "details_missing", "missing": ["key-id"]}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """It is back with the ticket's assignee, with the reason."""
        return self.act("decline", pk)


class SendBack(Acting):
    @operation(
        "Send back what was accepted",
        takes=ReturnShape,
        asks={"The answer is known": {"reason_code": "known_answer", "reason": "See HD-1040."}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """It is back with the ticket's assignee, with the reason."""
        return self.act("send-back", pk)


class HandOn(Acting):
    @operation(
        "Hand on",
        takes=HandOnShape,
        asks={"To the developers": {"team": "platform", "note": "The gateway refuses it."}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """To another team, or somebody in it; what the customer was told stays."""
        return self.act("hand-on", pk)


class OfferAgain(Acting):
    @operation(
        "Offer again",
        takes=OfferAgainShape,
        asks={"With what was missing": {"team": "integrations", "note": "The key is there now."}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """What came back, there or elsewhere; required details count here, too."""
        return self.act("offer-again", pk)


class Withdraw(Acting):
    @operation("Withdraw", takes=WithdrawShape, **_DOES)
    def post(self, pk: int) -> Response:
        """What one has escalated oneself."""
        return self.act("withdraw", pk)


class DeEscalate(Acting):
    @operation("De-escalate", takes=NoNeedShape, **_DOES)
    def post(self, pk: int) -> Response:
        """A lead ends it, since the need for it is gone."""
        return self.act("de-escalate", pk)


class Resolve(Acting):
    @operation(
        "Resolve an escalation",
        takes=ResolveShape,
        asks={"Solved": {"outcome": "The gateway's limit is raised.", "cause": "A low limit"}},
        **_DOES,
    )
    def post(self, pk: int) -> Response:
        """The ticket stays open: its assignee confirms with the customer."""
        return self.act("resolve", pk)


class Reassign(Acting):
    @operation("Reassign", takes=OwnerShape, **_DOES)
    def post(self, pk: int) -> Response:
        """A lead gives what was accepted to somebody else of the team."""
        return self.act("reassign", pk)


def _too_late(wrong: WrongState, pk: int) -> Problem:
    """Says who has it, and gives the escalation as it is now."""
    now = shown(Escalation.objects.all()).get(pk=pk)
    words = str(wrong)
    if now.owner is not None and now.is_open:
        who = _("%(name)s has it.") % {"name": now.owner}
        words = f"{words} {who}"
    return Problem(WRONG_STATE, words, escalation=EscalationShape(now).data)
