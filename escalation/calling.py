"""A call that is written down as a ticket, and confirmed to who called where they wish it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from escalation import letters, review
from escalation.cases import open_case
from escalation.models.clock import ClockKind
from staff.models import User
from tickets import calls, locking
from tickets.models import Message


@transaction.atomic
def take(*, tell: bool, now: datetime, by: User, **call: Any) -> Message:
    """Log a call (``tickets.calls.log``); with ``tell`` the caller gets “We have your request”.

    The letter names the time of the first response, so the clocks are begun at once for it.
    """
    message = calls.log(now=now, by=by, **call)
    if not tell:
        return message
    review.reconcile(tickets=[locking.lock(message.ticket_id)], now=now)
    case, ledger = open_case(ticket_id=message.ticket_id, now=now, by=by)
    clock = next((c for c in case.clocks if c.kind == ClockKind.FIRST_RESPONSE and c.due_at), None)
    if clock is not None and clock.due_at is not None:
        ledger.letter(letters.received(ticket=case.ticket, due=clock.due_at))
        ledger.flush(ring=True)
    return message
