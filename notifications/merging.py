"""Letters merge: what is written while an earlier letter still waits goes out as one with it.

The newest letter goes, under its own Message-ID and subject, and says further down what the
earlier ones said, with the newest time in them. Each of those keeps its row, *withdrawn* and
``merged_into`` the one that goes, so that none is dropped and each is told once. A reply stays a
letter of its own: it is a person's words, signed. Letters that wait for an address to be verified
stay apart, since some of them may no longer be true by then. A worker that has begun a letter has
won, and it is not merged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Q

from notifications.models import WITHHELD, MailState, OutgoingEmail, OutgoingEmailQuerySet

MERGING = frozenset(
    {
        "received",
        "detail_needed",
        "escalated",
        "accepted",
        "update",
        "new_expected_time",
        "resolved",
        "closed",
    }
)
"""Letters that tell a ticket's requester how it stands."""

_NOT_RENDERED = {"subject": "", "text": "", "html": ""}
_UNLEASED = {"lease_token": None, "lease_until": None}


def merge(*, rows: Sequence[OutgoingEmail], made: Collection[int], now: datetime) -> None:
    """Let letters that were queued just now take those along which still wait for their reader.

    One query where none does; those that the caller has ``made`` are not read again. The rows say
    afterwards what became of them.
    """
    fresh = {
        row.pk: row
        for row in rows
        if row.kind in MERGING
        and row.state == MailState.QUEUED
        and row.queued_at == now
        and row.not_before != WITHHELD
    }
    if not fresh:
        return
    waiting: dict[tuple[object, ...], list[OutgoingEmail]] = defaultdict(list)
    others = (
        OutgoingEmail.objects.about({row.about for row in fresh.values()})
        .filter(kind__in=MERGING)
        .exclude(Q(not_before=WITHHELD) | Q(pk__among=made))
        .not_begun()
        .select_for_update(no_key=True)
        .order_by("pk")
    )
    ours = [row for pk, row in fresh.items() if pk in made]
    for row in sorted([*others, *ours], key=attrgetter("pk")):
        waiting[_reader(row)].append(row)
    for letters in waiting.values():
        goes = next((row for row in reversed(letters) if row.pk in fresh), None)
        if goes is None or len(letters) == 1:
            continue
        taken = [row for row in letters if row is not goes]
        _take_along(fresh[goes.pk], taken, now)
        for row in taken:
            if row.pk in fresh:
                fresh[row.pk].state = MailState.WITHDRAWN
                fresh[row.pk].merged_into = fresh[goes.pk]


def take_back(*, mails: OutgoingEmailQuerySet, now: datetime) -> int:
    """Of mails about to be withdrawn: undo what merging did with them.

    What merged into a letter that goes on says nothing in it any more; what a withdrawn letter
    took along, and is still true, goes out on its own. Tells how many were taken out of letters
    that go on.
    """
    wanted = set(mails.values_list("pk", flat=True))
    parts = _parts(mails)
    if not parts:
        return 0
    taken_out = 0
    going = OutgoingEmail.objects.filter(pk__in={part.merged_into_id for part in parts})
    for goes in going.not_begun().select_for_update(no_key=True).order_by("pk"):
        own = [part for part in parts if part.merged_into_id == goes.pk]
        untrue = [part for part in own if part.pk in wanted]
        if goes.pk in wanted:
            _let_go([part for part in own if part not in untrue], now)
        elif untrue:
            # Whoever has claimed it, and perhaps put it into words, has lost it.
            _write([goes.pk], state=MailState.QUEUED, **_due(goes, now), **_UNLEASED)
            taken_out += len(untrue)
        else:
            continue
        _write([part.pk for part in untrue], merged_into=None)
    return taken_out


def _parts(mails: OutgoingEmailQuerySet) -> list[OutgoingEmail]:
    """Everything that merged into a letter together with, or into, one of these."""
    concerned = OutgoingEmail.objects.filter(
        Q(pk__in=mails.values("pk")) | Q(merged_into__in=mails.values("pk")),
        merged_into__isnull=False,
    ).values("merged_into")
    return list(OutgoingEmail.objects.filter(merged_into__in=concerned).order_by("pk"))


def _reader(row: OutgoingEmail) -> tuple[object, ...]:
    """Letters merge for one reader of one ticket, in one language."""
    return row.about, row.to_address.lower(), row.language


def _take_along(goes: OutgoingEmail, taken: Sequence[OutgoingEmail], now: datetime) -> None:
    ids = [row.pk for row in taken]
    OutgoingEmail.objects.filter(Q(pk__in=ids) | Q(merged_into__in=ids)).update(
        state=MailState.WITHDRAWN,
        withdrawn_at=now,
        next_attempt_at=None,
        merged_into=goes,
        **_UNLEASED,
    )
    waits = [row.not_before for row in (*taken, goes) if row.not_before is not None]
    goes.not_before = max(waits, default=None)
    goes.next_attempt_at = max(now, goes.not_before or now)
    goes.automatic = goes.automatic and all(row.automatic for row in taken)
    goes.headers = _without(goes.headers, {row.message_id for row in taken})
    goes.save(update_fields=("not_before", "next_attempt_at", "automatic", "headers"))


def _without(headers: dict[str, str], gone: set[str]) -> dict[str, str]:
    """Threading headers that name no letter which nobody will ever have."""
    kept = {
        name: " ".join(each for each in value.split() if each not in gone)
        for name, value in headers.items()
    }
    return {name: value for name, value in kept.items() if value}


def _let_go(parts: Sequence[OutgoingEmail], now: datetime) -> None:
    """Letters whose taker is withdrawn: the newest goes, and takes the others along."""
    if not parts:
        return
    *others, goes = parts
    _write(
        [goes.pk],
        state=MailState.QUEUED,
        withdrawn_at=None,
        merged_into=None,
        **_due(goes, now),
    )
    _write([part.pk for part in others], merged_into=goes)


def _due(row: OutgoingEmail, now: datetime) -> dict[str, Any]:
    return {"next_attempt_at": max(now, row.not_before or now), **_NOT_RENDERED}


def _write(ids: Iterable[int], **fields: Any) -> None:
    OutgoingEmail.objects.filter(pk__in=list(ids)).update(**fields)
