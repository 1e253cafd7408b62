"""Snoozing: a ticket out of sight until a time, or until its customer has something to say.

It hides nothing from the engine: clocks, promises and escalations go on.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from staff.models import User
from tickets import locking, timeline
from tickets.errors import Refused
from tickets.models import Contact, Snooze, Ticket


@transaction.atomic
def snooze(*, ticket_id: int, until: datetime, reason: str = "", now: datetime, by: User) -> Snooze:
    """Hide a ticket until a moment; one that is hidden already is hidden until this one.

    Raises ``Refused`` for a ticket that is over, and for a time that does not lie ahead.
    """
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    if until <= now:
        raise Refused(_("The time has to lie ahead."), field="until")
    Snooze.objects.open().filter(ticket=ticket).update(woken_at=now)
    snoozed = Snooze.objects.create(
        ticket=ticket, until=until, reason=reason.strip(), set_at=now, by=by
    )
    timeline.record(
        ticket=ticket, kind="snoozed", now=now, by=by, data={"until": until.isoformat()}
    )
    return snoozed


@transaction.atomic
def unsnooze(*, ticket_id: int, now: datetime, by: User) -> None:
    """Bring a ticket back in sight by hand; doing it again changes nothing."""
    wake(ticket=locking.lock(ticket_id), now=now, by=by)


def wake(
    *, ticket: Ticket, now: datetime, by: User | None = None, contact: Contact | None = None
) -> bool:
    """Bring a locked ticket back in sight; whether it was hidden."""
    woken = Snooze.objects.open().filter(ticket=ticket).update(woken_at=now)
    if woken:
        timeline.record(ticket=ticket, kind="woken", now=now, by=by, contact=contact)
    return bool(woken)
