"""Delivery reports (RFC 3464) that return a letter of ours say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from notifications import receipts
from notifications.identity import read_message_id
from notifications.models import DeliveryKind, DeliverySource, OutgoingEmail
from tickets.inbound.parsed import Report

#: "relayed" and "expanded" leave open what became of it.
_KINDS: Mapping[str, DeliveryKind] = {
    "failed": DeliveryKind.BOUNCED,
    "delayed": DeliveryKind.DELAYED,
    "delivered": DeliveryKind.DELIVERED,
}


def take_note(*, report: Report, inbound_id: int, now: datetime) -> None:
    """Keep what a report says of the letter it returns.

    Only a Message-ID that we signed proves that it was our letter; any other report is a hint,
    which people may read and nothing follows.
    """
    kind = _KINDS.get(report.action)
    ours = [each for each in report.message_ids if read_message_id(each) is not None]
    mail = OutgoingEmail.objects.filter(message_id__in=ours).first() if ours else None
    if kind is None or mail is None:
        return
    receipts.record(
        mail=mail,
        kind=kind,
        source=DeliverySource.DSN,
        key=f"dsn:{inbound_id}",
        at=now,
        status=report.status,
        said=f"{report.action} {report.status} {report.recipient}",
        # The letter's own address: behind a forwarding one the report names another.
        recipient=mail.to_address,
    )
