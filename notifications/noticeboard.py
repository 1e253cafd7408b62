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
from notifications.models import Notification, NotificationReading
from notifications.outbox import Letter, UnknownVariable
from notifications.rendering import worded_notification
from notifications.templates import in_force
from notifications.values import Variables, frozen
from staff import setwise
from staff.models import User


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A message to some people, each of whom is told once; ``kind`` is a staff mail of the catalog."""

    dedupe_key: str
    readers: tuple[int, ...]
    kind: str
    about: str
    variables: Variables


@dataclass(frozen=True, kw_only=True)
class ShownNotice:
    """A notification worded for its reader."""

    notification: Notification
    headline: str
    text: str


@transaction.atomic(savepoint=False)
def notify(*, notices: Sequence[Notice], now: datetime) -> None:
    """Tell people once: whoever was told under a dedupe key is passed over, and who left.

    Those who want mail get it as mail too. A fixed number of queries, however many notices.
    """
    if not notices:
        return
    for notice in notices:
        unknown = notice.variables.keys() - mail_kind(notice.kind).variables
        if unknown:
            raise UnknownVariable(f"{notice.kind} knows no {', '.join(sorted(unknown))}.")
    people = {
        user.pk: user
        for user in User.objects.filter(
            pk__in={pk for notice in notices for pk in notice.readers}, is_active=True
        )
    }
    standing = {
        row.dedupe_key: row
        for row in Notification.objects.filter(
            dedupe_key__among=[notice.dedupe_key for notice in notices]
        )
    }
    new: dict[str, Notification] = {}
    joined: dict[str, Notification] = {}
    letters: list[Letter] = []
    for notice in notices:
        row = standing.get(notice.dedupe_key) or new.get(notice.dedupe_key)
        told = row.readers if row is not None else ()
        untold = [pk for pk in notice.readers if pk in people and pk not in told]
        if not untold:
            continue
        if row is None:
            new[notice.dedupe_key] = _row(notice, untold, now)
        else:
            row.readers += untold
            if notice.dedupe_key in standing:
                joined[notice.dedupe_key] = row
        letters += [_mail(notice, people[pk]) for pk in untold if people[pk].mail_notifications]
    setwise.insert_once(rows=list(new.values()))
    for row in joined.values():
        row.save(update_fields=("readers",))
    outbox.queue(letters=letters, now=now)


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
    read = [
        NotificationReading(notification_id=pk, user=reader, at=now)
        for pk in unread.order_by("pk").values_list("pk", flat=True)
    ]
    # In another window they may be marked at the same moment.
    setwise.insert_once(rows=read)
    return len(read)


def _row(notice: Notice, readers: list[int], now: datetime) -> Notification:
    return setwise.new(
        Notification,
        dedupe_key=notice.dedupe_key,
        readers=readers,
        kind=notice.kind,
        about=notice.about,
        variables={name: frozen(value) for name, value in notice.variables.items()},
        at=now,
    )


def _mail(notice: Notice, reader: User) -> Letter:
    key = f"notice:{notice.dedupe_key}:{reader.pk}"
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
