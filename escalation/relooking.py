"""Looking again at many tickets, since a policy or a calendar they are judged by has changed.

Nobody is made due for being looked at: what the review would find now is worked out and thrown
away, and only when to look next is written, where it differs. A ticket is due at once if it is
owed something already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, Max, OuterRef

from escalation import applying, review
from escalation.cases import load
from escalation.ledger import Ledger
from escalation.models import PolicyVersion, Relook
from escalation.models.relook import RelookCause
from notifications import ring
from staff import setwise
from staff.models import CalendarVersion, User
from tickets.models import Ticket
from tickets.models.ticket import Status

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CHUNK = 200
"""Tickets a transaction, and so for how long whoever wants to change one of them waits at most."""

PLAN_FIELDS = ("review_at", "sla_due_at", "sla_due_kind")


@dataclass(frozen=True, slots=True)
class Plan:
    """When to look next at a ticket, and what it is sorted by until then."""

    review_at: datetime | None
    sla_due_at: datetime | None
    sla_due_kind: str

    @classmethod
    def of(cls, ticket: Ticket) -> Plan:
        return cls(ticket.review_at, ticket.sla_due_at, ticket.sla_due_kind)


@transaction.atomic
def after_publishing(
    *,
    version: PolicyVersion,
    to_open_tickets: bool = False,
    now: datetime,
    by: User | None,
) -> Relook:
    """Look again at every ticket that stands, under the version that is in force now."""
    relook = Relook.objects.create(
        cause=RelookCause.POLICY,
        policy_version=version,
        to_open_tickets=to_open_tickets,
        last_id=_last_ticket(),
        created_at=now,
        created_by=by,
    )
    ring.ring_after_commit(settings.HELPDESK_REVIEW_TASK, "engine")
    return relook


def notice_calendars(*, now: datetime) -> None:
    """Look again since calendars were changed: calendars know nothing of tickets, so we ask.

    One walk serves all that are new, for each goes by the hours in force. A calendar's first
    version changes nothing for anybody.
    """
    noticed = Relook.objects.filter(calendar_version=OuterRef("pk"))
    new = list(
        CalendarVersion.objects.filter(~Exists(noticed), number__gt=1)
        .order_by("-pk")
        .select_related("created_by")
    )
    if not new:
        return
    last_id = _last_ticket()
    Relook.objects.bulk_create(
        [
            Relook(
                cause=RelookCause.CALENDAR,
                calendar_version=version,
                last_id=last_id,
                created_at=now,
                created_by=version.created_by,
                done_at=now if place else None,
            )
            for place, version in enumerate(new)
        ],
        # Another worker may notice the same at the same moment.
        ignore_conflicts=True,
    )


@transaction.atomic
def step(*, now: datetime, chunk: int = CHUNK) -> bool:
    """Go on with the oldest walk by some tickets; says whether there was anything to do.

    One worker walks at a time. Locks are waited for, in the order of ids, so that no ticket is
    passed over because somebody holds it.
    """
    relook = (
        Relook.objects.pending()
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("policy_version", "created_by")
        .order_by("pk")
        .first()
    )
    if relook is None:
        return False
    tickets = list(
        Ticket.objects.filter(pk__gt=relook.cursor, pk__lte=relook.last_id)
        .exclude(status=Status.CLOSED)
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")[:chunk]
    )
    if relook.to_open_tickets:
        relook.applied += _apply(relook, tickets, now)
    relook.changed += _look_again(tickets, now)
    relook.looked += len(tickets)
    relook.cursor = tickets[-1].pk if len(tickets) == chunk else relook.last_id
    if len(tickets) < chunk:
        relook.done_at = now
    relook.save(update_fields=("cursor", "looked", "changed", "applied", "done_at"))
    return True


def _last_ticket() -> int:
    last: int | None = Ticket.objects.aggregate(last=Max("pk"))["last"]
    return last or 0


def _apply(relook: Relook, tickets: Sequence[Ticket], now: datetime) -> int:
    """Bring running clocks to the version, unless another one has been published meanwhile."""
    version = relook.policy_version
    if version is None or version.pk != PolicyVersion.objects.in_force().pk or not tickets:
        return 0
    ledger = Ledger(now=now, by=relook.created_by)
    applied = sum(
        applying.apply(case=case, ledger=ledger) for case in load(tickets=tickets, now=now)
    )
    ledger.flush(ring=False)
    return applied


def _look_again(tickets: Sequence[Ticket], now: datetime) -> int:
    """Write when to look next at these tickets, where it differs; tells of how many."""
    plans = {t.pk: Plan.of(t) for t in tickets if t.review_at is None or t.review_at > now}
    waiting = [ticket for ticket in tickets if ticket.pk in plans]
    if not waiting:
        return 0
    poisoned = {ticket.pk for ticket in waiting if ticket.review_attempts}
    try:
        with transaction.atomic():
            wanted = _plans(waiting, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("relook_failed", count=len(waiting))
        wanted = {}
        for ticket in waiting:
            try:
                with transaction.atomic():
                    wanted |= _plans([ticket], now)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                # The review sets it aside and says so, unless it has done that already.
                plan = plans[ticket.pk]
                wanted[ticket.pk] = plan if ticket.pk in poisoned else replace(plan, review_at=now)
    changed = [ticket for ticket in waiting if wanted[ticket.pk] != plans[ticket.pk]]
    for ticket in changed:
        for name in PLAN_FIELDS:
            setattr(ticket, name, getattr(wanted[ticket.pk], name))
    setwise.write(rows=changed, fields=PLAN_FIELDS)
    return len(changed)


def _plans(tickets: Sequence[Ticket], now: datetime) -> dict[int, Plan]:
    """When each is to be looked at: now, where the review would find something to do."""
    ledger, to_close = review.work_out(cases=load(tickets=tickets, now=now), now=now)
    owed = ledger.touched().union(to_close)
    plans = {ticket.pk: Plan.of(ticket) for ticket in tickets}
    return {pk: replace(plan, review_at=now) if pk in owed else plan for pk, plan in plans.items()}
