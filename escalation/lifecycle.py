"""An escalation's life, a verb a function: escalate, accept, hand on, offer again, resolve.

(Declined and sent back stand in ``returning``.)

Each locks the ticket first, checks the state it expects under that lock, changes, records
and tells. Texts are what a person wrote; who may do what is checked here and not in pages.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import authority, followups, gate, handoffs, letters, opening, targets
from escalation.cases import Case, open_case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import HandoffOutcome, Kind, State, Trigger
from escalation.opening import Request
from escalation.packages import collect
from escalation.policyspec import Act
from escalation.promises import answers_for
from escalation.targets import Destination
from notifications.values import phrase
from staff.models import User
from tickets.errors import Refused
from tickets.models.followup import FollowUpKind


@transaction.atomic
def escalate(
    *,
    ticket_id: int,
    request: Request,
    team_id: int,
    user_id: int | None = None,
    now: datetime,
    by: User,
) -> Escalation:
    """Escalate a ticket to a team, or one of its people, and tell the customer.

    Raises ``Ticket.DoesNotExist``; ``Refused`` where the ticket is over, already escalated
    this way, or cannot go there; ``GateClosed`` where required details or a note are missing, and
    ``CompletionNeeded`` of the procedure.
    """
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    if case.ticket.is_ended:
        raise Refused(_("%(ref)s is over; reopen it first.") % {"ref": case.ticket.reference})
    if (already := case.open_of(request.kind)) is not None:
        raise authority.WrongState(
            _("%(ref)s is already escalated to %(team)s.")
            % {"ref": case.ticket.reference, "team": case.current(already).to_team}
        )
    if request.promised is not None and request.promised <= now:
        raise Refused(_("The time to expect a reply has to lie ahead."), field="promised")
    gate.check_completion(
        case=case, ledger=ledger, act=Act.ESCALATE, who=by, override=request.training_override
    )
    gate.check(case=case, request=request)
    escalation = opening.open_escalation(
        case=case,
        ledger=ledger,
        request=request,
        destination=_destination(case, request.kind, team_id, user_id),
        materials=collect([case.ticket]),
    )
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def accept(
    *,
    escalation_id: int,
    first_step: str = "",
    training_override: str = "",
    now: datetime,
    by: User,
) -> Escalation:
    """Take on what is offered; the customer hears who works on it.

    ``first_step`` completes "… begins with"; ``training_override`` is why it cannot wait for a
    completion of the procedure. Raises ``Escalation.DoesNotExist``, ``WrongState`` when it is not
    offered any more, ``NotAllowed`` for anybody it was not offered to, and ``CompletionNeeded``.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.OFFERED)
    authority.must_receive(case, escalation, handoff, by)
    gate.check_completion(
        case=case, ledger=ledger, act=Act.ACCEPT, who=by, override=training_override
    )
    take_on(
        case=case,
        ledger=ledger,
        escalation=escalation,
        handoff=handoff,
        owner=by,
        first_step=first_step,
    )
    ledger.flush(ring=True)
    return escalation


def take_on(
    *,
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    handoff: Handoff,
    owner: User,
    first_step: str,
) -> None:
    """An offer has found its owner, who took it or was named by a lead."""
    handoffs.answer(case, ledger, handoff, HandoffOutcome.ACCEPTED)
    handoffs.end_acceptance(case, ledger, handoff, met=True)
    ledger.change(escalation, state=State.ACCEPTED, owner_id=owner.pk, accepted_at=ledger.now)
    handoffs.drop_follow_ups(case, ledger, escalation, FollowUpKind.RETURNED)
    if escalation.promises.exists():
        ledger.letter(
            letters.accepted(
                escalation=escalation,
                ticket=case.ticket,
                handoff=handoff,
                owner=owner,
                due=case.promise.due_at if case.promise and case.promise.is_live else None,
                first_step=first_step or phrase("a_closer_look"),
                missing=[
                    detail for detail in case.gathered.missing if detail.key in case.gathered.asked
                ],
            )
        )
    ledger.event(
        case.ticket,
        "accepted",
        escalation=escalation.pk,
        handoff=handoff.pk,
        owner=owner.pk,
        by_lead=owner != ledger.by,
    )


@transaction.atomic
def hand_on(
    *,
    escalation_id: int,
    team_id: int,
    user_id: int | None = None,
    note: str = "",
    now: datetime,
    by: User,
) -> Escalation:
    """Pass an escalation, offered or accepted, to another team; the promise stays.

    Raises ``WrongState``, ``NotAllowed``, ``Refused`` when it goes to where it is.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.OFFERED, State.ACCEPTED)
    if escalation.state == State.OFFERED:
        authority.must_receive(case, escalation, handoff, by)
    else:
        authority.must_own(case, escalation, handoff, by)
    destination = _destination(case, Kind(escalation.kind), team_id, user_id)
    if destination == Destination(handoff.to_team, handoff.to_user):
        raise Refused(_("It is there already."), field="team")
    handoffs.pass_on(
        case=case,
        ledger=ledger,
        escalation=escalation,
        handoff=handoff,
        destination=destination,
        materials=collect([case.ticket]),
        note=note,
    )
    ledger.notice(
        key=f"{escalation.key}:{handoff.number}:handed_on",
        to=(answers_for(case),),
        kind="staff_returned",
        ticket=case.ticket,
        how=phrase("handed_on"),
        by=by.name,
        team=handoff.to_team.name,
        reason=note,
    )
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def offer_again(
    *,
    escalation_id: int,
    team_id: int,
    user_id: int | None = None,
    note: str = "",
    override_reason: str = "",
    training_override: str = "",
    now: datetime,
    by: User,
) -> Escalation:
    """Offer what came back, there or elsewhere; the gate stands here too.

    Raises ``WrongState`` when it has not come back, ``GateClosed``, ``CompletionNeeded``.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.RETURNED)
    destination = _destination(case, Kind(escalation.kind), team_id, user_id)
    request = Request(
        kind=Kind(escalation.kind),
        trigger=Trigger(escalation.trigger),
        nature=escalation.nature,
        urgency=escalation.urgency,
        ask=note or escalation.ask or escalation.reason,
        override_reason=override_reason,
    )
    gate.check_completion(
        case=case, ledger=ledger, act=Act.ESCALATE, who=by, override=training_override
    )
    gate.check(case=case, request=request)
    missing = [detail.key for detail in case.gathered.missing]
    ledger.change(
        escalation,
        incomplete=bool(missing),
        missing=missing,
        override_reason=override_reason or escalation.override_reason,
    )
    handoffs.drop_follow_ups(case, ledger, escalation, FollowUpKind.RETURNED)
    opening.offer(
        case=case,
        ledger=ledger,
        escalation=escalation,
        destination=destination,
        materials=collect([case.ticket]),
        note=note or handoff.note,
    )
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def resolve(
    *, escalation_id: int, outcome: str, cause: str = "", now: datetime, by: User
) -> Escalation:
    """End an escalation with what came of it; the ticket stays the assignee's to resolve.

    Its owner can, and a lead of the team that has it; what came back, the assignee too.
    Raises ``WrongState``, ``NotAllowed``, ``Refused`` without an outcome.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.ACCEPTED, State.RETURNED)
    if not (escalation.state == State.RETURNED and case.ticket.assignee_id == by.pk):
        authority.must_own(case, escalation, handoff, by)
    outcome = outcome.strip()
    if not outcome:
        raise Refused(_("Say what came of it."), field="outcome")
    ledger.change(
        escalation,
        state=State.RESOLVED,
        outcome=outcome,
        cause=cause.strip(),
        ended_at=now,
        ended_by_id=by.pk,
    )
    ledger.event(case.ticket, "escalation_resolved", escalation=escalation.pk)
    handoffs.drop_follow_ups(case, ledger, escalation)
    if not case.open_escalations:
        ledger.hold(case.ticket, False)
    followups.confirm_with_the_customer(case=case, ledger=ledger, escalation=escalation)
    ledger.flush(ring=True)
    return escalation


def _destination(case: Case, kind: Kind, team_id: int, user_id: int | None) -> Destination:
    """What a person chose, checked. Raises ``Refused`` naming the field."""
    team = case.roster.teams.get(team_id)
    if team is None:
        raise Refused(_("Choose a team."), field="team")
    user = case.roster.users.get(user_id) if user_id is not None else None
    if user_id is not None and (
        user is None or not targets.may_receive(roster=case.roster, team=team, user=user)
    ):
        raise Refused(_("Choose somebody of this team."), field="user")
    if kind == Kind.HIERARCHICAL and user is None:
        user = case.roster.lead_or_above(team)
    if kind == Kind.FUNCTIONAL and team.pk == case.ticket.team_id:
        raise Refused(_("The ticket is with this team already."), field="team")
    return Destination(team, user)
