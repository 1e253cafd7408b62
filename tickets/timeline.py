"""A ticket's timeline: every change to a ticket is recorded here, and rings the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Least

from notifications.ring import ring_after_commit
from staff import setwise
from staff.models import User
from tickets.announcing import announce
from tickets.models import Contact, Event, Ticket

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened to a ticket; ``data`` holds ids and values, never texts."""

    ticket_id: int
    kind: str
    at: datetime
    user_id: int | None = None
    contact_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class _DatabaseNow(Func):
    """The database's clock as it is, not as it was when the transaction began."""

    template = "clock_timestamp()"
    output_field = DateTimeField()


def record(
    *,
    ticket: Ticket,
    kind: str,
    now: datetime,
    by: User | None = None,
    contact: Contact | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Record one thing that a member of staff, a contact or the system did to a ticket."""
    record_many(
        entries=[
            Entry(
                ticket_id=ticket.pk,
                kind=kind,
                at=now,
                user_id=by.pk if by else None,
                contact_id=contact.pk if contact else None,
                data=data or {},
            )
        ]
    )


def record_many(*, entries: Sequence[Entry], ring: bool = True) -> None:
    """Record what happened, tell webhooks, and have the engine look at those tickets at once.

    The review passes ``ring=False``: it plans the next look itself, and what it wrote is no
    cause to look again. A ticket is due by the earlier of the entry's time and the database's,
    so that a fast clock on a web server delays nothing and a simulated past is due.
    """
    if not entries:
        return
    now = max(entry.at for entry in entries)
    events = [
        setwise.new(
            Event,
            ticket_id=entry.ticket_id,
            kind=entry.kind,
            at=entry.at,
            user_id=entry.user_id,
            contact_id=entry.contact_id,
            data=dict(entry.data),
        )
        for entry in entries
    ]
    setwise.insert(rows=events)
    announce(events=events, now=now)
    transaction.on_commit(partial(_log, entries), robust=True)
    if not ring:
        return
    Ticket.objects.filter(pk__in={entry.ticket_id for entry in entries}).update(
        review_at=Least(Value(now, output_field=DateTimeField()), _DatabaseNow()), updated_at=now
    )
    ring_after_commit(settings.HELPDESK_REVIEW_TASK, "engine")


def _log(entries: Sequence[Entry]) -> None:
    """One line for one ticket or for all of a batch: a line each would cost an escalation a tenth."""
    tickets = sorted({f"HD-{entry.ticket_id}" for entry in entries})
    kinds = sorted({entry.kind for entry in entries})
    if len(tickets) == 1:
        logger.info("ticket_changed", ticket=tickets[0], kinds=kinds)
    else:
        logger.info("tickets_changed", tickets=tickets, kinds=kinds)
