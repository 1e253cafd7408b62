"""To which ticket a mail belongs: only by what we signed, never by a number in the subject."""

from __future__ import annotations

import re
from dataclasses import dataclass

from notifications.identity import read_message_id, read_reply_address
from tickets.inbound.parsed import ParsedMail
from tickets.models import Contact, Message, Ticket
from tickets.models.ticket import MessageKind

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
_MOST_REFERENCES = 50
_ABOUT_A_TICKET = re.compile(r"ticket:([1-9][0-9]{0,17})")


class SeveralTickets(Exception):
    """A mail is addressed to more than one ticket."""


@dataclass(frozen=True, slots=True)
class Thread:
    """The ticket a mail answers, and the contact our letter was written to, where known."""

    ticket_id: int
    contact_id: int | None = None


def thread_of(mail: ParsedMail) -> Thread | None:
    """Find the ticket by a signed reply address, else by our Message-IDs.

    Raises ``SeveralTickets``: whom such a mail is for cannot be told, and guessing would show
    one customer's words to another. Says nothing about whether the sender may write there.
    """
    addressed = {
        found for address in mail.recipients if (found := read_reply_address(address)) is not None
    }
    tickets = {ticket for ticket, _contact in addressed}
    if len(tickets) > 1:
        raise SeveralTickets("It is addressed to more than one ticket.")
    if tickets:
        contacts = {contact for _ticket, contact in addressed}
        return Thread(tickets.pop(), contacts.pop() if len(contacts) == 1 else None)
    # The nearest letter first: In-Reply-To, then References from its end.
    answered = _MESSAGE_ID.findall(mail.header("in-reply-to"))[:_MOST_REFERENCES]
    answered += reversed(_MESSAGE_ID.findall(mail.header("references"))[-_MOST_REFERENCES:])
    return ticket_among(answered)


def ticket_among(message_ids: list[str]) -> Thread | None:
    """The ticket of the first of these Message-IDs that we signed for one."""
    for message_id in message_ids:
        found = _ABOUT_A_TICKET.fullmatch(read_message_id(message_id) or "")
        if found:
            return Thread(int(found[1]))
    return None


def may_write(*, contact: Contact, ticket: Ticket, thread: Thread) -> bool:
    """Whether what this contact writes may stand on the ticket at once.

    The requester may, whoever has written there before and was let in, and of the ticket's
    organization the escalation contacts and the one our letter was written to.
    """
    if contact.pk == ticket.requester_id:
        return True
    colleagues = (
        contact.organization_id is not None and contact.organization_id == ticket.organization_id
    )
    if colleagues and (contact.is_escalation_contact or contact.pk == thread.contact_id):
        return True
    return Message.objects.filter(
        ticket=ticket,
        contact=contact,
        kind=MessageKind.CUSTOMER,
        unverified=False,
        automatic=False,
    ).exists()
