"""A ticket ends, or opens again: resolved, closed, reopened.

The letters that go with it are the caller's: they name times that only the policy knows.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from staff.models import User
from tickets import locking, snoozing, status, timeline
from tickets.errors import Refused
from tickets.models import Contact, Ticket
from tickets.models.ticket import Status


@transaction.atomic
def resolve(
    *,
    ticket_id: int,
    outcome: str,
    cause: str = "",
    reopen_until: datetime,
    now: datetime,
    by: User,
) -> Ticket:
    """Resolve a ticket; a reply until ``reopen_until`` opens it again.

    Raises ``Refused`` without an outcome, while an escalation holds the ticket, or where it
    is over already.
    """
    ticket = locking.lock(ticket_id)
    outcome = outcome.strip()
    if ticket.is_ended:
        raise Refused(_("%(ref)s is over already.") % {"ref": ticket.reference})
    if ticket.held:
        raise Refused(
            _("An escalation of %(ref)s is open; resolve that first.") % {"ref": ticket.reference}
        )
    if not outcome:
        raise Refused(_("Say what came of it."), field="outcome")
    status.change(
        ticket=ticket,
        to=Status.RESOLVED,
        now=now,
        by=by,
        outcome=outcome,
        cause=cause.strip(),
        resolved_at=now,
        reopen_until=reopen_until,
        waiting_since=None,
    )
    snoozing.wake(ticket=ticket, now=now, by=by)
    timeline.record(ticket=ticket, kind="resolved", now=now, by=by)
    return ticket


@transaction.atomic
def close(*, ticket_id: int, now: datetime, by: User | None) -> Ticket:
    """Close a resolved ticket for good. Raises ``Refused`` for any other."""
    ticket = locking.lock(ticket_id)
    if ticket.status != Status.RESOLVED:
        raise Refused(_("%(ref)s has to be resolved first.") % {"ref": ticket.reference})
    status.change(ticket=ticket, to=Status.CLOSED, now=now, by=by, closed_at=now)
    timeline.record(ticket=ticket, kind="closed", now=now, by=by)
    return ticket


@transaction.atomic
def reopen(
    *, ticket_id: int, now: datetime, by: User | None = None, contact: Contact | None = None
) -> Ticket:
    """Open an ended ticket again, by staff or since its customer answered.

    Raises ``Refused`` where it is not over.
    """
    ticket = locking.lock(ticket_id)
    if not ticket.is_ended:
        raise Refused(_("%(ref)s is open.") % {"ref": ticket.reference})
    status.change(
        ticket=ticket,
        to=Status.OPEN,
        now=now,
        by=by,
        contact=contact,
        resolved_at=None,
        closed_at=None,
        reopen_until=None,
        reopened_count=ticket.reopened_count + 1,
    )
    timeline.record(
        ticket=ticket,
        kind="reopened",
        now=now,
        by=by,
        contact=contact,
        data={"times": ticket.reopened_count},
    )
    return ticket
