"""The procedure's checklist on an escalation: its items tick themselves where the system knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import procedures
from escalation.models import ChecklistTick, Escalation
from notifications.models import MailState, OutgoingEmail
from staff.editions import Edition
from staff.models import User
from tickets import locking, timeline
from tickets.errors import Refused
from tickets.gathering import Gathered
from tickets.models import FollowUp, Ticket
from training.models import ProcedureVersion

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
"""The items that tick themselves, by what the system knows; and the checklist of an escalation that
was opened before there was a procedure."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item: done by the ticket's own doing, or ticked by a person."""

    key: str
    label: str
    done: bool
    by_itself: bool
    user: User | None = None
    at: datetime | None = None


class Subject(NamedTuple):
    """An escalation whose checklist is asked for, with its ticket and what was gathered for it."""

    escalation: Escalation
    ticket: Ticket
    gathered: Gathered


def checklists_of(
    *,
    escalations: Sequence[Escalation],
    ticket: Ticket,
    gathered: Gathered,
    edition: Edition,
    language: str,
) -> dict[int, tuple[Item, ...]]:
    """The checklists of a ticket's escalations as they stand, by their ids, in two queries.

    Each has the items of the version it was opened under, in the reader's language.
    """
    return checklists(
        subjects=[Subject(escalation, ticket, gathered) for escalation in escalations],
        edition=edition,
        language=language,
    )


def checklists(
    *, subjects: Sequence[Subject], edition: Edition, language: str
) -> dict[int, tuple[Item, ...]]:
    """As ``checklists_of``, for the escalations of many tickets."""
    escalations = [subject.escalation for subject in subjects]
    versions = procedures.versions(edition=edition, ids=_versions_of(escalations))
    ticks: dict[int, dict[str, ChecklistTick]] = defaultdict(dict)
    for tick in ChecklistTick.objects.filter(escalation__in=escalations).select_related("user"):
        ticks[tick.escalation_id][tick.item] = tick
    # The letter has gone out; to capture it, without SMTP, is as far as it can go.
    letters = {f"{escalation.key}:escalated" for escalation in escalations}
    told = OutgoingEmail.objects.filter(
        dedupe_key__in=letters, state__in=(MailState.SENT, MailState.CAPTURED)
    )
    reminded = FollowUp.objects.filter(about__in={escalation.key for escalation in escalations})
    found = {
        key
        for (key,) in told.order_by()
        .values_list("dedupe_key")
        .union(reminded.order_by().values_list("about"))
    }
    return {
        escalation.pk: _items(
            _labels(versions.get(escalation.procedure_version_id or 0), language),
            ticks[escalation.pk],
            _done_by_itself(
                escalation,
                ticket,
                gathered,
                told=f"{escalation.key}:escalated" in found,
                reminded=escalation.key in found,
            ),
        )
        for escalation, ticket, gathered in subjects
    }


def _versions_of(escalations: Sequence[Escalation]) -> set[int]:
    return {each.procedure_version_id for each in escalations if each.procedure_version_id}


def _labels(version: ProcedureVersion | None, language: str) -> Mapping[str, str]:
    if version is None:
        return {key: str(label) for key, label in ITEMS.items()}
    return {item.key: item.text for item in version.course(language).checklist}


def _items(
    labels: Mapping[str, str], ticks: Mapping[str, ChecklistTick], done: Mapping[str, bool]
) -> tuple[Item, ...]:
    items = []
    for key, label in labels.items():
        tick = ticks.get(key)
        by_itself = done.get(key, False)
        items.append(
            Item(
                key=key,
                label=label,
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
    escalation = Escalation.objects.select_related("procedure_version").get(pk=escalation_id)
    if item not in _labels(escalation.procedure_version, by.language):
        raise Refused(_("The checklist has no such item."), field="item")
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
    escalation: Escalation, ticket: Ticket, gathered: Gathered, *, told: bool, reminded: bool
) -> Mapping[str, bool]:
    return {
        "assess": ticket.assessed_at is not None,
        "gather": not gathered.missing,
        "department": escalation.hops > 0,
        "escalate": escalation.hops > 0,
        "notify": told,
        "remind": reminded,
        "update": (
            ticket.last_public_update_at is not None
            and ticket.last_public_update_at > escalation.opened_at
        ),
        "close": ticket.closed_at is not None,
    }
