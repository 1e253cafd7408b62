"""Webhooks: who is told what, and the rows that wait to be sent.

As in the outbox, a message is a row in the same transaction as what it tells of; nothing here
talks to anybody outside but to ask whether an address is outside.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from notifications import chat
from notifications.chat import Line
from notifications.eventtypes import BY_KIND, PING, EventType, covers, subscribable, tidied
from notifications.models import DeliveryState, Preset, Webhook, WebhookDelivery, WhyOff
from notifications.outgoinghttp import Client, Refused
from notifications.ring import ring_after_commit
from staff.models import Role, Team, User

#: How long the older of two keys goes on signing.
ROTATION = timedelta(hours=24)
#: Of a key; the standard asks for 24 to 64.
KEY_BYTES = 32


class NotSaved(Exception):
    """A webhook cannot be as somebody wants it; ``field`` says what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a chat line says of a happening; labels may be lazy, for each reads its language."""

    subject: str = ""
    to: object = ""
    status: object = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that webhooks may be told of.

    ``kind`` is the timeline's word; ``key`` is this happening's alone. ``team_id`` is the team
    whose tickets it is about, and None for what is about no team's.
    """

    kind: str
    key: str
    at: datetime
    data: Mapping[str, Any]
    about: str = ""
    ref: str = ""
    url: str = ""
    team_id: int | None = None
    is_private: bool = False
    words: Words = field(default_factory=Words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A webhook as somebody wants it to be."""

    name: str
    url: str
    preset: str
    language: str
    events: Collection[str]
    team: Team | None
    private_too: bool


def listeners(kinds: Collection[str]) -> list[Webhook]:
    """The webhooks that hear of any of these: one query where none does, and one more for them.

    It is asked with every change to a ticket, and mostly there are none.
    """
    names = {BY_KIND[kind].name for kind in kinds if kind in BY_KIND}
    if not names:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, events FROM notifications_webhook WHERE is_active")
        listening = cursor.fetchall()
    found = [pk for pk, events in listening if any(covers(events, name) for name in names)]
    return list(Webhook.objects.listening().filter(pk__in=found)) if found else []


def hears(webhook: Webhook, happening: Happening) -> bool:
    """Whether this webhook is told: subscribed, and of a team it may hear of."""
    known = BY_KIND.get(happening.kind)
    if known is None or not covers(webhook.events, known.name):
        return False
    if not happening.about:
        return True
    if webhook.team_id is not None:
        return webhook.team_id == happening.team_id
    return webhook.private_too or not happening.is_private


def queue(
    *, happenings: Sequence[Happening], webhooks: Sequence[Webhook], now: datetime
) -> list[WebhookDelivery]:
    """Queue what these webhooks hear of, each once, in one statement; rings the sender."""
    rows = [
        _row(webhook, happening, BY_KIND[happening.kind], now)
        for happening in happenings
        for webhook in webhooks
        if hears(webhook, happening)
    ]
    if rows:
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        ring()
    return rows


def ring() -> None:
    ring_after_commit(settings.HELPDESK_WEBHOOK_TASK, "webhooks")


def make(*, wish: Wish, now: datetime, by: User, client: Client | None = None) -> Webhook:
    """Make a webhook with a key of its own. Raises ``NotSaved``."""
    _check(wish, by, client or Client())
    try:
        with transaction.atomic():
            return Webhook.objects.create(
                name=wish.name,
                url=wish.url,
                preset=wish.preset,
                language=wish.language,
                events=tidied(wish.events),
                team=wish.team,
                private_too=wish.private_too,
                key=new_key(),
                created_by=by,
                created_at=now,
            )
    except IntegrityError:
        raise NotSaved(_("Another webhook has this name."), field="name") from None


def change(*, webhook_id: int, wish: Wish, by: User, client: Client | None = None) -> Webhook:
    """Have a webhook be otherwise; what waits already is sent as it was frozen."""
    _check(wish, by, client or Client())
    try:
        with transaction.atomic():
            webhook = _locked(webhook_id)
            for name in ("name", "url", "preset", "language", "team", "private_too"):
                setattr(webhook, name, getattr(wish, name))
            webhook.events = tidied(wish.events)
            webhook.save()
    except IntegrityError:
        raise NotSaved(_("Another webhook has this name."), field="name") from None
    return webhook


@transaction.atomic
def rotate(*, webhook_id: int, now: datetime) -> Webhook:
    """Give a webhook a new key; the one it had signs along for a day.

    One that is still being replaced ends at once: no more than two sign.
    """
    webhook = _locked(webhook_id)
    webhook.previous_key, webhook.previous_key_until = webhook.key, now + ROTATION
    webhook.key = new_key()
    webhook.save(update_fields=("key", "previous_key", "previous_key_until"))
    return webhook


@transaction.atomic
def turn_off(*, webhook_id: int, why: WhyOff, now: datetime) -> bool:
    """Tell a webhook nothing more; what waits for it is not sent. Says whether it was on."""
    was_on = bool(
        Webhook.objects.filter(pk=webhook_id, is_active=True).update(
            is_active=False, disabled_at=now, disabled_why=why
        )
    )
    _withdraw(webhook_id)
    return was_on


@transaction.atomic
def turn_on(*, webhook_id: int) -> None:
    """Tell a webhook again what happens from now on."""
    if Webhook.objects.filter(pk=webhook_id, is_active=False).update(
        is_active=True, disabled_at=None, disabled_why="", failing_since=None
    ):
        _withdraw(webhook_id)


@transaction.atomic
def remove(*, webhook_id: int) -> None:
    """Forget a webhook, with all that was ever told to it."""
    Webhook.objects.filter(pk=webhook_id).delete()


@transaction.atomic
def ping(*, webhook: Webhook, now: datetime, by: User) -> WebhookDelivery:
    """Queue a test message."""
    row = _row(
        webhook,
        Happening(
            kind=PING,
            key=f"ping:{uuid4().hex}",
            at=now,
            data={"webhook": {"id": webhook.pk, "name": webhook.name}},
            url=f"{settings.HELPDESK_BASE_URL}{webhook.get_absolute_url()}",
        ),
        None,
        now,
    )
    row.save()
    ring()
    return row


@transaction.atomic
def resend(*, delivery_id: int, now: datetime) -> bool:
    """Send a message again under its id, in a new round of attempts; not one that waits anyway.

    Says whether it is queued: a webhook that is off is sent nothing.
    """
    queued = (
        WebhookDelivery.objects.filter(pk=delivery_id, webhook__is_active=True)
        .exclude(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING))
        .update(state=DeliveryState.QUEUED, next_at=now, tries=0)
    )
    if queued:
        ring()
    return bool(queued)


def new_key() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def may_choose(user: User) -> list[Team]:
    """The teams whose tickets this person may have told to somebody."""
    teams = Team.objects.select_related("tier").order_by("tier__number", "name")
    if user.sees_every_team:
        return list(teams)
    own = {*user.teams.values_list("pk", flat=True), *user.led_teams.values_list("pk", flat=True)}
    return [team for team in teams if not team.is_private or team.pk in own]


def _check(wish: Wish, by: User, client: Client) -> None:
    if not wish.events or not set(wish.events) <= subscribable():
        raise NotSaved(_("Choose what it is to hear of."), field="events")
    if wish.private_too and by.role != Role.ADMIN:
        raise NotSaved(
            _("Only an admin may have private teams' tickets told."), field="private_too"
        )
    if wish.private_too and wish.team is not None:
        raise NotSaved(_("With a team, it hears of that team's tickets."), field="private_too")
    if wish.team is not None and wish.team not in may_choose(by):
        raise NotSaved(_("Choose a team."), field="team")
    try:
        client.check(wish.url)
    except Refused as refused:
        raise NotSaved(str(refused), field="url") from None


def _locked(webhook_id: int) -> Webhook:
    return Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)


def _withdraw(webhook_id: int) -> None:
    WebhookDelivery.objects.filter(webhook=webhook_id, state=DeliveryState.QUEUED).update(
        state=DeliveryState.WITHDRAWN, next_at=None
    )


def _row(
    webhook: Webhook, happening: Happening, known: EventType | None, now: datetime
) -> WebhookDelivery:
    name = known.name if known is not None else happening.kind
    return WebhookDelivery(
        webhook=webhook,
        dedupe_key=f"{happening.key}:{webhook.pk}",
        message_id=f"msg_{uuid4().hex}",
        event_type=name,
        about=happening.about,
        ref=happening.ref,
        body=_body(webhook, happening, name, known),
        next_at=now,
        created_at=now,
    )


def _body(webhook: Webhook, happening: Happening, name: str, known: EventType | None) -> str:
    if webhook.preset == Preset.STANDARD:
        return json.dumps(
            {"type": name, "timestamp": happening.at.isoformat(), "data": dict(happening.data)},
            ensure_ascii=False,
            separators=(",", ":"),
        )
    with translation.override(webhook.language):
        return chat.body(webhook.preset, _line(webhook, happening, known))


def _line(webhook: Webhook, happening: Happening, known: EventType | None) -> Line:
    words = happening.words
    if known is None:
        what = _("a test of the webhook “%(name)s”") % {"name": webhook.name}
    else:
        said = {"to": str(words.to) or _("nobody"), "status": str(words.status)}
        what = str(known.line) % said
    return Line(
        ref=happening.ref, what=what, subject=words.subject, facts=words.facts, url=happening.url
    )
