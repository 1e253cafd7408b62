"""What became of letters comes back to their tickets: pulled, for nothing below knows tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from notifications.catalog import Audience, UnknownTemplate, mail_kind
from notifications.models import DeliveryEvent, DeliveryKind
from tickets import timeline
from tickets.models import Ticket
from tickets.timeline import Entry

BATCH = 200

#: What a timeline calls it.
SAID: Mapping[str, str] = {
    DeliveryKind.BOUNCED: "delivery_failed",
    DeliveryKind.DELAYED: "delivery_delayed",
    DeliveryKind.COMPLAINED: "delivery_complained",
    DeliveryKind.DELIVERED: "delivery_succeeded",
    DeliveryKind.ACCEPTED: "delivery_succeeded",
}
_GOOD = (DeliveryKind.DELIVERED, DeliveryKind.ACCEPTED)


def take_in(*, now: datetime, limit: int = BATCH) -> int:
    """Record on their tickets what is new about letters; tells how much was taken in.

    Until there is no more, or others hold the rest, which the next look takes. The engine looks
    at these tickets then. One index probe where there is nothing.
    """
    taken = 0
    while True:
        found = _take_in(now=now, limit=limit)
        taken += found
        if found < limit:
            return taken


def is_to_a_customer(event: DeliveryEvent) -> bool:
    """Whether its letter was one to a customer, and no notice to staff."""
    try:
        return mail_kind(event.email.kind).audience is Audience.CUSTOMER
    except UnknownTemplate:
        return False


def _take_in(*, now: datetime, limit: int) -> int:
    new = list(
        DeliveryEvent.objects.filter(taken_at__isnull=True)
        .order_by("pk")
        .values_list("pk", "about")[:limit]
    )
    if not new:
        return 0
    with transaction.atomic():
        # The tickets first, as everybody does; whoever holds one brings it to the next look.
        wanted = {found for _pk, about in new if (found := _ticket_id(about)) is not None}
        there = set(Ticket.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        held = set(
            Ticket.objects.filter(pk__in=there)
            .select_for_update(skip_locked=True, no_key=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ours = [
            pk
            for pk, about in new
            if (ticket_id := _ticket_id(about)) in held or ticket_id not in there
        ]
        events = list(
            DeliveryEvent.objects.filter(pk__in=ours, taken_at__isnull=True)
            .select_related("email")
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .order_by("pk")
        )
        timeline.record_many(entries=_entries(events, held, now))
        DeliveryEvent.objects.filter(pk__in=[event.pk for event in events]).update(taken_at=now)
    return len(events)


def _entries(events: Sequence[DeliveryEvent], held: set[int], now: datetime) -> list[Entry]:
    """A line for each letter to a customer; that letters arrive is news after one that did not."""
    failed = _with_failures(event.about for event in events)
    return [
        Entry(
            ticket_id=ticket_id,
            kind=SAID[event.kind],
            at=max(event.at, event.email.queued_at) if event.at <= now else now,
            data={"email": event.email_id, "delivery": event.pk, "status": event.status},
        )
        for event in events
        if (ticket_id := _ticket_id(event.about)) is not None
        and ticket_id in held
        and is_to_a_customer(event)
        and (event.kind not in _GOOD or event.about in failed)
    ]


def _with_failures(abouts: Iterable[str]) -> set[str]:
    return set(
        DeliveryEvent.objects.filter(about__in=set(abouts), kind=DeliveryKind.BOUNCED).values_list(
            "about", flat=True
        )
    )


def _ticket_id(about: str) -> int | None:
    kind, _colon, number = about.partition(":")
    return int(number) if kind == "ticket" and number.isdecimal() else None
