"""Who has a mail in hand, from the claim until it is known what became of it.

Mails are begun and settled by the group, in one statement and one commit each, and always
compare-and-swap: a mail that was withdrawn, or that somebody else took over, is no longer ours and
is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from notifications.models import MailState, OutgoingEmail, OutgoingEmailQuerySet
from notifications.rendering import Rendered

# A row that somebody is just withdrawing is passed over, since whoever waits for several rows
# while holding others can end in a deadlock.
_BEGIN = """
    WITH free AS (
        SELECT id FROM notifications_outgoingemail
        WHERE id = ANY(%(ids)s) AND state = 'sending' AND lease_token = %(token)s
        FOR NO KEY UPDATE {skip}
    )
    UPDATE notifications_outgoingemail AS mail
    SET begun_at = %(now)s, lease_until = %(until)s, attempts = mail.attempts + 1,
        subject = coalesce(worded.subject, mail.subject),
        text = coalesce(worded.text, mail.text),
        html = coalesce(worded.html, mail.html)
    FROM free
    JOIN unnest(%(ids)s, %(subjects)s::text[], %(texts)s::text[], %(htmls)s::text[])
        AS worded (id, subject, text, html) USING (id)
    WHERE mail.id = free.id
    RETURNING mail.id
"""
_SENT = """
    WITH ours AS (
        SELECT id FROM notifications_outgoingemail
        WHERE id = ANY(%(ids)s) AND state = 'sending' AND lease_token = %(token)s
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE notifications_outgoingemail AS mail
    SET state = %(state)s, sent_at = %(at)s, last_error = '', lease_token = NULL, lease_until = NULL
    FROM ours WHERE mail.id = ours.id
    RETURNING mail.id
"""


def expire(*, now: datetime) -> int:
    """Take back mails whose worker is gone; tells how many it may have been sending."""
    expired = OutgoingEmail.objects.filter(state=MailState.SENDING, lease_until__lt=now)
    expired.filter(begun_at=None).update(**_waiting_again(now))
    return expired.filter(begun_at__isnull=False).update(
        **_uncertain(now, said=_("The worker was lost while sending."))
    )


def begin(
    *,
    mails: Sequence[OutgoingEmail],
    words: Mapping[int, Rendered],
    now: datetime,
    until: datetime,
) -> set[int]:
    """Note, before mails are handed over, that this is about to happen, and what they say.

    Commits by itself; tells the ids of those that are ours. One alone waits for whoever holds its
    row, of several those are passed over whose row is held. ``words`` of a mail that has none stay
    as they are.
    """
    kept = [words.get(mail.pk) for mail in mails]
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGIN.format(skip="SKIP LOCKED" if len(mails) > 1 else ""),
            {
                "ids": [mail.pk for mail in mails],
                "token": mails[0].lease_token,
                "now": now,
                "until": until,
                "subjects": [each and each.subject for each in kept],
                "texts": [each and each.text for each in kept],
                "htmls": [each and each.html for each in kept],
            },
        )
        begun = {pk for (pk,) in cursor.fetchall()}
    for mail in mails:
        if mail.pk in begun:
            mail.begun_at, mail.lease_until = now, until
            mail.attempts += 1
    return begun


def sent(mails: Sequence[OutgoingEmail], state: MailState, *, at: datetime) -> set[int]:
    """Say that mails were taken, or captured; tells the ids of those that were ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT,
            {
                "ids": [mail.pk for mail in mails],
                "token": mails[0].lease_token,
                "state": state.value,
                "at": at,
            },
        )
        return {pk for (pk,) in cursor.fetchall()}


def settle(mail: OutgoingEmail, state: MailState, **changed: Any) -> int:
    """Say what became of a mail; 0 where it is not ours any more."""
    return _leased([mail]).update(state=state, lease_token=None, lease_until=None, **changed)


def doubt(mail: OutgoingEmail, *, again: datetime, said: str) -> int:
    """Nobody knows whether it went out."""
    return _leased([mail]).update(**_uncertain(again, said=said))


def give_back(mails: Sequence[OutgoingEmail], *, now: datetime) -> None:
    """Let others have claimed mails that were not handed over, as if nothing had been."""
    held = _leased(mails)
    held.filter(begun_at__isnull=False).update(begun_at=None, attempts=F("attempts") - 1)
    held.update(**_waiting_again(now))


def _leased(mails: Collection[OutgoingEmail]) -> OutgoingEmailQuerySet:
    return OutgoingEmail.objects.filter(
        pk__in=[mail.pk for mail in mails],
        state=MailState.SENDING,
        lease_token__in={mail.lease_token for mail in mails},
    )


def _waiting_again(at: datetime) -> dict[str, Any]:
    """Back to where it was claimed from: nothing was handed over."""
    return {
        "state": Case(
            When(leases_lost__gt=0, then=Value(MailState.UNCERTAIN)),
            default=Value(MailState.QUEUED),
        ),
        "lease_token": None,
        "lease_until": None,
        "next_attempt_at": at,
    }


def _uncertain(again: datetime, *, said: str) -> dict[str, Any]:
    """Once more, and after a second time never by itself."""
    return {
        "state": MailState.UNCERTAIN,
        "lease_token": None,
        "lease_until": None,
        "leases_lost": F("leases_lost") + 1,
        "next_attempt_at": Case(When(leases_lost=0, then=Value(again)), default=Value(None)),
        "last_error": said,
    }
