"""Who may do what with an escalation, and when; the stations ask here under the ticket's lock."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from escalation import targets
from escalation.cases import Case, open_case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import Kind, State
from escalation.roster import Roster
from staff.models import User
from tickets.errors import Refused
from tickets.models import Ticket


class WrongState(Refused):
    """The escalation is no longer where this could be done; somebody was faster."""


class NotAllowed(Refused):
    """Somebody else has to do this."""


def open(escalation_id: int, now: datetime, by: User) -> tuple[Case, Ledger, Escalation]:
    ticket_id = Escalation.objects.values_list("ticket", flat=True).get(pk=escalation_id)
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    return case, ledger, next(e for e in case.escalations if e.pk == escalation_id)


def expect(case: Case, escalation: Escalation, *states: State) -> Handoff:
    """Compare: whoever swaps after this does it under the ticket's lock."""
    if escalation.state not in states:
        raise WrongState(
            _("The escalation of %(ref)s is %(state)s by now.")
            % {
                "ref": case.ticket.reference,
                "state": str(escalation.get_state_display()).lower(),
            }
        )
    return case.current(escalation)


def must_receive(case: Case, escalation: Escalation, handoff: Handoff, by: User) -> None:
    if not may_answer(case=case, escalation=escalation, handoff=handoff, user=by):
        raise NotAllowed(
            _("This is offered to %(whom)s.") % {"whom": handoff.to_user or handoff.to_team}
        )


def may_answer(*, case: Case, escalation: Escalation, handoff: Handoff, user: User) -> bool:
    """Whether somebody may accept, decline or pass on an offer."""
    if case.roster.here_or_backup(handoff.to_user_id) == user:
        return True
    if escalation.kind == Kind.HIERARCHICAL:
        return handoff.to_user_id == user.pk or user.sees_every_team
    return targets.may_receive(roster=case.roster, team=handoff.to_team, user=user)


def may_end(*, case: Case, escalation: Escalation, handoff: Handoff, user: User) -> bool:
    """Whether somebody may send back, hand on or resolve what was accepted."""
    return (
        escalation.owner_id == user.pk
        or case.roster.here_or_backup(escalation.owner_id) == user
        or user.pk in case.roster.leads[handoff.to_team_id]
        or user.sees_every_team
    )


def may_withdraw(*, escalation: Escalation, user: User) -> bool:
    """Whether somebody may take back what they escalated themselves."""
    return escalation.opened_by_id == user.pk


def may_lead(*, case: Case, handoff: Handoff, user: User) -> bool:
    """Whether somebody answers for the team that has it, or for the ticket's own."""
    return leads(user=user, roster=case.roster, ticket=case.ticket, handoff=handoff)


def leads(*, user: User, roster: Roster, ticket: Ticket, handoff: Handoff) -> bool:
    """As ``may_lead``, without the case."""
    return (
        user.sees_every_team
        or user.pk in roster.leads[handoff.to_team_id]
        or (ticket.team_id is not None and user.pk in roster.leads[ticket.team_id])
    )


def may_name(*, case: Case, handoff: Handoff, user: User) -> bool:
    """Whether somebody may say who of the team that has it does the work."""
    return user.pk in case.roster.leads[handoff.to_team_id] or user.sees_every_team


def must_own(case: Case, escalation: Escalation, handoff: Handoff, by: User) -> None:
    if not may_end(case=case, escalation=escalation, handoff=handoff, user=by):
        raise NotAllowed(
            _("This is with %(owner)s.") % {"owner": escalation.owner or handoff.to_team}
        )
