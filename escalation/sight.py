"""Which tickets a member of staff may see: their own teams', and what was escalated to them.

A private team's ticket is seen by nobody else, until that team escalates it: whoever it is
offered to, and whoever has accepted it, sees it for as long as it is theirs.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from escalation.models import Escalation, Handoff
from escalation.models.escalation import EscalationQuerySet, HandoffOutcome, State
from escalation.roster import Roster
from staff.models import User
from tickets.models import Ticket
from tickets.models.ticket import TicketQuerySet, of_teams_of


def in_sight_of(user: User) -> TicketQuerySet:
    """The tickets this person may open."""
    if user.sees_every_team:
        return Ticket.objects.all()
    # Asked of each row as it is read: a list of the newest ends after its page.
    return Ticket.objects.filter(of_teams_of(user) | Q(pk__in=_reached(user)))


def open_in_sight_of(user: User, roster: Roster) -> EscalationQuerySet:
    """The open escalations of tickets this person may open.

    Asks only for what they may not see, of private teams, which is little or nothing: so that a
    list of the oldest costs the same however many tickets there are. An open escalation holds its
    ticket, which is therefore never an ended one.
    """
    found = Escalation.objects.open()
    closed = roster.teams.keys() - {team.pk for team in roster.teams_known_to(user)}
    if not closed:
        return found
    unseen = Ticket.objects.unfinished().filter(team__in=closed).exclude(pk__in=_reached(user))
    return found.exclude(ticket__in=unseen.values("pk"))


def _reached(user: User) -> QuerySet[Handoff, Any]:
    """The ids of tickets whose escalation is offered to this person, or was accepted by them."""
    return (
        Handoff.objects.filter(
            Q(outcome=HandoffOutcome.PENDING, escalation__state=State.OFFERED)
            | Q(outcome=HandoffOutcome.ACCEPTED, escalation__state=State.ACCEPTED)
        )
        .filter(
            Q(to_team__in=user.teams.values("pk"))
            | Q(to_team__in=user.led_teams.values("pk"))
            | Q(to_team__on_call=user)
            | Q(to_user=user)
            | Q(escalation__owner=user)
        )
        .values("escalation__ticket")
    )
