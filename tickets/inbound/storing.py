"""Keeping a mail byte for byte before anybody tries to read it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from django.db import transaction

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


def store(
    *, raw: bytes, source: str, mailbox: str, envelope_from: str | None, now: datetime, limit: int
) -> int:
    """Keep a mail, in a transaction of its own, and give its row's key.

    The same bytes for the same mailbox are one row, however many bring them at once. Other bytes
    under its Message-ID are another row, and both are marked. Raises ``NotAccepted`` for more
    than ``limit`` bytes, and what the database raises: then nothing was kept.
    """
    if len(raw) > limit:
        raise NotAccepted(f"It has {len(raw)} bytes; up to {limit} are kept.")
    message_id = message_id_of(raw)
    digest = hashlib.sha256(raw).digest()
    with transaction.atomic(durable=True):
        same = InboundEmail.objects.filter(
            mailbox=one_line(mailbox)[:254], header_message_id=message_id, sha256=digest
        ).values_list("pk", flat=True)
        found = same.first()
        if found is not None:
            return found
        twins = InboundEmail.objects.filter(header_message_id=message_id).exclude(sha256=digest)
        marked = bool(message_id) and bool(twins.update(same_id_as_another=True))
        # Somebody may have stored it since we looked; the unique key decides.
        InboundEmail.objects.bulk_create(
            [
                InboundEmail(
                    mailbox=one_line(mailbox)[:254],
                    header_message_id=message_id,
                    sha256=digest,
                    source=one_line(source)[:500],
                    raw=raw,
                    size=len(raw),
                    envelope_from=None if envelope_from is None else one_line(envelope_from)[:500],
                    received_at=now,
                    same_id_as_another=marked,
                )
            ],
            ignore_conflicts=True,
        )
        return same.get()
