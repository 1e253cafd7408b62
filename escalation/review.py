"""The review: looks at every ticket that is due, and does what time or change owes it.

Level-triggered: it asks what is so and not what happened, so that it may run twice, late or
after a crash, with the same result. ``Ticket.review_at`` holds every timer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from escalation import (
    clocks,
    endings,
    followups,
    handoffs,
    packages,
    paths,
    promises,
    ruling,
    telling,
    waking,
    welcome,
)
from escalation.cases import Case, StatusChange, load
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import State
from escalation.targets import Destination
from notifications import closingtime, noticeboard, ring
from notifications.noticeboard import Notice
from notifications.values import moment
from staff.models import Role, Team, User
from tickets.models import Ticket
from tickets.models.ticket import Status

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BATCH = 200
"""Tickets a transaction: 500 is no faster and keeps their rows locked three times as long."""

SLICE = timedelta(seconds=30)
"""How long a sweep goes on before it lets the next one continue."""

FIRST_PUSH_OUT = timedelta(minutes=1)
LONGEST_PUSH_OUT = timedelta(days=1)


def sweep(*, clock: Callable[[], datetime], batch: int = BATCH) -> int:
    """Review every ticket that is due by ``clock``; returns how many were looked at.

    ``clock`` is read once a batch, so that everything in a batch happens at one moment. A
    ticket that raises is set aside and tried again later; the others go through. Raises
    ``OperationalError`` when the database is gone.
    """
    ring.silence(settings.HELPDESK_REVIEW_TASK)
    began, looked = clock(), 0
    while True:
        now = clock()
        found = _look(now=now, limit=batch)
        looked += found
        if found < batch:
            return looked
        if clock() - began > SLICE or closingtime.said():
            ring.ring(settings.HELPDESK_REVIEW_TASK, "engine")
            return looked


def reconcile(*, tickets: Sequence[Ticket], now: datetime) -> None:
    """Bring everything about these locked tickets to where it should be at ``now``."""
    ledger, to_close = work_out(cases=load(tickets=tickets, now=now), now=now)
    ledger.flush(ring=False)
    for ticket_id in to_close:
        endings.close(ticket_id=ticket_id, now=now, by=None)


def work_out(*, cases: Sequence[Case], now: datetime) -> tuple[Ledger, list[int]]:
    """What is owed to these locked tickets, not written yet, and which of them are to close."""
    ledger = Ledger(now=now)
    changes = clocks.missed_changes(cases)
    for case in cases:
        clocks.sync(case=case, ledger=ledger, changes=changes.get(case.ticket.pk, ()))
    welcome.greet(cases=cases, ledger=ledger)
    moments = ruling.apply(cases=cases, ledger=ledger)
    steps = _drive_paths(cases, ledger)
    to_close: list[int] = []
    for case in cases:
        telling.drive(case=case, ledger=ledger)
        coming = [
            *clocks.watch(case=case, ledger=ledger),
            *followups.drive(case=case, ledger=ledger),
            waking.drive(case=case, ledger=ledger),
            *steps[case.ticket.pk],
            promises.drive(
                case=case, ledger=ledger, changes=_news(case, changes.get(case.ticket.pk, ()))
            ),
            moments[case.ticket.pk],
        ]
        close_at = endings.closes_at(case)
        if close_at is not None and close_at <= now:
            to_close.append(case.ticket.pk)
        _plan_next_look(case, ledger, [*coming, close_at])
    return ledger, to_close


def claim(*, now: datetime, limit: int, ids: Collection[int] | None = None) -> list[Ticket]:
    """Lock tickets that are due and that nobody else is looking at."""
    due = Ticket.objects.due_for_review(now)
    if ids is not None:
        due = due.filter(pk__in=ids)
    return list(
        due.select_for_update(of=("self",), skip_locked=True, no_key=True).order_by(
            "review_at", "pk"
        )[:limit]
    )


def _look(*, now: datetime, limit: int) -> int:
    ids: list[int] = []
    try:
        with transaction.atomic():
            tickets = claim(now=now, limit=limit)
            ids = [ticket.pk for ticket in tickets]
            if tickets:
                reconcile(tickets=tickets, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("review_failed", count=len(ids))
        if ids:
            _look_in_halves(ids=ids, error=error, now=now)
    return len(ids)


def _look_in_halves(*, ids: Sequence[int], error: Exception, now: datetime) -> None:
    """Set aside the ticket at which a batch failed, and review the others.

    By halves it is found in some fifteen looks of two hundred, and none waits until each of them was
    looked at by itself.
    """
    if len(ids) == 1:
        logger.error("ticket_set_aside", ticket=f"HD-{ids[0]}", exc_info=error)
        _set_aside(ticket_id=ids[0], error=error, now=now)
        return
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        try:
            with transaction.atomic():
                if tickets := claim(now=now, limit=len(half), ids=half):
                    reconcile(tickets=tickets, now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as failed:
            _look_in_halves(ids=half, error=failed, now=now)


@transaction.atomic
def _set_aside(*, ticket_id: int, error: Exception, now: datetime) -> None:
    """Try a ticket again later, each time twice as late, and tell the admins."""
    ticket = Ticket.objects.select_for_update(no_key=True).get(pk=ticket_id)
    ticket.review_attempts += 1
    push_out = min(FIRST_PUSH_OUT * 2 ** min(ticket.review_attempts - 1, 20), LONGEST_PUSH_OUT)
    ticket.review_at = now + push_out
    # What the database says may quote a customer's words.
    detail = "" if isinstance(error, DatabaseError) else str(error)
    ticket.review_error = f"{type(error).__name__}: {detail}"[:500]
    ticket.save(update_fields=("review_attempts", "review_at", "review_error"))
    noticeboard.notify(
        notices=[
            Notice(
                dedupe_key=f"{ticket.reference}:poison:{now:%Y%m%dT%H%M%S}",
                readers=tuple(
                    User.objects.filter(role=Role.ADMIN, is_active=True).values_list(
                        "pk", flat=True
                    )[:20]
                ),
                kind="admin_poison_ticket",
                about=ticket.about,
                variables={
                    "ref": ticket.reference,
                    "subject": ticket.subject,
                    "url": ticket.address,
                    "error": ticket.review_error,
                    "attempts": ticket.review_attempts,
                    "next_try": moment(ticket.review_at),
                },
            )
        ],
        now=now,
    )


def _news(case: Case, changes: Sequence[StatusChange]) -> list[StatusChange]:
    """The changes that no review has followed: clocks that start late are given older ones, too."""
    until = case.reckoned_until
    return [change for change in changes if until is None or change.at > until]


def _drive_paths(cases: Sequence[Case], ledger: Ledger) -> Mapping[int, list[datetime | None]]:
    """Fire the steps that are due; returns, by ticket, when the next ones are."""
    coming: dict[int, list[datetime | None]] = {case.ticket.pk: [] for case in cases}
    going_on: list[tuple[Case, Escalation, Handoff, Team]] = []
    for case in cases:
        for escalation in case.open_escalations:
            if escalation.state != State.OFFERED:
                continue
            handoff = case.current(escalation)
            if handoff._state.adding:
                # The rules have just offered it; it is driven from the next look on.
                coming[case.ticket.pk].append(_next_step_at(case, handoff))
                continue
            at, backup = paths.drive(
                case=case, ledger=ledger, escalation=escalation, handoff=handoff
            )
            if backup is None:
                coming[case.ticket.pk].append(at)
            else:
                going_on.append((case, escalation, handoff, backup))
    materials = packages.collect([case.ticket for case, *_rest in going_on]) if going_on else None
    for case, escalation, handoff, backup in going_on:
        assert materials is not None
        offered = handoffs.pass_on(
            case=case,
            ledger=ledger,
            escalation=escalation,
            handoff=handoff,
            destination=Destination(backup),
            materials=materials,
        )
        coming[case.ticket.pk].append(_next_step_at(case, offered))
    return coming


def _next_step_at(case: Case, handoff: Handoff) -> datetime | None:
    upcoming = paths.next_step(case=case, handoff=handoff)
    return upcoming[2] if upcoming is not None else None


def _plan_next_look(case: Case, ledger: Ledger, moments: Sequence[datetime | None]) -> None:
    due_at, kind = clocks.nearest(case)
    ended = case.ticket.status == Status.CLOSED
    ledger.change(
        case.ticket,
        review_at=min((at for at in moments if at is not None and at > ledger.now), default=None),
        review_attempts=0,
        review_error="",
        sla_due_at=None if ended else due_at,
        sla_due_kind="" if ended else kind,
    )
