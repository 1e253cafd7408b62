"""An escalation is taken back: withdrawn by who escalated, or de-escalated by a lead.

What has not left the house is called back with it. Where the customer has been told nothing
yet, nothing was promised either, and the promise that stood before stands again. What they
have been told stays a promise to them, and the assignee's to keep, until word has reached them
or another time replaces it: a withdrawal here changes nothing about what they read.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import authority, handoffs, letters, paths, promises
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import OPEN, HandoffOutcome, State
from notifications import outbox
from notifications.values import moment, phrase
from staff.models import User
from tickets import gathering
from tickets.errors import Refused

UNDO: timedelta = letters.UNDO
"""As long as the letter waits, no reason is asked for: it was a slip."""

LETTERS = ("escalated", "accepted")
"""What the customer hears of an escalation alone; an update stays true without it."""


@transaction.atomic
def withdraw(*, escalation_id: int, reason: str = "", now: datetime, by: User) -> Escalation:
    """Take back what one has escalated oneself; within ten seconds without giving a reason.

    Raises ``Escalation.DoesNotExist``; ``WrongState`` when it has ended; ``NotAllowed`` for
    anybody else, and for what a rule escalated; ``Refused`` without a reason later on.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, *OPEN)
    if not authority.may_withdraw(escalation=escalation, user=by):
        raise authority.NotAllowed(
            _("Only who escalated it can withdraw it; a lead can de-escalate it.")
        )
    reason = reason.strip()
    if not reason and not can_undo(escalation, now):
        raise Refused(_("Say why it is withdrawn."), field="reason")
    _take_back(case, ledger, escalation, handoff, State.WITHDRAWN, reason)
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def de_escalate(*, escalation_id: int, reason: str, now: datetime, by: User) -> Escalation:
    """End an escalation since the need for it is gone.

    A lead of the team that has it, or of the ticket's own, can; and whoever answers for all.
    Raises ``WrongState``, ``NotAllowed``, ``Refused`` without a reason.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, *OPEN)
    if not authority.may_lead(case=case, handoff=handoff, user=by):
        raise authority.NotAllowed(_("Only a lead of these teams can do this."))
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why it is not needed any more."), field="reason")
    _take_back(case, ledger, escalation, handoff, State.DE_ESCALATED, reason)
    ledger.flush(ring=True)
    return escalation


def can_undo(escalation: Escalation, now: datetime) -> bool:
    """Whether it is so fresh that taking it back asks for no reason."""
    return escalation.is_open and escalation.opened_at <= now < escalation.opened_at + UNDO


def _take_back(
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    handoff: Handoff,
    state: State,
    reason: str,
) -> None:
    ticket, now, by = case.ticket, ledger.now, ledger.by
    concerned = _concerned(case, escalation, handoff, by)
    if handoff.outcome == HandoffOutcome.PENDING:
        handoffs.end_acceptance(case, ledger, handoff, met=False)
        handoffs.answer(case, ledger, handoff, HandoffOutcome.ENDED, reason=reason[:2000])
    ledger.change(
        escalation,
        state=state,
        outcome=reason,
        ended_at=now,
        ended_by_id=by.pk if by else None,
    )
    ledger.event(ticket, str(state), escalation=escalation.pk)
    handoffs.drop_follow_ups(case, ledger, escalation)
    if not case.open_escalations:
        ledger.hold(ticket, False)
    _take_back_letters(case, ledger, escalation)
    promise = case.promise
    ledger.notice(
        key=f"{escalation.key}:{state}",
        to=concerned,
        kind="staff_escalation_ended",
        ticket=ticket,
        how=phrase(str(state)),
        by=by.name if by else "",
        team=handoff.to_team.name,
        reason=reason,
        due=moment(promise.due_at if promise is not None and promise.is_live else None),
    )


def _take_back_letters(case: Case, ledger: Ledger, escalation: Escalation) -> None:
    """Call the letters back; what they would have said was neither promised nor asked for."""
    recalled = {
        kind: outbox.withdraw(
            about=case.ticket.about,
            kinds=(kind,),
            keys_starting=[f"{escalation.key}:"],
            now=ledger.now,
        )
        for kind in LETTERS
    }
    if any(recalled.values()):
        promises.take_back_untold(case=case, ledger=ledger)
    if recalled["escalated"]:
        gathering.unask(ticket=case.ticket, asked_at=escalation.opened_at)


def _concerned(case: Case, escalation: Escalation, handoff: Handoff, by: User | None) -> list[User]:
    """Whom it was offered to and who were asked since, or who owns it; and both who escalated it
    and who answers to the customer. Nobody is told of what they have just done themselves.
    """
    users = case.roster.users
    people = [
        users.get(escalation.owner_id or 0),
        users.get(escalation.opened_by_id or 0),
        promises.answers_for(case),
    ]
    if handoff.outcome == HandoffOutcome.PENDING:
        people += paths.receivers(handoff=handoff, roster=case.roster)
        people += [users.get(step.user_id or 0) for step in case.steps.get(handoff.pk, [])]
    found = {person.pk: person for person in people if person is not None and person != by}
    return list(found.values())
