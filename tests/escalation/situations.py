"""Tickets that rules are asked about on a Friday afternoon, and rules as a file writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from escalation import vocabulary
from escalation.rulefile import parse_rules
from escalation.rules import (
    Rule,
    decide,
)
from escalation.ticketfacts import TicketFacts
from staff.businesstime import OpenHours
from staff.hours import Hours

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
#: Mon-Fri 9-17, and round the clock.
OFFICE = OpenHours(Hours(zone="UTC", weekly=(((540, 1020),),) * 5 + ((), ())))
ALWAYS = OpenHours(Hours(zone="UTC", weekly=(((0, 1440),),) * 7))
#: Open on one day long ago.
PAST = OpenHours(
    Hours.from_json({"zone": "UTC", "weekly": {}, "exceptions": {"2020-06-01": [["09:00", "17:00"]]}})
)  # fmt: skip
#: A Friday afternoon, half an hour before the office closes.
START = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def ticket(**changes: Any) -> TicketFacts:
    """A new P3 ticket of that Friday, on office hours."""
    facts: dict[str, Any] = {
        "reference": "HD-1042",
        "status": "open",
        "priority": 3,
        "impact": 2,
        "urgency": 2,
        "created_at": START,
        "status_since": START,
        "plan_time": OFFICE,
        **changes,
    }
    return TicketFacts(**facts)


def rule(when: object, key: str = "one", **changes: Any) -> Rule:
    """A rule as a file writes it."""
    body = {"key": key, "name": key.title(), "when": when, "to": {"next_tier": True}, **changes}
    return parse_rules([body])[0]


def leaf(fact: str, op: str, value: Any = None) -> dict[str, Any]:
    data = {"fact": fact, "op": op}
    return data if op in vocabulary.VALUELESS else {**data, "value": value}


def holds(when: object, facts: TicketFacts, now: datetime = START) -> bool:
    return decide(facts, [rule(when)], now).rule is not None


P3 = leaf("priority", "is", "P3")
P1 = leaf("priority", "is", "P1")
MAIL = leaf("channel", "is", "mail")
