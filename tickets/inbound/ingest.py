"""A mail's way in: stored, read, judged, and put on a ticket.

Whatever goes wrong after storing costs this mail only: it is quarantined with the reason, and
can be tried again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError, OperationalError, transaction

from tickets.inbound import reader, returned
from tickets.inbound.decoding import one_line
from tickets.inbound.filing import file_mail
from tickets.inbound.judging import decide
from tickets.inbound.parsed import ParsedMail
from tickets.inbound.parsing import Unreadable
from tickets.inbound.storing import store
from tickets.models import InboundEmail
from tickets.models.mailin import InboundOutcome

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

DUPLICATE = "duplicate"
_UNREAD = (InboundOutcome.STORED,)
_TO_REPLAY = (InboundOutcome.STORED, InboundOutcome.QUARANTINED)
_TO_RELEASE = (InboundOutcome.SUSPENDED,)
#: A deadlock is one mail's bad luck, not its fault.
_TRIES = 3


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
    """Take in a mail, whatever its bytes are.

    ``source`` says for people where it came from; ``mailbox`` is the address it was delivered
    to; ``envelope_from`` is the SMTP sender, empty for the null return path and None where the
    door does not know it. Must not run inside a transaction: storing commits by itself.

    Raises ``NotAccepted`` for a mail too large to keep, and what the database raises while
    storing. Once the mail is stored nothing is raised.
    """
    inbound_id = store(
        raw=raw,
        source=source,
        mailbox=mailbox,
        envelope_from=envelope_from,
        now=now,
        limit=reader.limits().accepted,
    )
    return _work(inbound_id, states=_UNREAD, now=now)


def replay(*, inbound_id: int, now: datetime) -> Outcome:
    """Try a quarantined mail again, or one that was stored and then not read.

    Gives ``DUPLICATE`` for one that is on its way already.
    """
    return _work(inbound_id, states=_TO_REPLAY, now=now)


def release(*, inbound_id: int, now: datetime) -> Outcome:
    """Let a suspended mail in, since a person has looked at it.

    It stays suspended where its sender cannot be told: there is nobody it could be from.
    """
    return _work(inbound_id, states=_TO_RELEASE, now=now)


def _work(inbound_id: int, *, states: Collection[str], now: datetime) -> Outcome:
    outcome = _work_out(inbound_id, states=states, now=now)
    logger.info("mail_taken_in", mail=inbound_id, ticket=outcome.ticket, outcome=outcome.outcome)
    return outcome


def _work_out(inbound_id: int, *, states: Collection[str], now: datetime) -> Outcome:
    try:
        inbound = InboundEmail.objects.get(pk=inbound_id)
        if inbound.outcome not in states:
            return _duplicate(inbound)
        mail = reader.read_mail(bytes(inbound.raw))
        return _settle(inbound_id, mail, states=states, now=now)
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
        return _duplicate(inbound)
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
                return _duplicate(inbound)
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
    rows = InboundEmail.objects.select_for_update(no_key=True, of=("self",)).defer("raw")
    return rows.get(pk=inbound_id)


def _duplicate(inbound: InboundEmail) -> Outcome:
    return Outcome(
        outcome=DUPLICATE,
        inbound_id=inbound.pk,
        ticket_id=inbound.ticket_id,
        reason=f"It is here already: {inbound.outcome}.",
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
