"""Labels: a ticket's tags, the customer's own number for it, and the work item it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from staff.models import User
from tickets import locking, timeline
from tickets.models import Ticket

FIELDS = ("tags", "customer_reference", "work_item_url", "work_item_state")


@transaction.atomic
def label(*, ticket_id: int, labels: Mapping[str, Any], now: datetime, by: User) -> Ticket:
    """Set some of ``FIELDS``, also on a ticket that is over; what is so already is no change."""
    ticket = locking.lock(ticket_id)
    changed = [name for name in FIELDS if name in labels and getattr(ticket, name) != labels[name]]
    if not changed:
        return ticket
    for name in changed:
        setattr(ticket, name, labels[name])
    ticket.version += 1
    ticket.save(update_fields=(*changed, "version"))
    # The names alone: an event holds no texts.
    timeline.record(ticket=ticket, kind="labelled", now=now, by=by, data={"labels": changed})
    return ticket
