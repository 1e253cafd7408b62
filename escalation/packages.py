"""The package of a hand-off: everything the receiving team needs, frozen as it was sent.

Shape (version 1)::

    {"version": 1,
     "customer": {"organization", "customer_id", "plan", "contact", "zone", "language"},
     "ticket": {"subject", "priority", "impact", "urgency", "complexity", "category",
                "opened_at", "reopened"},
     "nature", "urgency", "reason", "tried", "ask",
     "details": [{"key", "label", "value", "sentence", "message"}],
     "completeness": 75, "missing": [{"key", "label", "asked_at"}],
     "messages": [ids, oldest first], "attachments": [ids], "from_team", "assignee"}

Messages and attachments are named by id, not copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from escalation.models import Escalation
from tickets.gathering import Gathered
from tickets.models import Attachment, Message, Ticket

MESSAGES_KEPT = 200
"""How many of a conversation's newest messages a package names."""


@dataclass(slots=True)
class Materials:
    """What packages refer to, for a batch of tickets."""

    messages: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    attachments: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))


def collect(tickets: Sequence[Ticket]) -> Materials:
    """Find the messages and attachments of these tickets, in two queries."""
    materials = Materials()
    ids = [ticket.pk for ticket in tickets]
    for ticket_id, message_id in (
        Message.objects.filter(ticket__pk__among=ids, unverified=False)
        .order_by("ticket_id", "created_at", "pk")
        .values_list("ticket", "pk")
    ):
        materials.messages[ticket_id].append(message_id)
    for ticket_id, attachment_id in (
        Attachment.objects.filter(message__ticket__in=ids, message__unverified=False)
        .order_by("message__ticket_id", "pk")
        .values_list("message__ticket", "pk")
    ):
        materials.attachments[ticket_id].append(attachment_id)
    return materials


def pack(
    *, ticket: Ticket, escalation: Escalation, gathered: Gathered, materials: Materials
) -> dict[str, Any]:
    """Freeze what is known of a ticket into a package."""
    organization = ticket.organization
    labels = {detail.key: detail.label for detail in gathered.required}
    requester = ticket.requester
    return {
        "version": 1,
        "customer": {
            "organization": organization.name if organization else "",
            "customer_id": organization.customer_id if organization else "",
            "plan": organization.plan.name if organization else "",
            "contact": str(requester),
            "zone": requester.zone,
            "language": requester.language,
        },
        "ticket": {
            "subject": ticket.subject,
            "priority": ticket.priority,
            "impact": ticket.impact,
            "urgency": ticket.urgency,
            "complexity": ticket.complexity,
            "category": ticket.category.name if ticket.category else "",
            "opened_at": ticket.created_at.isoformat(),
            "reopened": ticket.reopened_count,
        },
        "nature": escalation.nature,
        "urgency": escalation.urgency,
        "reason": escalation.reason,
        "tried": escalation.tried,
        "ask": escalation.ask,
        "details": [
            {
                "key": detail.key,
                "label": labels.get(detail.key, detail.key),
                "value": detail.value,
                "sentence": detail.sentence,
                "message": detail.message_id,
            }
            for detail in gathered.present.values()
        ],
        "completeness": gathered.percent,
        "missing": [
            {"key": detail.key, "label": detail.label, "asked": detail.key in gathered.asked}
            for detail in gathered.missing
        ],
        "messages": materials.messages[ticket.pk][-MESSAGES_KEPT:],
        "attachments": materials.attachments[ticket.pk][-MESSAGES_KEPT:],
        "from_team": ticket.team.name if ticket.team else "",
        "assignee": ticket.assignee.name if ticket.assignee else "",
    }
