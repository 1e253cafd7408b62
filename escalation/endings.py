"""A ticket ends: resolved with a word to the customer, closed after a quiet time, or reopened."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from escalation import letters
from escalation.cases import Case, open_case
from escalation.ledger import Ledger
from staff.models import User
from tickets import closing, locking, timeline
from tickets.models import Contact
from tickets.models.followup import FollowUpKind
from tickets.models.ticket import Status


@transaction.atomic
def resolve(*, ticket_id: int, outcome: str, cause: str = "", now: datetime, by: User) -> None:
    """Resolve a ticket and ask the customer to check.

    The customer's reply reopens it while the policy's window lasts. Raises ``Refused``
    without an outcome, while an escalation is open, or when the ticket is over already.
    """
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    reopen_until = case.policy.reopen.window.after(now, case.roster.plan_time(case.ticket))
    closing.resolve(
        ticket_id=ticket_id,
        outcome=outcome,
        cause=cause,
        reopen_until=reopen_until,
        now=now,
        by=by,
    )
    ledger.letter(
        letters.resolved(
            ticket=case.ticket,
            outcome=outcome.strip(),
            cause=cause.strip(),
            reopen_until=reopen_until,
        )
    )
    _settle_follow_ups(case, ledger, by)
    ledger.recall(case.ticket, case.ticket.reference)
    ledger.flush(ring=True)


@transaction.atomic
def close(*, ticket_id: int, now: datetime, by: User | None) -> None:
    """Close a resolved ticket and say so; by nobody when the quiet time has passed."""
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    closing.close(ticket_id=ticket_id, now=now, by=by)
    ledger.letter(letters.closed(ticket=case.ticket))
    ledger.recall(case.ticket, case.ticket.reference)
    ledger.flush(ring=True)


@transaction.atomic
def confirm(*, ticket_id: int, now: datetime, contact: Contact) -> None:
    """Close a resolved ticket since its customer says that it is solved.

    Raises ``Refused`` for any other.
    """
    ticket = locking.lock(ticket_id)
    close(ticket_id=ticket_id, now=now, by=None)
    timeline.record(ticket=ticket, kind="solution_confirmed", now=now, contact=contact)


@transaction.atomic
def reopen(*, ticket_id: int, now: datetime, by: User) -> None:
    """Open a resolved or closed ticket again; its clocks follow the policy."""
    closing.reopen(ticket_id=ticket_id, now=now, by=by)


def closes_at(case: Case) -> datetime | None:
    """When a resolved ticket closes by itself: never while a reply would still reopen it."""
    ticket = case.ticket
    if ticket.status != Status.RESOLVED or ticket.resolved_at is None:
        return None
    quiet = case.policy.auto_close_after.after(ticket.resolved_at, case.roster.plan_time(ticket))
    return max(quiet, ticket.reopen_until) if ticket.reopen_until is not None else quiet


def _settle_follow_ups(case: Case, ledger: Ledger, by: User) -> None:
    """To resolve is to confirm with the customer; whatever watched the work is not needed."""
    for follow_up in case.follow_ups:
        if follow_up.kind == FollowUpKind.CONFIRM:
            ledger.change(follow_up, done_at=ledger.now, done_by_id=by.pk)
        elif follow_up.kind != FollowUpKind.BY_HAND:
            ledger.change(follow_up, dropped_at=ledger.now)
