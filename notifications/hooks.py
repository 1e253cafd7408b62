"""What a mail provider tells of our letters afterwards, in anymail's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from notifications import receipts
from notifications.delivery import METADATA
from notifications.identity import read_message_id
from notifications.models import DeliveryKind, DeliverySource, OutgoingEmail

#: By anymail's word; what was queued, opened or clicked says nothing that is kept.
_KINDS: Mapping[str, DeliveryKind] = {
    "delivered": DeliveryKind.DELIVERED,
    "bounced": DeliveryKind.BOUNCED,
    "rejected": DeliveryKind.BOUNCED,
    "failed": DeliveryKind.BOUNCED,
    "complained": DeliveryKind.COMPLAINED,
    "deferred": DeliveryKind.DELAYED,
}
#: An enhanced status code (RFC 3463) says more than the reply code before it.
_STATUS = (re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b"), re.compile(r"\b[245]\d\d\b"))


def heard(*, event: Any, provider: str, now: datetime) -> bool:
    """Keep one event of a provider; says whether it was new and of a letter of ours."""
    kind = _KINDS.get(event.event_type)
    mail = _letter_of(event)
    if kind is None or mail is None:
        return False
    said = f"{event.mta_response or event.description or event.reject_reason or ''}"
    status = next((found[0] for each in _STATUS if (found := each.search(said))), "")
    seed = f"{event.event_id or f'{event.timestamp}:{event.recipient}'}:{event.event_type}"
    return receipts.record(
        mail=mail,
        kind=kind,
        source=DeliverySource.WEBHOOK,
        key=f"hook:{provider}:{sha256(f'{mail.pk}:{seed}'.encode()).hexdigest()[:40]}",
        at=min(event.timestamp or now, now),
        status=status,
        said=said,
        recipient=mail.to_address,
    )


def _letter_of(event: Any) -> OutgoingEmail | None:
    """The letter an event is about: by the Message-ID we gave along, else by the provider's."""
    named = [(event.metadata or {}).get(METADATA), event.message_id]
    ours = [each for each in named if isinstance(each, str) and read_message_id(each) is not None]
    return OutgoingEmail.objects.filter(message_id__in=ours).first() if ours else None
