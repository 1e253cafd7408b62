"""The conversation on the ticket page: messages, and between them letters and events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch, prefetch_related_objects
from django.db.models.functions import JSONObject

from desk import eventwords, letterwords
from desk.eventwords import Book, Line
from desk.letterwords import ShownLetter
from notifications.models import OutgoingEmail
from tickets.models import Attachment, Message, Ticket

MESSAGES_SHOWN = 60
EVENTS_SHOWN = 120
LETTERS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the conversation: a message, a letter or an event."""

    at: datetime
    message: Message | None = None
    letter: ShownLetter | None = None
    line: Line | None = None


def entries(ticket: Ticket, before: int | None, book: Book) -> tuple[tuple[Entry, ...], int | None]:
    """The newest messages, with the events and letters that lie between them."""
    messages = Message.objects.filter(ticket=ticket)
    if before is not None:
        messages = messages.filter(pk__lt=before)
    newest = list(
        messages.select_related("contact__organization", "user", "email")
        .annotate(
            files=ArraySubquery(
                Attachment.objects.filter(message=OuterRef("pk"))
                .order_by("pk")
                .values(json=JSONObject(pk="pk", name="name", size="size"))
            )
        )
        .order_by("-created_at", "-pk")[: MESSAGES_SHOWN + 1]
    )
    shown = newest[:MESSAGES_SHOWN]
    older = shown[-1].pk if len(newest) > MESSAGES_SHOWN else None
    since = shown[-1].created_at if older is not None else None
    until = shown[0].created_at if before is not None and shown else None
    found = [Entry(at=message.created_at, message=message) for message in shown]
    found += _letters(ticket, {m.email_id for m in shown}, since, until)
    found += _events(ticket, since, until, book)
    # Of what happened at one moment, the message comes before what it led to.
    return tuple(sorted(found, key=lambda e: (e.at, e.message is None, e.line is None))), older


def _letters(
    ticket: Ticket, shown: set[int | None], since: datetime | None, until: datetime | None
) -> list[Entry]:
    letters = OutgoingEmail.objects.filter(about=ticket.about, to_address=ticket.requester.email)
    if since is not None:
        letters = letters.filter(queued_at__gte=since)
    if until is not None:
        letters = letters.filter(queued_at__lte=until)
    found = [
        letter
        for letter in letters.select_related("template").order_by("-pk")[:LETTERS_SHOWN]
        if letter.pk not in shown
    ]
    # What is written already needs nothing of what it was written from.
    merged = OutgoingEmail.objects.select_related("template").order_by("pk")
    prefetch_related_objects(
        [letter for letter in found if not letter.subject], Prefetch("merged_from", merged)
    )
    return [Entry(at=each.queued_at, letter=letterwords.shown(each)) for each in found]


def _events(
    ticket: Ticket, since: datetime | None, until: datetime | None, book: Book
) -> list[Entry]:
    events = ticket.events.exclude(kind__in=eventwords.SILENT)
    if since is not None:
        events = events.filter(at__gte=since)
    if until is not None:
        events = events.filter(at__lte=until)
    found = list(events.select_related("user", "contact").order_by("-at", "-pk")[:EVENTS_SHOWN])
    found.reverse()
    lines = eventwords.lines(found, eventwords.book_of(found, known=book))
    return [Entry(at=line.at, line=line) for line in lines]
