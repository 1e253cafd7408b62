"""Asking the customer for what is missing, with the time we answer in once it is here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import letters, promises
from escalation.cases import open_case
from staff.models import User
from tickets import gathering, locking, triage
from tickets.errors import Refused
from tickets.models.ticket import Status


@transaction.atomic
def ask(*, ticket_id: int, keys: Sequence[str], now: datetime, by: User) -> None:
    """Ask for missing details in one letter; the ticket waits for the customer from now on.

    It is a response, and it answers what they wrote; but it is no word on their matter, so
    that a promise is suspended by it and not kept. Raises ``Refused`` where nothing that is
    missing is asked for.
    """
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    ticket = case.ticket
    locking.must_be_open(ticket)
    asked = [detail for detail in case.gathered.missing if detail.key in set(keys)]
    if not asked:
        raise Refused(_("Choose what to ask for."), field="keys")
    if ticket.assignee_id is None:
        triage.take(ticket=ticket, assignee=by, now=now, by=by)
    gathering.mark_asked(ticket=ticket, keys=[detail.key for detail in asked], now=now, by=by)
    ticket.first_responded_at = ticket.first_responded_at or now
    ticket.waiting_since = None
    ticket.save(update_fields=("first_responded_at", "waiting_since"))
    ledger.letter(
        letters.detail_needed(
            ticket=ticket,
            asked=asked,
            target=promises.target_of(case, case.promise),
            now=now,
            by=by,
        )
    )
    ledger.flush(ring=True)
    triage.change_status(ticket=ticket, to=Status.WAITING, now=now, by=by)
