"""How a ticket's requester is written to: where, in what language and zone, in which thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from notifications import identity
from notifications.models import MailState, OutgoingEmail
from notifications.values import Value, phrase
from tickets.models import Contact, Message, Ticket
from tickets.models.ticket import MessageKind, SenderVerdict

LETTERS_REFERRED_TO = 8
"""Of our own newest letters, so many stand in ``References`` and hold the thread together."""

_PLAIN_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", re.UNICODE)
_LONGEST_NAME = 30
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """What every letter on a ticket needs to know of its reader.

    ``thread_subject`` is empty where nothing that was written to us may be echoed: the letter
    then carries a subject of its own. Message-IDs have their angle brackets.
    """

    ref: str
    link: str
    first_name: Value
    agent: str
    to_address: str
    to_name: str
    language: str
    zone: str
    reply_to: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    thread_subject: str = ""
    #: Nobody has proven that the requester reads that mailbox: letters wait.
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class _Heard:
    """A customer's message, as far as a thread is concerned."""

    message_id: str
    verdict: str


def addressing_many(*, tickets: Sequence[Ticket]) -> dict[int, Addressing]:
    """Address the requesters of tickets, by ticket id, in three queries, or four where an
    address may be unverified.

    ``requester``, ``assignee`` and ``team`` should be loaded with the tickets.
    """
    ids = {ticket.pk for ticket in tickets}
    first = _heard(ids, newest=False)
    newest = _heard(ids, newest=True)
    letters = _letters(tickets)
    withheld = _withheld(tickets)
    return {
        ticket.pk: _addressing(
            ticket,
            first.get(ticket.pk),
            newest.get(ticket.pk),
            letters.get(ticket.about, []),
            withheld=ticket.pk in withheld,
        )
        for ticket in tickets
    }


def _withheld(tickets: Sequence[Ticket]) -> set[int]:
    """The tickets whose letters wait for their requester to verify their address.

    What was read along with a ticket may be older than its lock; whoever verifies takes that
    lock first, so that what is read now is true until ours is given back.
    """
    doubtful = {ticket.pk: ticket.requester_id for ticket in tickets if ticket.awaits_verification}
    if not doubtful:
        return set()
    unverified = set(
        Contact.objects.filter(pk__in=set(doubtful.values()), verified_at__isnull=True).values_list(
            "pk", flat=True
        )
    )
    return {pk for pk, contact_id in doubtful.items() if contact_id in unverified}


def _addressing(
    ticket: Ticket,
    first: _Heard | None,
    newest: _Heard | None,
    letters: list[str],
    *,
    withheld: bool,
) -> Addressing:
    contact = ticket.requester
    known = contact.organization_id is not None
    authenticated = newest is not None and newest.verdict == SenderVerdict.PASS
    heard = [message.message_id for message in (first, newest) if message is not None]
    references = dict.fromkeys(filter(None, [*heard[:1], *letters, *heard[1:]]))
    answered = newest.message_id if newest is not None else ""
    return Addressing(
        ref=ticket.reference,
        link=identity.status_url(ticket.pk),
        first_name=_first_name(contact) if known else phrase("no_name"),
        agent=str(ticket.assignee or ticket.team or ""),
        to_address=contact.email,
        to_name=contact.name if known else "",
        language=contact.language,
        zone=contact.zone,
        reply_to=identity.reply_address(ticket_number=ticket.pk, contact_id=contact.pk),
        in_reply_to=answered or (letters[-1] if letters else ""),
        references=tuple(references),
        thread_subject=f"Re: {_bare(ticket.subject)}" if known and authenticated else "",
        withheld=withheld,
    )


def _first_name(contact: Contact) -> Value:
    """A first name that is nothing but a name: a sender chooses what their mail calls them."""
    name = contact.name.split()[0] if contact.name.strip() else ""
    if len(name) <= _LONGEST_NAME and _PLAIN_NAME.fullmatch(name):
        return name
    return phrase("no_name")


def _bare(subject: str) -> str:
    return re.sub(r"^(?:(?:re|aw|sv|fwd?|wg)\s*:\s*)+", "", subject, flags=re.IGNORECASE)


def _heard(ids: Iterable[int], *, newest: bool) -> dict[int, _Heard]:
    order = "-created_at" if newest else "created_at"
    return {
        ticket_id: _Heard(message_id if _MESSAGE_ID.fullmatch(message_id) else "", verdict)
        for ticket_id, message_id, verdict in Message.objects.filter(
            ticket__pk__among=ids, kind=MessageKind.CUSTOMER, unverified=False, automatic=False
        )
        .order_by("ticket_id", order, "-pk" if newest else "pk")
        .distinct("ticket_id")
        .values_list("ticket", "message_id", "sender_verdict")
    }


def _letters(tickets: Sequence[Ticket]) -> dict[str, list[str]]:
    """The Message-IDs of our newest letters to each requester, oldest first."""
    reader = {ticket.about: ticket.requester.email.lower() for ticket in tickets}
    newest_first = Window(RowNumber(), partition_by="about", order_by=F("pk").desc())
    found: dict[str, list[str]] = {}
    for about, address, message_id in (
        OutgoingEmail.objects.filter(
            about__among=reader, to_address__among={ticket.requester.email for ticket in tickets}
        )
        .exclude(state__in=(MailState.WITHDRAWN, MailState.FAILED))
        .annotate(nth=newest_first)
        .filter(nth__lte=LETTERS_REFERRED_TO)
        .order_by("pk")
        .values_list("about", "to_address", "message_id")
    ):
        if address.lower() == reader[about]:
            found.setdefault(about, []).append(message_id)
    return found
