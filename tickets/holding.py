"""Held tickets: while an escalation is open, a ticket can be neither resolved nor closed."""

from __future__ import annotations

from collections.abc import Collection

from tickets.models import Ticket


def hold(*, ticket_ids: Collection[int]) -> None:
    """Keep tickets open; a constraint in the database sees to it at every door."""
    _set(ticket_ids, held=True)


def release(*, ticket_ids: Collection[int]) -> None:
    """Let tickets be resolved again."""
    _set(ticket_ids, held=False)


def _set(ticket_ids: Collection[int], *, held: bool) -> None:
    if ticket_ids:
        Ticket.objects.filter(pk__in=ticket_ids).update(held=held)
