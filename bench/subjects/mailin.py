"""Mail in, one process and its child: a heap is stored, read, judged, filed on tickets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from email.message import EmailMessage

from bench import figures
from bench.desk import Desk
from bench.figures import Figure
from notifications import identity
from tickets.inbound.ingest import Outcome, ingest_all
from tickets.inbound.storing import Arriving
from tickets.models import Contact, Ticket
from tickets.models.ticket import Status

BATCH = 40


def measure(desk: Desk) -> Iterator[Figure]:
    people = list(Contact.objects.order_by("pk")[:100])
    waiting = list(
        Ticket.objects.filter(status=Status.WAITING)
        .select_related("requester")
        .order_by("pk")[:100]
    )
    rates = []
    for run in range(desk.runs(8) + 1):
        mails = [
            _new(people[turn % len(people)], run * BATCH + turn)
            if turn % 2
            else _answer(waiting[turn % len(waiting)], run * BATCH + turn)
            for turn in range(BATCH)
        ]
        began = time.perf_counter()
        _take_in(mails, desk.as_of)
        if run:
            rates.append(BATCH / (time.perf_counter() - began))
    yield figures.of("mail in", desk.size, rates, "a second", better="higher")


def _take_in(mails: list[bytes], now: datetime) -> None:
    arriving = [Arriving(raw=mail, source="bench", mailbox="support") for mail in mails]
    with closing(ingest_all(mails=arriving, clock=lambda: now)) as taken:
        for _mail, outcome in taken:
            assert isinstance(outcome, Outcome)
            assert outcome.ticket_id, outcome


def _new(contact: Contact, number: int) -> bytes:
    return _mail(contact.email, "support@brightquay.example", number, "The export stops")


def _answer(ticket: Ticket, number: int) -> bytes:
    address = identity.reply_address(ticket_number=ticket.pk, contact_id=ticket.requester_id)
    return _mail(ticket.requester.email, address, number, f"Re: {ticket.subject}")


def _mail(sender: str, to: str, number: int, subject: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<bench-{number}@{sender.partition('@')[2]}>"
    mail["Date"] = "Wed, 25 Nov 2026 10:00:00 +0000"
    mail.set_content(
        f"It stops again at record {number}, with error 502.\n\n" + "More of it. " * 40
    )
    mail.add_alternative(
        f"<p>It stops again at record {number}, with <b>error 502</b>.</p>", "html"
    )
    return mail.as_bytes()
