"""What the rules may know of a ticket. Pure: no tables, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staff.businesstime import BusinessTime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFact:
    """A live clock: its time, target and use; ``running_since`` None while it is paused."""

    time: BusinessTime
    budget: timedelta
    consumed: timedelta = timedelta()
    running_since: datetime | None = None
    breached_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """One ticket as the rules see it; moments are aware.

    ``priority`` is 1–4, ``impact`` and ``urgency`` 1–3, 1 the most pressing. ``plan_time``
    counts business durations. ``clocks`` are by kind, live ones only. ``fired`` says when a
    rule last escalated this ticket. Silence counts from ``created_at`` until there is a word.
    """

    reference: str
    status: str
    priority: int
    impact: int
    urgency: int
    created_at: datetime
    status_since: datetime
    plan_time: BusinessTime
    complexity: str = "moderate"
    category: str | None = None
    plan: str | None = None
    organization: str | None = None
    team: str | None = None
    tier: int | None = None
    assignee: bool = False
    tags: frozenset[str] = frozenset()
    language: str = ""
    channel: str = ""
    subject: str = ""
    text: str = ""
    reopened_count: int = 0
    reopened_at: datetime | None = None
    completeness: int = 100
    escalated: frozenset[str] = frozenset()
    times_escalated: int = 0
    sender_verified: bool = False
    waiting_since: datetime | None = None
    last_public_update_at: datetime | None = None
    customer_asked_to_escalate_at: datetime | None = None
    clocks: Mapping[str, ClockFact] = field(default_factory=dict)
    fired: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def is_ended(self) -> bool:
        return self.status in ("resolved", "closed")
