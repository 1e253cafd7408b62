"""A ticket comes into another status: the one place where that is written.

Clocks follow the events recorded here, at the moments they happened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from staff.models import User
from tickets import timeline
from tickets.models import Contact, Ticket
from tickets.models.ticket import Status


def change(
    *,
    ticket: Ticket,
    to: Status,
    now: datetime,
    by: User | None = None,
    contact: Contact | None = None,
    **fields: Any,
) -> bool:
    """Bring a locked ticket into a status, writing ``fields`` along; whether it was in another.

    The version grows, so that a form made before is refused.
    """
    before = ticket.status
    for name, value in fields.items():
        setattr(ticket, name, value)
    changed = before != to
    if changed:
        ticket.status, ticket.status_since = to, now
        ticket.version += 1
        fields |= {"status": to, "status_since": now, "version": ticket.version}
    if fields:
        ticket.save(update_fields=list(fields))
    if changed:
        timeline.record(
            ticket=ticket,
            kind="status_changed",
            now=now,
            by=by,
            contact=contact,
            data={"from": before, "to": to.value},
        )
    return changed
