"""What ends with a hand-off: its answer, its acceptance clock, its follow-ups."""

from __future__ import annotations

from escalation import clocks, opening
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import HandoffOutcome
from escalation.packages import Materials
from escalation.targets import Destination
from tickets.models.followup import FollowUpKind


def answer(
    case: Case, ledger: Ledger, handoff: Handoff, outcome: HandoffOutcome, *, reason: str = ""
) -> None:
    """An offer is answered; whoever was asked or reminded by mails still queued need not be."""
    ledger.recall(case.ticket, f"{handoff.escalation.key}:{handoff.number}")
    # What was accepted and then sent back or handed on takes the later outcome.
    ledger.change(
        handoff,
        outcome=outcome,
        outcome_at=ledger.now,
        outcome_by_id=ledger.by.pk if ledger.by else None,
        reason=reason,
    )


def end_acceptance(case: Case, ledger: Ledger, handoff: Handoff, *, met: bool) -> None:
    clock = case.clock_of(handoff)
    if clock is not None and clock.is_live:
        clocks.end(clock=clock, ledger=ledger, at=ledger.now, met=met)


def drop_follow_ups(
    case: Case, ledger: Ledger, escalation: Escalation, kind: FollowUpKind | None = None
) -> None:
    """What an escalation's follow-ups (of one kind) asked for is no longer needed."""
    for follow_up in case.follow_ups:
        wanted = kind is None or follow_up.kind == kind
        if follow_up.about == escalation.key and follow_up.is_open and wanted:
            ledger.change(follow_up, dropped_at=ledger.now)
            ledger.recall(case.ticket, follow_up.key)


def pass_on(
    *,
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    handoff: Handoff,
    destination: Destination,
    materials: Materials,
    note: str = "",
) -> Handoff:
    """End a hand-off as handed on and make the next; the path's last resort does it too."""
    end_acceptance(case, ledger, handoff, met=False)
    answer(case, ledger, handoff, HandoffOutcome.HANDED_ON, reason=note)
    return opening.offer(
        case=case,
        ledger=ledger,
        escalation=escalation,
        destination=destination,
        materials=materials,
        note=note,
    )
