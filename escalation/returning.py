"""An escalation comes back: declined before it was accepted, or sent back after.

Path and acceptance clock stop. The assignee has it again at once; the team's lead hears of
it if nobody has offered it again within the acceptance target.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import authority, handoffs
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import HandoffOutcome, ReturnReason, State
from escalation.promises import answers_for, lead_for
from notifications.values import phrase
from staff.models import User
from tickets.errors import Refused
from tickets.models import FollowUp
from tickets.models.followup import FollowUpKind


@transaction.atomic
def decline(
    *,
    escalation_id: int,
    reason_code: ReturnReason,
    reason: str = "",
    missing: Sequence[str] = (),
    now: datetime,
    by: User,
) -> Escalation:
    """Refuse an offer; the assignee gets it back with the reason and what is missing.

    ``missing`` are keys of the category's required details. Raises as ``accept`` does.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.OFFERED)
    authority.must_receive(case, escalation, handoff, by)
    _return(
        case, ledger, escalation, handoff, HandoffOutcome.DECLINED, reason_code, reason, missing
    )
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def send_back(
    *,
    escalation_id: int,
    reason_code: ReturnReason,
    reason: str = "",
    missing: Sequence[str] = (),
    now: datetime,
    by: User,
) -> Escalation:
    """Return what was accepted, with a reason; only its owner, or a lead, can.

    Raises ``WrongState`` when it is not accepted, ``NotAllowed``.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.ACCEPTED)
    authority.must_own(case, escalation, handoff, by)
    _return(
        case, ledger, escalation, handoff, HandoffOutcome.SENT_BACK, reason_code, reason, missing
    )
    ledger.flush(ring=True)
    return escalation


def _return(
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    handoff: Handoff,
    outcome: HandoffOutcome,
    reason_code: ReturnReason,
    reason: str,
    missing: Sequence[str],
) -> None:
    known = {detail.key: detail for detail in case.gathered.required}
    if unknown := [key for key in missing if key not in known]:
        raise Refused(
            _("No such detail: %(keys)s.") % {"keys": ", ".join(unknown)}, field="missing"
        )
    if reason_code == ReturnReason.OTHER and not reason.strip():
        raise Refused(_("Say in words why it comes back."), field="reason")
    handoffs.end_acceptance(case, ledger, handoff, met=False)
    handoffs.answer(case, ledger, handoff, outcome, reason=reason.strip())
    ledger.change(handoff, reason_code=reason_code, missing=list(missing))
    ledger.change(escalation, state=State.RETURNED, owner_id=None)
    ledger.event(
        case.ticket,
        str(outcome),
        escalation=escalation.pk,
        handoff=handoff.pk,
        reason=str(reason_code),
        missing=list(missing),
    )
    person = answers_for(case)
    ledger.notice(
        key=f"{escalation.key}:{handoff.number}:returned",
        to=(person,),
        kind="staff_returned",
        ticket=case.ticket,
        how=phrase(str(outcome)),
        by=ledger.by.name if ledger.by else "",
        team=handoff.to_team.name,
        reason=reason.strip() or str(ReturnReason(reason_code).label),
        missing=[known[key].label for key in missing],
    )
    _ask_to_offer_again(case, ledger, escalation, handoff)


def _ask_to_offer_again(
    case: Case, ledger: Ledger, escalation: Escalation, handoff: Handoff
) -> None:
    """A follow-up for the assignee now, and for the lead once the acceptance target has passed."""
    ticket, now = case.ticket, ledger.now
    acceptance = case.policy.targets_for(plan=case.plan, priority=ticket.priority).acceptance
    # The notice has just told the assignee: the follow-up stands in the list, as fired.
    for_assignee = FollowUp(
        user=None,
        key=f"{escalation.key}:{handoff.number}:returned",
        due_at=now,
        fired_at=now,
        fired_count=1,
    )
    for_lead = FollowUp(
        user=lead_for(case),
        key=f"{escalation.key}:{handoff.number}:returned:lead",
        due_at=acceptance.after(now, case.own_time),
    )
    for follow_up in (for_assignee, for_lead):
        follow_up.ticket = ticket
        follow_up.kind = FollowUpKind.RETURNED
        follow_up.about = escalation.key
        follow_up.created_at = now
        follow_up.created_by = ledger.by
        ledger.add(follow_up)
        case.follow_ups.append(follow_up)
