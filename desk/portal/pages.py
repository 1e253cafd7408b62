"""What the portal's pages show: a contact's tickets, and one of them without what is internal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from desk import statuspage
from desk.statuspage import Standing
from tickets import gathering, portal
from tickets.models import Attachment, Contact, Message, RequiredDetail, Ticket
from tickets.models.ticket import Status

TICKETS = 25
MESSAGES = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in the list; a status in words that ask for something only where we do."""

    ticket: Ticket
    word: str
    level: str
    symbol: str


@dataclass(frozen=True, slots=True)
class OwnTickets:
    rows: tuple[Row, ...]
    #: Where the next page begins: before this number.
    older: int | None


def own_tickets(contact: Contact, *, before: int | None) -> OwnTickets:
    """A page of what a contact may see, newest first, in one query."""
    tickets = Ticket.objects.visible_to_contact(contact).select_related("requester")
    if before is not None:
        tickets = tickets.filter(pk__lt=before)
    found = list(tickets.order_by("-pk")[: TICKETS + 1])
    older = found[TICKETS - 1].pk if len(found) > TICKETS else None
    return OwnTickets(tuple(_row(ticket) for ticket in found[:TICKETS]), older)


def _row(ticket: Ticket) -> Row:
    if ticket.status == Status.CLOSED:
        return Row(ticket, _("Closed"), "idle", "archive")
    if ticket.status == Status.RESOLVED:
        return Row(ticket, _("Solved? Please check"), "ok", "circle-check")
    if ticket.status == Status.WAITING:
        return Row(ticket, _("Waits for you"), "warn", "message-question")
    return Row(ticket, _("With us"), "info", "circle-dot")


@dataclass(frozen=True, slots=True)
class Page:
    """A ticket as a customer sees it, and what they may do."""

    ticket: Ticket
    standing: Standing
    messages: tuple[Message, ...]
    older: int | None
    missing: tuple[RequiredDetail, ...]
    is_own: bool
    can_ask_to_escalate: bool
    can_reopen: bool
    can_confirm: bool

    def offers(self, action: str) -> bool:
        """Whether the page has a form for this."""
        possible = {
            "details": bool(self.missing),
            "escalate": not self.ticket.is_ended,
            "mute": False,
            "reopen": self.can_reopen,
            "solved": self.can_confirm,
        }
        return possible.get(action, True)

    @property
    def required(self) -> Mapping[str, RequiredDetail]:
        return {detail.key: detail for detail in self.missing}


def find(contact: Contact, reference: str) -> Ticket | None:
    """The ticket of this reference, if the contact may see it."""
    number = Ticket.number_in(reference)
    if number is None:
        return None
    return (
        Ticket.objects.visible_to_contact(contact)
        .select_related("requester", "team__tier", "category", "assignee")
        .filter(pk=number)
        .first()
    )


def page_of(ticket: Ticket, contact: Contact, *, before: int | None, now: datetime) -> Page:
    """Gather a ticket's page in a fixed number of queries."""
    messages, older = _messages(ticket, before)
    gathered = gathering.gathered(ticket)
    open_to_reopen = ticket.reopen_until is None or now <= ticket.reopen_until
    asked = ticket.asked_to_escalate_at
    return Page(
        ticket=ticket,
        standing=statuspage.standing(ticket, now=now),
        messages=messages,
        older=older,
        missing=() if ticket.is_ended else gathered.missing,
        is_own=ticket.requester_id == contact.pk,
        can_ask_to_escalate=not ticket.is_ended
        and (asked is None or now - asked >= portal.ASKS_AGAIN_AFTER),
        can_reopen=ticket.status == Status.RESOLVED and open_to_reopen,
        can_confirm=ticket.status == Status.RESOLVED,
    )


def _messages(ticket: Ticket, before: int | None) -> tuple[tuple[Message, ...], int | None]:
    found = Message.objects.filter(ticket=ticket, internal=False, unverified=False)
    if before is not None:
        found = found.filter(pk__lt=before)
    newest = list(
        found.select_related("contact", "user")
        .prefetch_related(Prefetch("attachments", Attachment.objects.order_by("pk")))
        .order_by("-pk")[: MESSAGES + 1]
    )
    older = newest[MESSAGES - 1].pk if len(newest) > MESSAGES else None
    return tuple(reversed(newest[:MESSAGES])), older


def attachment(ticket: Ticket, pk: int) -> Attachment | None:
    """A file of a message that the customer may read."""
    return Attachment.objects.filter(
        pk=pk,
        message__ticket=ticket,
        message__internal=False,
        message__unverified=False,
    ).first()
