"""Which tickets a member of staff may see: their own teams', and what was escalated to them.

A private team's ticket is seen by nobody else, until that team escalates it: whoever it is
offered to, and whoever has accepted it, sees it for as long as it is theirs.
"""

from __future__ import annotations

from django.db.models import Q

from escalation.models import Handoff
from escalation.models.escalation import HandoffOutcome, State
from staff.models import User
from tickets.models import Ticket
from tickets.models.ticket import TicketQuerySet, of_teams_of


def in_sight_of(user: User) -> TicketQuerySet:
    """The tickets this person may open."""
    if user.sees_every_team:
        return Ticket.objects.all()
    theirs = Handoff.objects.filter(
        Q(outcome=HandoffOutcome.PENDING, escalation__state=State.OFFERED)
        | Q(outcome=HandoffOutcome.ACCEPTED, escalation__state=State.ACCEPTED)
    ).filter(
        Q(to_team__in=user.teams.values("pk"))
        | Q(to_team__in=user.led_teams.values("pk"))
        | Q(to_team__on_call=user)
        | Q(to_user=user)
        | Q(escalation__owner=user)
    )
    # Asked of each row as it is read: a list of the newest ends after its page.
    return Ticket.objects.filter(of_teams_of(user) | Q(pk__in=theirs.values("escalation__ticket")))
