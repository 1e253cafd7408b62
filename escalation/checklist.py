"""The procedure's checklist on an escalation: eight items that tick themselves where they can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.models import ChecklistTick, Escalation
from notifications.models import MailState, OutgoingEmail
from staff.models import User
from tickets import locking, timeline
from tickets.errors import Refused
from tickets.gathering import Gathered
from tickets.models import FollowUp, Ticket

ITEMS: Mapping[str, Any] = {
    "assess": gettext_lazy("Assess the complexity and the urgency"),
    "gather": gettext_lazy("Gather complete information"),
    "department": gettext_lazy("Determine the department with the expertise"),
    "escalate": gettext_lazy("Escalate with everything that was gathered"),
    "notify": gettext_lazy("Notify the customer, with the expected time"),
    "remind": gettext_lazy("Set reminders for the follow-up"),
    "update": gettext_lazy("Update the customer on the progress"),
    "close": gettext_lazy("Close the ticket after the resolution"),
}
"""The procedure's items, in its order."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item: done by the ticket's own doing, or ticked by a person."""

    key: str
    label: str
    done: bool
    by_itself: bool
    user: User | None = None
    at: datetime | None = None


def checklist_of(*, escalation: Escalation, ticket: Ticket, gathered: Gathered) -> tuple[Item, ...]:
    """The checklist of an escalation as it stands, in three queries."""
    ticks = {tick.item: tick for tick in escalation.ticks.select_related("user")}
    done = _done_by_itself(escalation, ticket, gathered)
    items = []
    for key, label in ITEMS.items():
        tick = ticks.get(key)
        by_itself = done[key]()
        items.append(
            Item(
                key=key,
                label=str(label),
                done=by_itself or tick is not None,
                by_itself=by_itself,
                user=tick.user if tick is not None else None,
                at=tick.at if tick is not None else None,
            )
        )
    return tuple(items)


@transaction.atomic
def tick(*, escalation_id: int, item: str, ticked: bool, now: datetime, by: User) -> None:
    """Tick an item by hand, or take the tick away; doing it again changes nothing."""
    if item not in ITEMS:
        raise Refused(_("The checklist has no such item."), field="item")
    escalation = Escalation.objects.get(pk=escalation_id)
    ticket = locking.lock(escalation.ticket_id)
    if ticked:
        _tick, changed = ChecklistTick.objects.get_or_create(
            escalation=escalation, item=item, defaults={"at": now, "user": by}
        )
    else:
        count, _models = ChecklistTick.objects.filter(escalation=escalation, item=item).delete()
        changed = bool(count)
    if changed:
        timeline.record(
            ticket=ticket,
            kind="ticked" if ticked else "unticked",
            now=now,
            by=by,
            data={"escalation": escalation_id, "item": item},
        )


def _done_by_itself(
    escalation: Escalation, ticket: Ticket, gathered: Gathered
) -> Mapping[str, Callable[[], bool]]:
    return {
        "assess": lambda: ticket.assessed_at is not None,
        "gather": lambda: not gathered.missing,
        "department": lambda: escalation.hops > 0,
        "escalate": lambda: escalation.hops > 0,
        "notify": lambda: _was_told(escalation),
        "remind": lambda: FollowUp.objects.filter(about=escalation.key).exists(),
        "update": lambda: (
            ticket.last_public_update_at is not None
            and ticket.last_public_update_at > escalation.opened_at
        ),
        "close": lambda: ticket.closed_at is not None,
    }


def _was_told(escalation: Escalation) -> bool:
    """Whether the letter has gone out (to capture it, without SMTP, is as far as it can go)."""
    return OutgoingEmail.objects.filter(
        dedupe_key=f"{escalation.key}:escalated",
        state__in=(MailState.SENT, MailState.CAPTURED),
    ).exists()
