"""Escalations: the list over everything, a ticket's, one, and a new one."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from rest_framework.response import Response

from desk.api import choosing, listing
from desk.api.base import ApiView
from desk.api.escalationshapes import EscalationShape, WholeEscalationShape
from desk.api.escalationview import EscalationView, in_sight_of_user, shown
from desk.api.fields import (
    Choice,
    Flag,
    Line,
    Moment,
    Number,
    Shape,
    Slug,
    Text,
    training_override,
)
from desk.api.listing import Filter, Key, Listing
from desk.api.operations import operation
from desk.api.problems import REFUSED, Fault, Problem, invalid
from desk.api.tickets import DetailsField
from desk.api.ticketshapes import values
from escalation import cases, lifecycle, targets
from escalation.gate import GateClosed
from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import OPEN, Kind, Nature, State, Trigger
from escalation.models.promise import PromiseState
from escalation.opening import Request
from escalation.targets import Destination
from staff.apitokens import Scope
from staff.models import Team, User
from tickets import gathering
from tickets.models import Ticket
from tickets.models.ticket import Level


def _is_now_with(slug: str, _user: User) -> Q:
    """The ticket's own team, or the one that has the escalation; as the board narrows itself."""
    newest = Handoff.objects.filter(escalation=OuterRef("escalation_id")).order_by("-number")
    here = Handoff.objects.filter(to_team__slug=slug, pk=Subquery(newest.values("pk")[:1]))
    return Q(ticket__team__slug=slug) | Q(pk__in=here.values("escalation"))


def _overdue(asked: bool, _user: User) -> Q:
    """Open, and not accepted in time; or the customer has waited longer than they were told."""
    unanswered = Handoff.objects.pending().filter(accept_by__lt=Now()).values("escalation")
    newest = Promise.objects.filter(ticket=OuterRef("ticket_id")).order_by("-number")
    broken = Promise.objects.filter(pk=Subquery(newest.values("pk")[:1])).filter(
        Q(state=PromiseState.BROKEN) | Q(state=PromiseState.OPEN, due_at__lt=Now())
    )
    late = Q(state__in=OPEN) & (
        Q(state=State.OFFERED, pk__in=unanswered) | Q(ticket__in=broken.values("ticket"))
    )
    return late if asked else ~late


def _truth(name: str, rows: Any, description: str) -> Filter:
    return Filter(
        name=name,
        read=listing.truth,
        rows=rows,
        schema={"type": "boolean"},
        description=description,
    )


_OPENINGS = {"opened": Key("pk")}

OF_A_TICKET = Listing(
    filters=(
        listing.choices("state", values(State), "state", "One or more, divided by commas."),
        listing.choices("kind", values(Kind), "kind"),
    ),
    orderings=_OPENINGS,
    default="-opened",
)

ESCALATIONS = Listing(
    filters=(
        *OF_A_TICKET.filters,
        _truth(
            "open",
            lambda asked, _user: Q(state__in=OPEN) if asked else ~Q(state__in=OPEN),
            "Offered, accepted, or come back.",
        ),
        listing.Filter(
            name="team",
            read=listing.slug("team", "").read,
            rows=_is_now_with,
            schema=listing.slug("team", "").schema,
            description="A team's slug: it has the escalation now, or the ticket.",
        ),
        listing.person("owner", "owner", "Who accepted it: a person's id, `me` or `none`."),
        listing.person("opened_by", "opened_by", "A person's id, `me`; `none` is a rule."),
        listing.choices("trigger", values(Trigger), "trigger"),
        listing.choices("nature", values(Nature), "nature"),
        listing.choices("urgency", values(Level), "urgency", "1 to 3; one or more."),
        _truth(
            "overdue",
            _overdue,
            "Open, and not accepted in time, or the customer was told a time that has passed.",
        ),
        listing.flag("incomplete", "incomplete", "Whether it went without required details."),
        listing.moment("opened_after", "opened_at__gte"),
        listing.moment("opened_before", "opened_at__lt"),
    ),
    orderings=_OPENINGS,
    default="-opened",
)


class NewEscalationShape(Shape):
    """What is asked for, of whom, and why."""

    kind = Choice(choices=values(Kind), default=Kind.FUNCTIONAL.value)
    team = Slug(required=False, help_text="A team's slug; else the one the desk would suggest.")
    user = Number(required=False, allow_null=True, help_text="One of its people, by id.")
    nature = Choice(
        choices=values(Nature),
        required=False,
        help_text="If not named: expertise, or authority for an escalation to authority.",
    )
    urgency = Choice(choices=values(Level), required=False, help_text="Else it is the ticket's.")
    reason = Text(max_length=2000, allow_blank=True, default="")
    tried = Text(max_length=4000, allow_blank=True, default="")
    ask = Text(
        max_length=2000,
        allow_blank=True,
        default="",
        help_text="What was tried or what is asked has to be said.",
    )
    details = DetailsField(required=False, help_text="Missing details by key; they are kept, too.")
    ask_customer = Flag(
        default=False, help_text="Ask the customer for what is missing, in the same letter."
    )
    override_reason = Line(
        max_length=500,
        allow_blank=True,
        default="",
        help_text="Why it goes without the missing details.",
    )
    training_override = training_override()
    promised = Moment(
        required=False,
        allow_null=True,
        help_text="When the customer is told to expect a reply; else it is the policy's time.",
    )
    note_to_customer = Text(max_length=600, allow_blank=True, default="")
    version = Number(max_value=2**31 - 1, required=False)


class Escalations(ApiView):
    tag = "Escalations"

    @operation(
        "List escalations",
        scope=Scope.ESCALATIONS_READ,
        gives=EscalationShape,
        listing=ESCALATIONS,
    )
    def get(self) -> Response:
        """Of all tickets that may be seen; those that have ended, too."""
        return self.page(shown(in_sight_of_user(self.user)))


class OneEscalation(EscalationView):
    @operation("Read an escalation", scope=Scope.ESCALATIONS_READ, gives=WholeEscalationShape)
    def get(self, pk: int) -> Response:
        """With its hand-offs, what went along with each, and their paths."""
        return self.tell(self.find_escalation(pk).pk)


class OfATicket(EscalationView):
    @operation(
        "List a ticket's escalations",
        scope=Scope.ESCALATIONS_READ,
        gives=EscalationShape,
        listing=OF_A_TICKET,
    )
    def get(self, ticket: int) -> Response:
        self.must_see(ticket)
        return self.page(shown(Escalation.objects.filter(ticket=ticket)))

    @operation(
        "Escalate a ticket",
        scope=Scope.ESCALATIONS_WRITE,
        takes=NewEscalationShape,
        gives=WholeEscalationShape,
        status=201,
        asks={
            "To whom the desk suggests": {
                "tried": "Repeated the call: 502 from the gateway.",
                "ask": "Find out why the gateway refuses it.",
                "details": {"key-id": "key_4f2a91"},
            },
            "To a lead": {
                "kind": "hierarchical",
                "ask": "May we refund the month?",
                "override_reason": "Nothing else is needed for it.",
            },
        },
    )
    def post(self, ticket: int) -> Response:
        """The customer is told by mail when to expect a reply. Details that the category requires
        and that are missing stand in the way (422, `missing` has their keys): send them along,
        let the customer be asked, or say why it has to go without.
        """
        held = self.hold(ticket)
        sent = self.sent
        for key, value in sent.get("details", {}).items():
            gathering.set_detail(ticket_id=ticket, key=key, value=value, now=self.now, by=self.user)
        destination = self._destination(held)
        try:
            escalation = lifecycle.escalate(
                ticket_id=ticket,
                request=self._request(held),
                team_id=destination.team.pk,
                user_id=destination.user.pk if destination.user is not None else None,
                now=self.now,
                by=self.user,
            )
        except GateClosed as closed:
            raise gate_problem(closed, held) from closed
        location = reverse("api:escalation", args=(escalation.pk,))
        return self.tell(escalation.pk, location=location)

    def _request(self, ticket: Ticket) -> Request:
        sent = self.sent
        functional = sent["kind"] == Kind.FUNCTIONAL
        return Request(
            kind=Kind(sent["kind"]),
            trigger=Trigger.LEAD if self.user.is_lead else Trigger.AGENT,
            nature=sent.get("nature") or (Nature.EXPERTISE if functional else Nature.AUTHORITY),
            urgency=sent.get("urgency") or ticket.urgency,
            reason=sent["reason"],
            tried=sent["tried"],
            ask=sent["ask"],
            override_reason=sent["override_reason"],
            training_override=sent["training_override"],
            ask_customer=sent["ask_customer"],
            promised=sent.get("promised"),
            note_to_customer=sent["note_to_customer"],
        )

    def _destination(self, ticket: Ticket) -> Destination:
        """Who was named; else what the escalate panel would propose."""
        sent = self.sent
        user = person_of(sent.get("user"), "user")
        if "team" in sent:
            return Destination(team_of(sent["team"]), user)
        if sent["kind"] == Kind.HIERARCHICAL:
            if ticket.team is None:
                raise invalid("team", str(Slug.default_error_messages["required"]), code="required")
            return Destination(ticket.team, user)
        [case] = cases.load(tickets=[ticket], now=self.now)
        suggested = targets.suggest(case=case)
        return Destination(suggested.team, user or suggested.user)


def team_of(slug: str) -> Team:
    return choosing.chosen(Team.objects.all(), "team", slug=slug)


def person_of(pk: int | None, field: str) -> User | None:
    """Somebody who works here, where an id was sent."""
    if pk is None:
        return None
    return choosing.chosen(User.objects.filter(is_active=True), field, pk=pk)


def gate_problem(closed: GateClosed, ticket: Ticket) -> Problem:
    """The gate's refusal, with the keys of what is missing."""
    return Problem(
        REFUSED,
        str(closed),
        faults=[Fault(closed.field or "", "gate_closed", str(closed))],
        missing=[detail.key for detail in gathering.gathered(ticket).missing],
    )
