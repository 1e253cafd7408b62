"""What became of a letter: receipts come from our own mail server, in reports, or by webhook.

They are rows, which whoever queued the letter takes in later: nothing below knows tickets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from notifications.models import DeliveryEvent, DeliveryKind, DeliverySource, OutgoingEmail
from notifications.plaintext import one_line
from notifications.ring import ring_after_commit


@transaction.atomic
def record(
    *,
    mail: OutgoingEmail,
    kind: DeliveryKind,
    source: DeliverySource,
    key: str,
    at: datetime,
    status: str = "",
    said: str = "",
    recipient: str = "",
) -> bool:
    """Keep what was heard of a letter, once for each ``key``; says whether it was new.

    ``status`` is an enhanced status code (RFC 3463) such as ``5.1.1`` or an SMTP reply code.
    """
    _event, new = DeliveryEvent.objects.get_or_create(
        event_key=key[:200],
        defaults={
            "email": mail,
            "about": mail.about,
            "kind": kind,
            "source": source,
            "at": at,
            "status": one_line(status, limit=20),
            "said": one_line(said, limit=500),
            "recipient": one_line(recipient or mail.to_address, limit=254).lower(),
        },
    )
    if new:
        ring_after_commit(settings.HELPDESK_REVIEW_TASK, "engine")
    return new


def accepted(*, mails: Sequence[OutgoingEmail], at: datetime) -> None:
    """Our mail server has taken letters. That is news only after one that did not arrive.

    Otherwise a letter's own state says it; to be taken is not yet to be delivered. One query
    where all is well.
    """
    refused = DeliveryEvent.objects.filter(kind=DeliveryKind.BOUNCED).filter(
        Q(about__in={mail.about for mail in mails if mail.about})
        | Q(recipient__in={mail.to_address.lower() for mail in mails})
    )
    earlier = list(refused.values_list("about", "recipient"))
    if not earlier:
        return
    things = {about for about, _recipient in earlier if about}
    people = {recipient for _about, recipient in earlier}
    for mail in mails:
        if mail.about in things or mail.to_address.lower() in people:
            record(
                mail=mail,
                kind=DeliveryKind.ACCEPTED,
                source=DeliverySource.SMTP,
                key=f"smtp:{mail.pk}:accepted:{mail.attempts}",
                at=at,
            )


def unreachable(addresses: Collection[str]) -> set[str]:
    """Of these addresses, in small letters, those that are known not to exist any more.

    A letter that was given up after days says nothing about the address, a 5.x.x does; until a
    later letter arrives.
    """
    wanted = {address.lower() for address in addresses}
    heard: dict[str, list[DeliveryEvent]] = {}
    for event in DeliveryEvent.objects.filter(recipient__in=wanted).order_by("at", "pk"):
        heard.setdefault(event.recipient, []).append(event)
    return {
        address
        for address, events in heard.items()
        if any(
            event.is_hard and not any(event.is_overcome_by(later) for later in events)
            for event in events
        )
    }
