"""The ticket's row is locked first, always; then whatever hangs on it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from tickets.errors import Refused, Stale
from tickets.models import Ticket


def lock(ticket_id: int) -> Ticket:
    """Lock a ticket until the transaction ends, and read it with what every station needs.

    Waits for whoever holds it. Foreign keys to the ticket may still be added meanwhile.
    Raises ``Ticket.DoesNotExist``.
    """
    return (
        Ticket.objects.select_related(
            "team__tier", "requester", "organization__plan", "category", "assignee"
        )
        .select_for_update(of=("self",), no_key=True)
        .get(pk=ticket_id)
    )


def lock_alone(ticket_id: int) -> Ticket:
    """As ``lock``, but nothing is read along: for who asks for little of what hangs on it.

    To plan a join of seven tables takes PostgreSQL longer than all the rest.
    Raises ``Ticket.DoesNotExist``.
    """
    for ticket in Ticket.objects.raw(
        "SELECT * FROM tickets_ticket WHERE id = %s FOR NO KEY UPDATE", [ticket_id]
    ):
        return ticket
    raise Ticket.DoesNotExist


def changed_since(ticket: Ticket, version: int) -> None:
    """Raise ``Stale`` where the ticket is no longer as it was in the version somebody saw."""
    if ticket.version != version:
        raise Stale(
            _(
                "%(ref)s has been changed by somebody else meanwhile. Look at it as it is now,"
                " and send again what still holds."
            )
            % {"ref": ticket.reference}
        )


def must_be_open(ticket: Ticket) -> None:
    """Raise ``Refused`` for a ticket that is resolved or closed."""
    if ticket.is_ended:
        raise Refused(_("%(ref)s is over; reopen it first.") % {"ref": ticket.reference})
