"""Letters to Dana and Jürgen, for tests of the outbox and of delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notifications.identity import message_id
from notifications.outbox import Letter
from notifications.values import moment

#: A Tuesday.
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
ABOUT = "ticket:1042"


def letter(key: str = "escalated:1", **fields: Any) -> Letter:
    """What Dana is told when her ticket is escalated."""
    described: dict[str, Any] = {
        "dedupe_key": key,
        "template": "escalated",
        "to_address": "dana@norvik.example",
        "to_name": "Dana Reyes",
        "language": "en",
        "zone": "Europe/Oslo",
        "about": ABOUT,
        "message_id": message_id(about=ABOUT, seed=key),
        "reply_to": "reply+1042@brightquay.example",
        **fields,
    }
    described["variables"] = {
        "name": "Dana",
        "ref": "HD-1042",
        "link": "https://help.example/s/1042/",
        "tier": "Tier 2",
        "team": "Integrations",
        "due": moment(DUE),
        "agent": "Anna Keller",
        **fields.get("variables", {}),
    }
    return Letter(**described)
