"""Delivery of webhooks: claim with a lease → commit → send → mark, as often as it is rung.

Threads wait for answers and do nothing else; the rows are the main thread's. A receiver that
hangs keeps its own messages waiting, and one thread of many. A worker that is lost leaves leases
that expire: the message is sent again under its id, by which its receiver knows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from uuid import uuid4
from zlib import crc32

import standardwebhooks
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils.translation import gettext as _

from notifications import closingtime, webhooks
from notifications.models import (
    DeliveryState,
    OutboxPause,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WhyOff,
)
from notifications.noticeboard import Notice, notify
from notifications.outgoinghttp import Client, NoAnswer, Refused
from staff.models import Role, User

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

#: How long to wait after the first failure, the second, …: what Standard Webhooks recommends.
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: No receiver puts us off for longer.
LONGEST_WAIT = timedelta(hours=24)
#: After so long with failures and nothing else, a webhook is turned off.
DISABLE_AFTER = timedelta(days=5)
#: Longer than one message can take.
LEASE = timedelta(seconds=60)
#: A run takes nothing more after this, so that it is over a deadline later.
SLICE = timedelta(seconds=25)
THREADS = 16
#: Messages at once for one receiver, and for one from whom nothing arrives.
WIDTH, WIDTH_OF_FAILING = 4, 1
#: How soon new messages are seen while others wait for an answer.
_LOOK_AGAIN_SECONDS = 0.25
_PUT_OFF = frozenset({429, 503})
_GONE = 410
_PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt met; without a status, nothing answered."""

    status: int | None = None
    said: str = ""
    milliseconds: int | None = None
    retry_after: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send_due(
    *,
    clock: Clock,
    client: Client | None = None,
    lease: timedelta = LEASE,
    slice_: timedelta = SLICE,
    threads: int = THREADS,
) -> Counter[str]:
    """Send what is due, until nothing is or time is up; tells how many ended in which state."""
    client = client or Client()
    tally: Counter[str] = Counter()
    ends_at = clock() + slice_
    flying: dict[Future[Outcome], WebhookDelivery] = {}
    expire_leases(now=clock())
    with ThreadPoolExecutor(threads, thread_name_prefix="webhook") as pool:
        while True:
            if clock() < ends_at and not closingtime.said() and len(flying) < threads:
                for taken in claim(
                    now=clock(), room=threads - len(flying), flying=flying.values(), lease=lease
                ):
                    flying[pool.submit(partial(_attempt, client, taken, clock()))] = taken
            if not flying:
                return tally
            done, _waiting = wait(flying, timeout=_LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
            for each in done:
                tally[settle(delivery=flying.pop(each), outcome=each.result(), now=clock())] += 1


def expire_leases(*, now: datetime) -> int:
    """Take back what a lost worker had; it may have arrived, and is sent again under its id."""
    return WebhookDelivery.objects.filter(state=DeliveryState.SENDING, lease_until__lt=now).update(
        state=DeliveryState.QUEUED,
        next_at=now,
        lease_token=None,
        lease_until=None,
        last_error=_("The worker was lost while sending."),
    )


@transaction.atomic
def claim(
    *, now: datetime, room: int, flying: Collection[WebhookDelivery], lease: timedelta
) -> list[WebhookDelivery]:
    """Take messages that are due, each receiver's oldest, for this worker alone.

    Never two about one ticket for one receiver at once, that they arrive in their order. None while
    the outbox is paused.
    """
    due = WebhookDelivery.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    waiting = (
        Webhook.objects.listening()
        .exclude(Exists(OutboxPause.objects.standing()))
        .annotate(oldest=Subquery(due.filter(webhook=OuterRef("pk")).values("next_at")[:1]))
        .filter(oldest__isnull=False)
        .order_by("oldest", "pk")
    )
    taken: list[WebhookDelivery] = []
    for webhook in waiting:
        busy = [each for each in flying if each.webhook_id == webhook.pk]
        width = WIDTH_OF_FAILING if webhook.failing_since else WIDTH
        places = min(width - len(busy), room - len(taken))
        if places <= 0:
            continue
        sending = WebhookDelivery.objects.filter(
            webhook=webhook, state=DeliveryState.SENDING
        ).exclude(about="")
        found = (
            due.filter(webhook=webhook)
            .exclude(about__in=sending.values("about"))
            .select_for_update(skip_locked=True, no_key=True)
        )
        abouts: set[str] = set()
        for each in found[:places]:
            if each.about in abouts:
                continue
            abouts |= {each.about} - {""}
            each.webhook = webhook
            taken.append(each)
    token, until = uuid4(), now + lease
    if taken:
        WebhookDelivery.objects.filter(pk__in=[each.pk for each in taken]).update(
            state=DeliveryState.SENDING, lease_token=token, lease_until=until, next_at=None
        )
    for each in taken:
        each.state, each.lease_token, each.lease_until = DeliveryState.SENDING, token, until
    return taken


@transaction.atomic
def settle(*, delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> str:
    """Write down what an attempt met, unless somebody else has the message since."""
    tries = delivery.tries + 1
    is_over = outcome.status == _GONE or tries > len(SCHEDULE)
    changed: dict[str, object] = {"state": DeliveryState.QUEUED, "next_at": None}
    if outcome.is_delivered:
        changed |= {"state": DeliveryState.DELIVERED, "delivered_at": now}
    elif is_over:
        changed |= {"state": DeliveryState.FAILED}
    else:
        changed |= {"next_at": now + _wait_before_next(delivery, tries, outcome, now)}
    ours = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.SENDING, lease_token=delivery.lease_token
    ).update(
        lease_token=None,
        lease_until=None,
        attempts=F("attempts") + 1,
        tries=tries,
        last_status=outcome.status,
        last_error="" if outcome.is_delivered else outcome.said,
        latency_ms=outcome.milliseconds,
        **changed,
    )
    if not ours:
        return "lost"
    logger.info(
        "webhook_told" if outcome.is_delivered else "webhook_not_told",
        webhook=delivery.webhook_id,
        delivery=delivery.pk,
        about=delivery.about,
        attempt=tries,
        status=outcome.status,
        duration_ms=outcome.milliseconds,
    )
    WebhookAttempt.objects.create(
        delivery=delivery,
        at=now,
        status=outcome.status,
        said=outcome.said,
        latency_ms=outcome.milliseconds,
    )
    if outcome.is_delivered:
        if delivery.webhook.failing_since is not None:
            Webhook.objects.filter(pk=delivery.webhook_id).update(failing_since=None)
    else:
        _failed(delivery, outcome, is_over=is_over, now=now)
    return str(changed["state"])


def headers(*, webhook: Webhook, message_id: str, body: str, now: datetime) -> Mapping[str, str]:
    """What Standard Webhooks puts beside a body; both keys sign while one is being replaced."""
    # The library takes the clock's figures for UTC's, whatever their zone.
    at = now.astimezone(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(
            standardwebhooks.Webhook(key).sign(message_id, at, body) for key in webhook.keys(now)
        ),
    }


def prune(*, now: datetime) -> int:
    """Forget what was settled long ago; the bodies name customers."""
    before = now - timedelta(days=settings.HELPDESK_WEBHOOK_LOG_DAYS)
    oldest = list(
        WebhookDelivery.objects.order_by("pk").only("pk", "created_at", "state")[:_PRUNED_AT_ONCE]
    )
    if not oldest or oldest[0].created_at >= before:
        return 0
    old = [each.pk for each in oldest if each.created_at < before and each.is_settled]
    return WebhookDelivery.objects.filter(pk__in=old).delete()[0]


def _attempt(client: Client, delivery: WebhookDelivery, now: datetime) -> Outcome:
    """Send one message; in a thread, so that it touches no row."""
    webhook = delivery.webhook
    try:
        answer = client.post(
            webhook.url,
            body=delivery.body.encode(),
            headers=headers(
                webhook=webhook, message_id=delivery.message_id, body=delivery.body, now=now
            ),
        )
    except (Refused, NoAnswer) as error:
        return Outcome(said=str(error)[:500])
    except Exception:  # a bug of ours must not lose the message: it is tried again
        logger.exception("webhook_broke", webhook=delivery.webhook_id, delivery=delivery.pk)
        return Outcome(said=_("It could not be sent; the log of the worker says why."))
    return Outcome(
        status=answer.status,
        said=answer.said,
        milliseconds=answer.milliseconds,
        retry_after=answer.headers.get("retry-after", ""),
    )


def _wait_before_next(
    delivery: WebhookDelivery, tries: int, outcome: Outcome, now: datetime
) -> timedelta:
    """The schedule's wait, spread by a fifth, or the longer one that the receiver asked for."""
    spread = crc32(f"{delivery.message_id}:{delivery.attempts}".encode()) / 0xFFFFFFFF
    planned: timedelta = SCHEDULE[tries - 1] * (1 + 0.2 * spread)
    if outcome.status in _PUT_OFF:
        planned = max(planned, min(_asked_wait(outcome.retry_after, now), LONGEST_WAIT))
    return planned


def _asked_wait(retry_after: str, now: datetime) -> timedelta:
    """Retry-After (RFC 9110, 10.2.3) is a number of seconds or a date; else no wait."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta(0)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now


def _failed(delivery: WebhookDelivery, outcome: Outcome, *, is_over: bool, now: datetime) -> None:
    """A message did not arrive: remember since when, turn off what is gone, and tell of it."""
    Webhook.objects.filter(pk=delivery.webhook_id, failing_since=None).update(failing_since=now)
    webhook = Webhook.objects.get(pk=delivery.webhook_id)
    since = webhook.failing_since or now
    delivery.webhook.failing_since = since
    why = (
        WhyOff.GONE
        if outcome.status == _GONE
        else WhyOff.FAILING
        if since <= now - DISABLE_AFTER
        else None
    )
    if why is not None:
        if webhooks.turn_off(webhook_id=webhook.pk, why=why, now=now):
            _tell(webhook, "staff_webhook_off", outcome, key=f"off:{now.isoformat()}", now=now)
    elif is_over:
        key = f"failed:{since.isoformat()}"
        _tell(webhook, "staff_webhook_failed", outcome, key=key, now=now)


def _tell(webhook: Webhook, kind: str, outcome: Outcome, *, key: str, now: datetime) -> None:
    error = outcome.said or "-"
    notify(
        notices=[
            Notice(
                dedupe_key=f"webhook:{webhook.pk}:{key}",
                readers=tuple(_answerable(webhook)),
                kind=kind,
                about=f"webhook:{webhook.pk}",
                variables={
                    "name": webhook.name,
                    "place": webhook.place,
                    "error": f"{outcome.status} {error}" if outcome.status else error,
                    "url": f"{settings.HELPDESK_BASE_URL}{webhook.get_absolute_url()}",
                },
            )
        ],
        now=now,
    )


def _answerable(webhook: Webhook) -> list[int]:
    """Who made it and may still see to it, else its team's leads, else the admins."""
    people = User.objects.leading()
    for found in (
        people.filter(pk=webhook.created_by_id or 0),
        people.filter(led_teams=webhook.team_id or 0),
        people.filter(role=Role.ADMIN),
    ):
        ids = list(found.values_list("pk", flat=True)[:50])
        if ids:
            return ids
    return []
