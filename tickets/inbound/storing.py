"""Keeping a mail byte for byte before anybody tries to read it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from tickets.inbound.decoding import decode_bytes, one_line
from tickets.models import InboundEmail

_HEADER_SEARCHED = 64_000
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_MESSAGE_ID = re.compile(
    rb"^message-id[ \t]{0,9}:[ \t]{0,9}(?:\r?\n[ \t]{1,9})?([^\r\n]{1,600})",
    re.IGNORECASE | re.MULTILINE,
)


class NotAccepted(Exception):
    """A mail we do not keep: whoever hands it over must keep it, or tell its sender."""


def message_id_of(raw: bytes) -> str:
    """The Message-ID of a mail, found without reading it; empty where there is none."""
    end = _END_OF_HEADERS.search(raw, 0, _HEADER_SEARCHED)
    found = _MESSAGE_ID.search(raw, 0, end.start() if end else min(len(raw), _HEADER_SEARCHED))
    return one_line(decode_bytes(found[1], None))[:500] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """A mail as its door hands it over.

    ``source`` says for people where it came from; ``mailbox`` is the address it was delivered to;
    ``envelope_from`` is the SMTP sender, empty for the null return path and None where the door
    does not know it.
    """

    raw: bytes
    source: str
    mailbox: str = ""
    envelope_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where a mail is kept, and what had become of it by then."""

    inbound_id: int
    outcome: str
    ticket_id: int | None


def must_be_acceptable(mail: Arriving, *, limit: int) -> None:
    """Raise ``NotAccepted`` for more than ``limit`` bytes."""
    if len(mail.raw) > limit:
        raise NotAccepted(f"It has {len(mail.raw)} bytes; up to {limit} are kept.")


def store(*, mails: Sequence[Arriving], now: datetime) -> list[Stored]:
    """Keep mails, all of them or none, in a transaction of its own; answers in their order.

    The same bytes for the same mailbox are one row, however many bring them at once. Other bytes
    under its Message-ID are another row, and both are marked. Raises what the database raises: then
    nothing was kept.
    """
    rows = [
        InboundEmail(
            mailbox=one_line(mail.mailbox)[:254],
            header_message_id=message_id_of(mail.raw),
            sha256=hashlib.sha256(mail.raw).digest(),
            source=one_line(mail.source)[:500],
            raw=mail.raw,
            size=len(mail.raw),
            envelope_from=None
            if mail.envelope_from is None
            else one_line(mail.envelope_from)[:500],
            received_at=now,
        )
        for mail in mails
    ]
    with transaction.atomic(durable=True):
        # The unique key decides who is first; in one order, so that two who bring the same mails
        # do not wait for each other.
        InboundEmail.objects.bulk_create(sorted(rows, key=_key), ignore_conflicts=True)
        kept = _kept(rows)
        _mark_twins(kept)
    stored = {_key(row): row for row in kept}
    return [
        Stored(inbound_id=found.pk, outcome=found.outcome, ticket_id=found.ticket_id)
        for found in (stored[_key(row)] for row in rows)
    ]


def _key(row: InboundEmail) -> tuple[str, str, bytes]:
    return row.mailbox, row.header_message_id, bytes(row.sha256)


def _kept(rows: Sequence[InboundEmail]) -> list[InboundEmail]:
    """What is kept under the Message-IDs of these rows, and of those without one the same mails."""
    same = Q(header_message_id__in={row.header_message_id for row in rows if row.header_message_id})
    nameless = {row.sha256 for row in rows if not row.header_message_id}
    if nameless:
        same |= Q(header_message_id="", sha256__in=nameless)
    return list(
        InboundEmail.objects.filter(same)
        .order_by()
        .only("mailbox", "header_message_id", "sha256", "outcome", "ticket", "same_id_as_another")
    )


def _mark_twins(kept: Sequence[InboundEmail]) -> None:
    contents: dict[str, set[bytes]] = defaultdict(set)
    for row in kept:
        contents[row.header_message_id].add(bytes(row.sha256))
    twins = {name for name, different in contents.items() if name and len(different) > 1}
    unmarked = [
        row.pk for row in kept if row.header_message_id in twins and not row.same_id_as_another
    ]
    if unmarked:
        InboundEmail.objects.filter(pk__in=unmarked).update(same_id_as_another=True)
