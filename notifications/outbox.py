"""The outbox: a mail is a row in the same transaction as what caused it.

Nothing here talks to a mail server; ``delivery.py`` does, later and from another process.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Q

from notifications import merging
from notifications.catalog import mail_kind
from notifications.models import WITHHELD, MailState, OutboxPause, OutgoingEmail
from notifications.phrases import FALLBACK
from notifications.plaintext import one_line
from notifications.ring import ring_after_commit
from notifications.templates import Texts, in_force
from notifications.values import Variables, frozen
from staff import setwise

#: Message-IDs kept in References: the first, which holds the thread together, and the newest.
REFERENCES_KEPT = 10


class UnknownVariable(ValueError):
    """A letter says something that its kind of mail has no word for."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail as its cause describes it; ``outbox.queue`` makes it a row.

    ``message_id``, ``in_reply_to`` and ``references`` have their angle brackets. With a
    ``thread_subject`` (``Re: …``) the mail stays in the reader's thread under that subject.
    ``automatic`` marks what no person wrote (RFC 3834).
    """

    dedupe_key: str
    template: str
    to_address: str
    to_name: str
    language: str
    zone: str
    about: str
    variables: Variables
    message_id: str
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    thread_subject: str = ""
    automatic: bool = True
    not_before: datetime | None = None
    #: It goes out as one with what still waits for its reader (``merging``).
    merges: bool = False
    #: Its reader's address is not verified: it waits until ``release``.
    withheld: bool = False


def queue(*, letters: Sequence[Letter], now: datetime) -> list[OutgoingEmail]:
    """Queue letters, each once: a repeated dedupe key gives the row that stands already.

    One that ``merges`` takes along what still waits for its reader. The rows come back in the order
    of the letters, in a fixed number of queries however many there are; the mail worker is rung
    after the commit. Raises ``UnknownTemplate`` and ``UnknownVariable`` for a letter that the
    catalog does not know.
    """
    if not letters:
        return []
    texts = in_force(
        keys={letter.template for letter in letters},
        languages={letter.language for letter in letters},
        now=now,
    )
    first = {letter.dedupe_key: letter for letter in reversed(letters)}
    standing = _standing(first)
    rows = [
        _row(first[key], texts, now)
        for key in dict.fromkeys(letter.dedupe_key for letter in letters)
        if key not in standing
    ]
    # What was refused above has changed nothing: there is nothing to go back to.
    with transaction.atomic(savepoint=False):
        made: set[int] = set()
        if setwise.insert_once(rows=rows):
            standing |= {row.dedupe_key: row for row in rows}
            made = {row.pk for row in rows}
        else:
            # Somebody else has just queued some of them.
            standing = _standing(first)
            if len(standing) < len(first):
                raise ValueError("Two letters of different dedupe keys share a Message-ID.")
        merging.merge(
            rows=[standing[each.dedupe_key] for each in letters if each.merges], made=made, now=now
        )
        ring_after_commit(settings.HELPDESK_MAIL_TASK, "mail")
    return [standing[letter.dedupe_key] for letter in letters]


@transaction.atomic
def withdraw(
    *,
    about: str | Collection[str],
    kinds: Collection[str] | None = None,
    keys_starting: Collection[str] | None = None,
    now: datetime,
) -> int:
    """Take back mails that are no longer true; tells how many had not been begun and are.

    ``kinds`` and the beginnings of dedupe keys narrow it down.
    A mail whose sending has begun cannot be recalled; one that is *uncertain* is not repeated.
    """
    mails = OutgoingEmail.objects.about(about)
    if kinds is not None:
        mails = mails.filter(kind__in=kinds)
    if keys_starting is not None:
        starts = Q(pk__in=())
        for key in keys_starting:
            starts |= Q(dedupe_key__startswith=key)
        mails = mails.filter(starts)
    taken_out = 0
    if kinds is None or not merging.MERGING.isdisjoint(kinds):
        taken_out = merging.take_back(mails=mails, now=now)
    withdrawn = mails.not_begun().update(
        state=MailState.WITHDRAWN,
        withdrawn_at=now,
        next_attempt_at=None,
        lease_token=None,
        lease_until=None,
    )
    mails.filter(
        Q(next_attempt_at__isnull=False, leases_lost__gt=0)
        | Q(state=MailState.UNCERTAIN, in_doubt__isnull=False)
    ).update(state=MailState.UNCERTAIN, next_attempt_at=None, in_doubt=None)
    return withdrawn + taken_out


def release(*, mails: Collection[int], now: datetime) -> int:
    """Let withheld mails go, by their ids; tells how many there were."""
    released = (
        OutgoingEmail.objects.withheld()
        .filter(pk__in=mails)
        .update(not_before=now, next_attempt_at=now)
    )
    if released:
        ring_after_commit(settings.HELPDESK_MAIL_TASK, "mail")
    return released


@transaction.atomic
def claim(*, now: datetime, limit: int, lease: timedelta) -> list[OutgoingEmail]:
    """Take mails that are due, oldest first, for this worker alone until the lease ends.

    None while the outbox is paused.
    """
    mails = list(
        OutgoingEmail.objects.due(now)
        .exclude(Exists(OutboxPause.objects.standing()))
        .with_texts()
        .select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit]
    )
    token = uuid4()
    changed: dict[str, Any] = {
        "state": MailState.SENDING,
        "lease_token": token,
        "lease_until": now + lease,
        "begun_at": None,
        "next_attempt_at": None,
    }
    if mails:
        OutgoingEmail.objects.filter(pk__in=[mail.pk for mail in mails]).update(**changed)
    for mail in mails:
        for name, value in changed.items():
            setattr(mail, name, value)
    return mails


def _row(letter: Letter, texts: Texts, now: datetime) -> OutgoingEmail:
    template = texts.get(key=letter.template, language=letter.language)
    assert template is not None, "in_force() loads what is missing"
    unknown = letter.variables.keys() - mail_kind(letter.template).variables
    if unknown:
        raise UnknownVariable(f"{letter.template} knows no {', '.join(sorted(unknown))}.")
    not_before = WITHHELD if letter.withheld else letter.not_before
    return setwise.new(
        OutgoingEmail,
        dedupe_key=letter.dedupe_key,
        kind=letter.template,
        template=template,
        variables={name: frozen(value) for name, value in letter.variables.items()},
        to_address=letter.to_address.strip(),
        to_name=one_line(letter.to_name),
        language=letter.language or FALLBACK,
        zone=letter.zone or "UTC",
        about=letter.about,
        reply_to=letter.reply_to,
        headers=_threading(letter),
        thread_subject=one_line(letter.thread_subject),
        automatic=letter.automatic,
        message_id=letter.message_id,
        not_before=not_before,
        next_attempt_at=max(now, not_before or now),
        queued_at=now,
    )


def _standing(keys: Collection[str]) -> dict[str, OutgoingEmail]:
    return {row.dedupe_key: row for row in OutgoingEmail.objects.filter(dedupe_key__among=keys)}


def _threading(letter: Letter) -> dict[str, str]:
    headers = {}
    if letter.in_reply_to:
        headers["In-Reply-To"] = one_line(letter.in_reply_to, limit=300)
    references = [one_line(reference, limit=300) for reference in letter.references if reference]
    if letter.in_reply_to and headers["In-Reply-To"] not in references:
        references.append(headers["In-Reply-To"])
    if len(references) > REFERENCES_KEPT:
        references = [references[0], *references[-(REFERENCES_KEPT - 1) :]]
    if references:
        headers["References"] = " ".join(references)
    return headers
