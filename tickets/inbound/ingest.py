"""A mail's way in: stored, read, judged, and put on a ticket.

Whatever goes wrong after storing costs this mail only: it is quarantined with the reason, and
can be tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from django.db import DatabaseError, OperationalError, transaction

from tickets.inbound import reader, returned
from tickets.inbound.decoding import one_line
from tickets.inbound.filing import file_mail
from tickets.inbound.judging import decide
from tickets.inbound.parsed import ParsedMail
from tickets.inbound.parsing import Unreadable
from tickets.inbound.storing import (
    Arriving,
    NotAccepted,
    Stored,
    must_be_acceptable,
    store,
)
from tickets.models import InboundEmail
from tickets.models.mailin import InboundOutcome

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

DUPLICATE = "duplicate"
_UNREAD = (InboundOutcome.STORED,)
_TO_REPLAY = (InboundOutcome.STORED, InboundOutcome.QUARANTINED)
_TO_RELEASE = (InboundOutcome.SUSPENDED,)
#: A deadlock is one mail's bad luck, not its fault.
_TRIES = 3
#: Of a heap of mail, so much is stored in one transaction.
_STORED_AT_ONCE = 20
_BYTES_AT_ONCE = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a mail."""

    #: An ``InboundOutcome`` but "stored", or ``DUPLICATE``.
    outcome: str
    inbound_id: int
    ticket_id: int | None = None
    reason: str = ""

    @property
    def ticket(self) -> str | None:
        """The ticket as people name it, such as ``HD-1042``."""
        return None if self.ticket_id is None else f"HD-{self.ticket_id}"


def ingest(
    *,
    raw: bytes,
    source: str,
    mailbox: str = "",
    envelope_from: str | None = None,
    now: datetime,
) -> Outcome:
    """Take in one mail, whatever its bytes are; see ``Arriving``.

    Must not run inside a transaction: storing commits by itself. Raises ``NotAccepted`` for a mail
    too large to keep, and what the database raises while storing. Once the mail is stored nothing
    is raised.
    """
    mail = Arriving(raw=raw, source=source, mailbox=mailbox, envelope_from=envelope_from)
    must_be_acceptable(mail, limit=reader.limits().accepted)
    [stored] = store(mails=[mail], now=now)
    if stored.outcome not in _UNREAD:
        return _duplicate(stored)
    return _work(stored.inbound_id, partial(reader.read_mail, raw), states=_UNREAD, now=now)


def ingest_all(
    *, mails: Iterable[Arriving], clock: Callable[[], datetime]
) -> Generator[tuple[Arriving, Outcome | NotAccepted | DatabaseError], None, None]:
    """Take in mails one after another, and tell what became of each, or why it could not be stored.

    They are stored by the group, in one transaction; each is then worked on in one of its own, so
    that none harms its neighbours, while the next is being read. Close it, should you not come to
    its end.
    """
    for group in _groups(mails):
        stored = _store(group, clock())
        unread = [
            mail.raw
            for mail, kept in zip(group, stored, strict=True)
            if isinstance(kept, Stored) and kept.outcome in _UNREAD
        ]
        with closing(reader.read_in_turn(unread)) as read:
            for mail, kept in zip(group, stored, strict=True):
                if not isinstance(kept, Stored):
                    yield mail, kept
                elif kept.outcome not in _UNREAD:
                    yield mail, _duplicate(kept)
                else:
                    take = partial(_or_raised, next(read))
                    yield mail, _work(kept.inbound_id, take, states=_UNREAD, now=clock())


def replay(*, inbound_id: int, now: datetime) -> Outcome:
    """Try a quarantined mail again, or one that was stored and then not read.

    Gives ``DUPLICATE`` for one that is on its way already.
    """
    return _work_again(inbound_id, states=_TO_REPLAY, now=now)


def release(*, inbound_id: int, now: datetime) -> Outcome:
    """Let a suspended mail in, since a person has looked at it.

    It stays suspended where its sender cannot be told: there is nobody it could be from.
    """
    return _work_again(inbound_id, states=_TO_RELEASE, now=now)


def _groups(mails: Iterable[Arriving]) -> Iterator[list[Arriving]]:
    group: list[Arriving] = []
    size = 0
    for mail in mails:
        group.append(mail)
        size += len(mail.raw)
        if len(group) == _STORED_AT_ONCE or size > _BYTES_AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group


def _store(
    group: Sequence[Arriving], now: datetime
) -> Sequence[Stored | NotAccepted | DatabaseError]:
    """Store a group at once or, where that fails, each by itself."""
    try:
        for mail in group:
            must_be_acceptable(mail, limit=reader.limits().accepted)
        return store(mails=group, now=now)
    except (NotAccepted, DatabaseError) as error:
        if len(group) == 1:
            return [error]
        return [stored for mail in group for stored in _store([mail], now)]


def _or_raised(read: ParsedMail | Unreadable) -> ParsedMail:
    if isinstance(read, Unreadable):
        raise read
    return read


def _work_again(inbound_id: int, *, states: Collection[str], now: datetime) -> Outcome:
    inbound = InboundEmail.objects.get(pk=inbound_id)
    if inbound.outcome not in states:
        return _duplicate(_stored(inbound))
    read = partial(reader.read_mail, bytes(inbound.raw))
    return _work(inbound_id, read, states=states, now=now)


def _work(
    inbound_id: int, read: Callable[[], ParsedMail], *, states: Collection[str], now: datetime
) -> Outcome:
    outcome = _work_out(inbound_id, read, states=states, now=now)
    logger.info("mail_taken_in", mail=inbound_id, ticket=outcome.ticket, outcome=outcome.outcome)
    return outcome


def _work_out(
    inbound_id: int, read: Callable[[], ParsedMail], *, states: Collection[str], now: datetime
) -> Outcome:
    try:
        return _settle(inbound_id, read(), states=states, now=now)
    except Unreadable as error:
        return _quarantine(inbound_id, str(error), states=states)
    except Exception as error:
        # The traceback may name what is in the mail, and logs are no place for that.
        logger.error("mail_unreadable", mail=inbound_id, why=type(error).__name__)
        return _quarantine(inbound_id, f"{type(error).__name__}: {error}", states=states)


def _settle(
    inbound_id: int, mail: ParsedMail, *, states: Collection[str], now: datetime
) -> Outcome:
    for tried in range(1, _TRIES + 1):
        try:
            with transaction.atomic(durable=True):
                return _settle_once(inbound_id, mail, states=states, now=now)
        except OperationalError:
            if tried == _TRIES:
                raise
    raise AssertionError  # the loop returns or raises


def _settle_once(
    inbound_id: int, mail: ParsedMail, *, states: Collection[str], now: datetime
) -> Outcome:
    inbound = _locked(inbound_id)
    if inbound.outcome not in states:
        return _duplicate(_stored(inbound))
    decision = decide(
        mail=mail,
        envelope_from=inbound.envelope_from,
        released=states is _TO_RELEASE,
        now=now,
    )
    message = file_mail(decision=decision, mail=mail, now=now)
    if mail.report is not None and decision.returns:
        returned.take_note(report=mail.report, inbound_id=inbound.pk, now=now)
    inbound.outcome = decision.outcome
    if message is not None:
        inbound.message = message
        inbound.ticket_id = message.ticket_id
        # A late answer to a closed ticket opens a new one.
        appended = decision.ticket is not None and decision.ticket.pk == message.ticket_id
        inbound.outcome = InboundOutcome.APPENDED if appended else InboundOutcome.CREATED
    twin = "Another mail has this Message-ID." if inbound.same_id_as_another else ""
    inbound.reason = _reason(decision.reason, *mail.notes, twin)
    inbound.attempts += 1
    inbound.save(update_fields=["outcome", "reason", "attempts", "message", "ticket"])
    return _told(inbound)


def _quarantine(inbound_id: int, reason: str, *, states: Collection[str]) -> Outcome:
    try:
        with transaction.atomic(durable=True):
            inbound = _locked(inbound_id)
            if inbound.outcome not in states:
                return _duplicate(_stored(inbound))
            if inbound.outcome != InboundOutcome.SUSPENDED:
                inbound.outcome = InboundOutcome.QUARANTINED
            inbound.reason = _reason(reason)
            inbound.attempts += 1
            inbound.save(update_fields=["outcome", "reason", "attempts"])
            return _told(inbound)
    except DatabaseError:
        # It stays "stored", and replaying the quarantine takes it up.
        logger.error("mail_left_stored", mail=inbound_id)
        return Outcome(
            outcome=InboundOutcome.QUARANTINED,
            inbound_id=inbound_id,
            reason="Stored, but the database could not be reached to work on it.",
        )


def _locked(inbound_id: int) -> InboundEmail:
    """The row, without its bytes, locked until the transaction ends.

    It is locked before the ticket: nobody who holds a ticket asks for its mails.
    """
    [row] = InboundEmail.objects.raw(
        "SELECT id, outcome, reason, envelope_from, attempts, same_id_as_another, ticket_id"
        " FROM tickets_inboundemail WHERE id = %s FOR NO KEY UPDATE",
        [inbound_id],
    )
    return row


def _stored(inbound: InboundEmail) -> Stored:
    return Stored(inbound_id=inbound.pk, outcome=inbound.outcome, ticket_id=inbound.ticket_id)


def _duplicate(stored: Stored) -> Outcome:
    return Outcome(
        outcome=DUPLICATE,
        inbound_id=stored.inbound_id,
        ticket_id=stored.ticket_id,
        reason=f"It is here already: {stored.outcome}.",
    )


def _told(inbound: InboundEmail) -> Outcome:
    return Outcome(
        outcome=str(inbound.outcome),
        inbound_id=inbound.pk,
        ticket_id=inbound.ticket_id,
        reason=inbound.reason,
    )


def _reason(*parts: str) -> str:
    return one_line(" ".join(filter(None, parts)))[:500]
