"""“We have your request”: the first letter, which names the time of the first response."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Count
from django.db.models.functions import Lower

from escalation import letters
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Clock
from escalation.models.clock import ClockKind, ClockState
from notifications.models import OutgoingEmail
from tickets.models.ticket import Channel

#: Mail that writes to us by itself must not get us writing back for ever (RFC 3834, section 2).
AT_MOST = 3
WITHIN = timedelta(hours=1)

WELCOMED = (Channel.MAIL, Channel.WEB)


def greet(*, cases: Sequence[Case], ledger: Ledger) -> None:
    """Welcome the tickets whose first-response clock has just begun and still runs.

    An address gets at most three of these an hour.
    """
    new = [(case, clock) for case in cases if (clock := _just_begun(case)) is not None]
    if not new:
        return
    counts = _recent([case.ticket.requester.email for case, _clock in new], ledger)
    for case, clock in new:
        address = case.ticket.requester.email.lower()
        counts[address] = counts.get(address, 0) + 1
        if counts[address] <= AT_MOST and clock.due_at is not None:
            ledger.letter(letters.received(ticket=case.ticket, due=clock.due_at))


def _just_begun(case: Case) -> Clock | None:
    if case.ticket.channel not in WELCOMED:
        return None
    for clock in case.clocks:
        if clock.kind == ClockKind.FIRST_RESPONSE and clock._state.adding:
            return clock if clock.state == ClockState.RUNNING else None
    return None


def _recent(addresses: Sequence[str], ledger: Ledger) -> dict[str, int]:
    return dict(
        OutgoingEmail.objects.annotate(address=Lower("to_address"))
        .filter(
            address__in={address.lower() for address in addresses},
            kind="received",
            queued_at__gt=ledger.now - WITHIN,
        )
        .values_list("address")
        .annotate(letters=Count("pk"))
    )
