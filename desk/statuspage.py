"""What a customer sees behind the status link of a letter: the stage and the time, nothing else.

Whoever has the letter may read it, so that nothing anybody wrote stands here: no subject, no
names of people, no conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext

from escalation.models import Clock, Escalation, Promise
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import HandoffOutcome, State
from escalation.models.promise import LIVE, PromiseState
from staff.models import Team
from tickets.models import Ticket
from tickets.models.ticket import Status

Mark = Literal["done", "now", ""]

SHOWN = (State.OFFERED, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Expected:
    """When the customer hears from us next; ``late`` when that time has passed."""

    at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the way to a solution: done, the one it is at, or to come (no mark)."""

    mark: Mark
    label: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket stands, as its requester may know it."""

    ticket: Ticket
    team: Team | None
    #: Where it has been escalated to and stays, if it has.
    escalated_to: Team | None
    escalated_at: datetime | None
    accepted: bool
    expected: Expected | None
    waits_for_customer: bool

    @property
    def solved(self) -> bool:
        return self.ticket.is_ended

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The way from received to solved, as far as this ticket has one."""
        ticket, team, to = self.ticket, self.team, self.escalated_to
        stages = [Stage("done", gettext("Received"), ticket.created_at)]
        here: Mark = "done" if self.solved or to is not None else "now"
        if team is not None:
            stages.append(Stage(here, gettext("With %(team)s") % {"team": team.name}))
        elif to is None:
            stages.append(Stage(here, gettext("With our team")))
        if to is not None:
            label = gettext("Escalated to %(tier)s, %(team)s") % {
                "tier": to.tier.name,
                "team": to.name,
            }
            stages.append(Stage("done" if self.accepted else "now", label, self.escalated_at))
            if self.accepted:
                stages.append(Stage("now", gettext("Being worked on there")))
        if self.closed:
            stages.append(Stage("done", gettext("Closed"), ticket.closed_at))
        elif self.solved:
            stages.append(Stage("done", gettext("Solved"), ticket.resolved_at))
        else:
            stages.append(Stage("", gettext("Solved")))
        return tuple(stages)

    @property
    def closed(self) -> bool:
        return self.ticket.status == Status.CLOSED


def standing(ticket: Ticket, *, now: datetime) -> Standing:
    """Say where a ticket stands; three queries at most, each by an index."""
    team, escalated_at, accepted = None, None, False
    if not ticket.is_ended:
        team, escalated_at, accepted = _escalated(ticket)
    waits = ticket.status == Status.WAITING
    promise = Promise.objects.filter(ticket=ticket, state__in=LIVE).first()
    if promise is not None and promise.state == PromiseState.SUSPENDED:
        waits = True
    return Standing(
        ticket=ticket,
        team=ticket.team,
        escalated_to=team,
        escalated_at=escalated_at,
        accepted=accepted,
        expected=None if ticket.is_ended or waits else _expected(ticket, promise, now),
        waits_for_customer=waits and not ticket.is_ended,
    )


def _escalated(ticket: Ticket) -> tuple[Team | None, datetime | None, bool]:
    # "functional" sorts before "hierarchical": expertise is what the customer was told about.
    escalation = (
        Escalation.objects.filter(ticket=ticket, state__in=SHOWN).order_by("kind", "-pk").first()
    )
    if escalation is None:
        return None, None, False
    handoff = (
        escalation.handoffs.filter(outcome__in=(HandoffOutcome.PENDING, HandoffOutcome.ACCEPTED))
        .select_related("to_team__tier")
        .order_by("-number")
        .first()
    )
    if handoff is None:
        return None, None, False
    return handoff.to_team, escalation.opened_at, escalation.state == State.ACCEPTED


def _expected(ticket: Ticket, promise: Promise | None, now: datetime) -> Expected | None:
    if promise is not None and promise.due_at is not None:
        return Expected(promise.due_at, promise.due_at <= now)
    if ticket.first_responded_at is not None:
        return None
    # The acknowledgement named the first response's time, so that it may be said here too.
    clock = Clock.objects.filter(
        ticket=ticket, kind=ClockKind.FIRST_RESPONSE, state=ClockState.RUNNING
    ).first()
    if clock is None or clock.due_at is None:
        return None
    return Expected(clock.due_at, clock.due_at <= now)
