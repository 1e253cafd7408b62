"""Notices to people who work here: on their page and, if they wish, by mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from notifications import outbox
from notifications.catalog import mail_kind
from notifications.identity import message_id
from notifications.models import Notification
from notifications.outbox import Letter, UnknownVariable
from notifications.rendering import worded_notification
from notifications.templates import in_force
from notifications.values import Variables, frozen
from staff.models import User


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A message to one person; ``kind`` is a staff mail of the catalog."""

    dedupe_key: str
    user_id: int
    kind: str
    about: str
    variables: Variables


@dataclass(frozen=True, kw_only=True)
class ShownNotice:
    """A notification worded for its reader."""

    notification: Notification
    headline: str
    text: str


@transaction.atomic
def notify(*, notices: Sequence[Notice], now: datetime) -> list[Notification]:
    """Tell people once: repeated dedupe keys are absorbed, those who left are not told.

    Gives the notifications that are new. Those of people who want mail are queued as mail too.
    Six queries, however many notices.
    """
    if not notices:
        return []
    for notice in notices:
        unknown = notice.variables.keys() - mail_kind(notice.kind).variables
        if unknown:
            raise UnknownVariable(f"{notice.kind} knows no {', '.join(sorted(unknown))}.")
    readers = {
        user.pk: user
        for user in User.objects.filter(
            pk__in={notice.user_id for notice in notices}, is_active=True
        )
    }
    told = set(
        Notification.objects.filter(
            dedupe_key__in=[notice.dedupe_key for notice in notices]
        ).values_list("dedupe_key", flat=True)
    )
    fresh = {
        notice.dedupe_key: notice
        for notice in notices
        if notice.user_id in readers and notice.dedupe_key not in told
    }
    rows = [
        Notification(
            dedupe_key=notice.dedupe_key,
            user_id=notice.user_id,
            kind=notice.kind,
            about=notice.about,
            variables={name: frozen(value) for name, value in notice.variables.items()},
            at=now,
        )
        for notice in fresh.values()
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    outbox.queue(
        letters=[
            _mail(notice, readers[notice.user_id])
            for notice in fresh.values()
            if readers[notice.user_id].mail_notifications
        ],
        now=now,
    )
    return rows


def withdraw(
    *,
    about: Collection[str],
    kinds: Collection[str],
    keys_starting: Collection[str],
    now: datetime,
) -> None:
    """Take back the mails of notices that are no longer true and have not gone out.

    The notices stay on people's pages: they say what was so.
    """
    outbox.withdraw(
        about=about,
        kinds=kinds,
        keys_starting=[f"notice:{key}" for key in keys_starting],
        now=now,
    )


def shown(
    *, notifications: Sequence[Notification], reader: User, now: datetime
) -> list[ShownNotice]:
    """Word notifications in the language and zone of the one who reads them, in one query."""
    texts = in_force(
        keys={notification.kind for notification in notifications},
        languages=[reader.language],
        now=now,
    )
    answer = []
    for notification in notifications:
        template = texts.get(key=notification.kind, language=reader.language)
        assert template is not None, "in_force() loads what is missing"
        headline, text = worded_notification(notification, template=template, zone=reader.zone)
        answer.append(ShownNotice(notification=notification, headline=headline, text=text))
    return answer


def mark_read(*, reader: User, ids: Collection[int] | None, now: datetime) -> int:
    """Mark one's own notifications as read, all of them where ``ids`` is None."""
    unread = Notification.objects.unread(reader)
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=now)


def _mail(notice: Notice, reader: User) -> Letter:
    key = f"notice:{notice.dedupe_key}"
    return Letter(
        dedupe_key=key,
        template=notice.kind,
        to_address=reader.email,
        to_name=reader.name,
        language=reader.language,
        zone=reader.zone,
        about=notice.about,
        variables=notice.variables,
        message_id=message_id(about=notice.about, seed=key),
        reply_to=settings.HELPDESK_SUPPORT_ADDRESS,
    )
