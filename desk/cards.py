"""The cards of the board: what each says of its escalation, read for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.text import Truncator
from django.utils.translation import ngettext

from escalation import authority, paths
from escalation.models import Escalation, Handoff, Promise, Step
from escalation.models.escalation import State
from escalation.models.promise import PromiseState
from escalation.paths import PathEntry
from escalation.roster import Roster
from staff import setwise
from staff.models import User
from tickets.models import Message, Ticket
from tickets.models.ticket import MessageKind, Status

SOON = timedelta(hours=1)
#: How much of why it is here a card can show.
WHY = 160


@dataclass(frozen=True, slots=True)
class Card:
    """One escalation: why it is here, how far its path is, and how the promise stands."""

    escalation: Escalation
    ticket: Ticket
    handoff: Handoff
    promise: Promise | None
    column: str
    step: int
    steps: int
    next_step: PathEntry | None
    last_words: str
    bounces: int
    #: Whether this person answers for one of the teams.
    may_lead: bool
    #: Whom they may name as its owner; read for a single card.
    owners: tuple[User, ...] = ()

    @property
    def why(self) -> str:
        """What a rule found, or what a person asks for; as much as a card has room for."""
        said = self.escalation.reason or self.escalation.ask
        return said if len(said) <= WHY else Truncator(said).chars(WHY)

    @property
    def hops(self) -> str:
        """How often it has changed hands, in words."""
        return ngettext("%(n)s hop", "%(n)s hops", self.bounces) % {"n": self.bounces}

    @property
    def promise_broken(self) -> bool:
        return self.promise is not None and self.promise.state == PromiseState.BROKEN

    @property
    def can_be_moved(self) -> bool:
        """Whether the customer was told a time that another may replace."""
        return self.promise is not None and self.promise.state in (
            PromiseState.OPEN,
            PromiseState.BROKEN,
        )


def cards(*, ids: Sequence[int], user: User, roster: Roster, now: datetime) -> list[Card]:
    """The cards of these escalations; five queries, however many they are."""
    escalations = list(
        Escalation.objects.filter(pk__in=ids).select_related(
            "ticket__requester", "ticket__organization"
        )
    )
    roster.complete([escalation.ticket for escalation in escalations])
    tickets = [escalation.ticket_id for escalation in escalations]
    handoffs = _handoffs(ids, roster)
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(
        handoff__in=[handoff.pk for handoff in handoffs.values()]
    ).order_by("handoff_id", "number"):
        steps.setdefault(step.handoff_id, []).append(step)
    promises = {
        promise.ticket_id: promise
        for promise in Promise.objects.filter(ticket__in=tickets)
        .order_by("ticket_id", "-number")
        .distinct("ticket_id")
    }
    words = _last_words(tickets)
    found = []
    for escalation in escalations:
        setwise.join(escalation, owner=roster.people.get(escalation.owner_id or 0))
        handoff = handoffs[escalation.pk]
        promise = promises.get(escalation.ticket_id)
        path = paths.chained(handoff=handoff, fired=steps.get(handoff.pk, ()), roster=roster)
        offered = escalation.state == State.OFFERED
        found.append(
            Card(
                escalation=escalation,
                ticket=escalation.ticket,
                handoff=handoff,
                promise=promise,
                column=_column(escalation, promise, now),
                step=sum(1 for entry in path if entry.fired),
                steps=len(path),
                next_step=next((e for e in path if offered and not e.fired), None),
                last_words=words.get(escalation.ticket_id, ""),
                bounces=escalation.hops - 1,
                may_lead=authority.leads(
                    user=user, roster=roster, ticket=escalation.ticket, handoff=handoff
                ),
            )
        )
    return found


def _handoffs(ids: Sequence[int], roster: Roster) -> dict[int, Handoff]:
    """The newest hand-off of each escalation, without the package it carries."""
    found = {}
    for handoff in (
        Handoff.objects.filter(escalation__in=ids)
        .defer("package")
        .order_by("escalation_id", "-number")
        .distinct("escalation_id")
    ):
        setwise.join(
            handoff,
            to_team=roster.teams[handoff.to_team_id],
            to_user=roster.people.get(handoff.to_user_id or 0),
        )
        found[handoff.escalation_id] = handoff
    return found


def _last_words(ticket_ids: Sequence[int]) -> dict[int, str]:
    """The customer's newest words by ticket, cut to a line."""
    return {
        ticket_id: " ".join(text.split())[:160]
        for ticket_id, text in Message.objects.filter(
            ticket__in=ticket_ids, kind=MessageKind.CUSTOMER, automatic=False, unverified=False
        )
        .order_by("ticket_id", "-created_at", "-pk")
        .distinct("ticket_id")
        .values_list("ticket", "text")
    }


def _column(escalation: Escalation, promise: Promise | None, now: datetime) -> str:
    if promise is not None and promise.state == PromiseState.BROKEN:
        return "broken"
    if escalation.state == State.RETURNED:
        return "returned"
    if escalation.state == State.OFFERED:
        return "offered"
    due = promise.due_at if promise is not None and promise.is_live else None
    if due is not None and due <= now + SOON:
        return "soon"
    if escalation.ticket.status in (Status.WAITING, Status.ON_HOLD):
        return "theirs"
    return "ours"
