"""Intake: what a customer says becomes a ticket, or a message on one, whatever door it came by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from staff import editions
from staff.models import User
from tickets import attachments as files
from tickets import closing, gathering, locking, snoozing, status, timeline, verifying
from tickets.attachments import IncomingFile
from tickets.models import Category, Contact, Message, Ticket
from tickets.models.customers import Complexity
from tickets.models.ticket import Channel, Level, MessageKind, SenderVerdict, Status
from tickets.thanks import says_only_thanks
from tickets.triage import category_for, priority_of, team_for

LONGEST_SUBJECT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What came through a door, before it is known what becomes of it.

    ``message_id`` has its angle brackets; ``automatic`` is mail that no person wrote (RFC 3834).
    """

    text: str
    channel: Channel
    quoted: str = ""
    has_html: bool = False
    attachments: Sequence[IncomingFile] = ()
    message_id: str = ""
    sender_verdict: str = SenderVerdict.NONE
    automatic: bool = False


@transaction.atomic(savepoint=False)
def open_ticket(
    *,
    contact: Contact,
    subject: str,
    incoming: Incoming,
    now: datetime,
    continues: Ticket | None = None,
    category: Category | None = None,
    details: Mapping[str, str] | None = None,
    customer_reference: str = "",
    tags: Sequence[str] = (),
    by: User | None = None,
) -> Message:
    """Open a ticket with its first message; answers that message.

    A category that was chosen and details that were filled in, by key, are taken; otherwise
    category, team and details come from what is said. Impact and urgency start in the middle
    and wait for a person to assess them. What ``continues`` a closed ticket stays with its
    people. ``by`` is who handed it in for the customer.
    """
    _take_proof(contact, incoming, now)
    edition = editions.current()
    if continues is not None:
        category = continues.category
    elif category is None:
        category = category_for(subject=subject, text=incoming.text, edition=edition)
    ticket = Ticket.objects.create(
        subject=subject[:LONGEST_SUBJECT],
        channel=incoming.channel,
        requester=contact,
        organization_id=contact.organization_id,
        category=category,
        complexity=category.complexity if category else Complexity.MODERATE,
        team=continues.team if continues else team_for(category=category, edition=edition),
        assignee=continues.assignee if continues else None,
        impact=Level.MEDIUM,
        urgency=Level.MEDIUM,
        priority=priority_of(impact=Level.MEDIUM, urgency=Level.MEDIUM),
        continues=continues,
        customer_reference=customer_reference,
        tags=list(tags),
        created_at=now,
        updated_at=now,
        status_since=now,
        waiting_since=now,
        last_message_at=now,
    )
    if Contact.organization.is_cached(contact):  # whoever read it along asks for it again
        ticket.organization = contact.organization
    message = _write(ticket=ticket, contact=contact, incoming=incoming, now=now)
    timeline.record(
        ticket=ticket,
        kind="ticket_opened",
        now=now,
        by=by,
        contact=contact,
        data={"message": message.pk, "continues": continues.pk if continues else None},
    )
    if details:
        gathering.give(ticket=ticket, message=message, values=details, now=now)
    if not incoming.automatic:
        gathering.find_in(ticket=ticket, messages=[message], now=now, edition=edition)
    return message


@transaction.atomic(savepoint=False)
def append_message(
    *,
    ticket_id: int,
    contact: Contact,
    incoming: Incoming,
    now: datetime,
    unverified: bool = False,
    by: User | None = None,
) -> Message:
    """Put what somebody at a customer says on a ticket; answers the message.

    Automatic mail, and what an unverified sender says, is filed as internal and moves nothing;
    mere thanks move nothing either. Anything else waits for a reply: it wakes a ticket that
    waits or is on hold, reopens one that is resolved, and opens a new, linked ticket where the
    old one is closed or its time to reopen is over.
    """
    _take_proof(contact, incoming, now)
    verifying.hold(contact=contact)
    ticket = locking.lock_alone(ticket_id)
    thanks = says_only_thanks(
        incoming.text,
        has_attachments=bool(incoming.attachments),
        names=_names(contact, ticket),
    )
    moves = not (incoming.automatic or unverified or thanks)
    if moves and is_past_reopening(ticket, now):
        return open_ticket(
            contact=contact,
            subject=ticket.subject,
            incoming=incoming,
            continues=ticket,
            now=now,
            by=by,
        )
    message = _write(
        ticket=ticket,
        contact=contact,
        incoming=incoming,
        unverified=unverified,
        thanks=thanks,
        now=now,
    )
    timeline.record(
        ticket=ticket,
        kind="message_received",
        now=now,
        by=by,
        contact=contact,
        data={"message": message.pk},
    )
    if moves:
        wake(ticket=ticket, message=message, contact=contact, now=now)
    return message


def _names(contact: Contact, ticket: Ticket) -> Iterator[str]:
    """Who may be named in thanks; the assignee is read only where somebody asks so far."""
    yield contact.name
    if ticket.assignee is not None:
        yield ticket.assignee.name


def wake(*, ticket: Ticket, message: Message, contact: Contact, now: datetime) -> None:
    """A customer's message waits for us: on a locked ticket, do what that asks for."""
    snoozing.wake(ticket=ticket, now=now, contact=contact)
    if ticket.is_ended:
        ticket = closing.reopen(ticket_id=ticket.pk, now=now, contact=contact)
    status.change(
        ticket=ticket,
        to=Status.NEW if ticket.status == Status.NEW else Status.OPEN,
        now=now,
        contact=contact,
        waiting_since=ticket.waiting_since or message.created_at,
        last_message_at=max(message.created_at, ticket.last_message_at or message.created_at),
    )
    gathering.find_in(ticket=ticket, messages=[message], now=now)


def _take_proof(contact: Contact, incoming: Incoming, now: datetime) -> None:
    """Who writes with their mail server's word, or signed in, reads that mailbox.

    Before the ticket is locked: their other tickets are, too.
    """
    if incoming.sender_verdict == SenderVerdict.PASS:
        verifying.prove(contact=contact, now=now)


def is_past_reopening(ticket: Ticket, now: datetime) -> bool:
    """Whether what a customer says no longer opens this ticket again."""
    if ticket.status == Status.CLOSED:
        return True
    return (
        ticket.status == Status.RESOLVED
        and ticket.reopen_until is not None
        and now > ticket.reopen_until
    )


def _write(
    *,
    ticket: Ticket,
    contact: Contact,
    incoming: Incoming,
    now: datetime,
    unverified: bool = False,
    thanks: bool = False,
) -> Message:
    message = Message.objects.create(
        ticket=ticket,
        kind=MessageKind.CUSTOMER,
        channel=incoming.channel,
        contact=contact,
        text=incoming.text,
        quoted=incoming.quoted,
        has_html=incoming.has_html,
        internal=incoming.automatic or unverified,
        automatic=incoming.automatic,
        thanks=thanks,
        unverified=unverified,
        sender_verdict=incoming.sender_verdict,
        message_id=incoming.message_id,
        created_at=now,
    )
    files.keep(message=message, files=incoming.attachments)
    return message
