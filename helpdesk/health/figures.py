"""What the database knows of how the helpdesk is.

Everything here is bounded: what waits is found by partial indexes and counted to ``MOST``, however
many tickets there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Min, Q, QuerySet

from desk.selfcheck import database
from notifications import mailwatch
from notifications.mailwatch import Backlog
from notifications.models import (
    WITHHELD,
    DeliveryState,
    MailState,
    OutboxPause,
    OutgoingEmail,
    WebhookDelivery,
)
from tickets.models import Ticket

#: What waits is counted no further; a figure of so many means "at least".
MOST = 10_000
#: Milliseconds for a statement; more than a database that is well ever takes.
STATEMENT_TIMEOUT = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, to ``MOST``, and since when the oldest is due."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlogs:
    """What should have been done by now, and what waits for people."""

    reviews: Waiting
    outbox: Backlog
    webhooks: Waiting
    #: Since when nothing is claimed for sending, because somebody said so.
    paused_since: datetime | None
    withheld: int
    #: Left to a person; those that are sent once more by themselves wait like others.
    uncertain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One look. Ages are to be taken from ``now``, which is the database's."""

    now: datetime
    #: How far its clock and ours are apart, in seconds.
    apart: float
    #: Milliseconds from the first word to the first answer, the connection included.
    took: float
    unapplied: tuple[str, ...]
    #: Applied by a newer version of one of our apps.
    unknown: tuple[str, ...]
    #: None while migrations are missing: what is asked for may not be there yet.
    backlogs: Backlogs | None


@contextmanager
def short_of_patience() -> Iterator[None]:
    """A connection of this thread's own that gives up soon, in one transaction.

    It is new each time: that the database still takes connections is part of the question, and a
    connection that hangs is not one that a page needs.
    """
    ours = connections.create_connection(DEFAULT_DB_ALIAS)
    ours.settings_dict = {
        **ours.settings_dict,
        "OPTIONS": {
            **ours.settings_dict["OPTIONS"],
            "application_name": "helpdesk health",
            "connect_timeout": 1,
            # Milliseconds, of what was sent and is not acknowledged: a network that swallows it.
            "tcp_user_timeout": 2000,
        },
    }
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = ours
    try:
        with transaction.atomic():
            with ours.cursor() as cursor:
                # Not among the options of the connection, which a pooler would refuse.
                cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
            yield
    finally:
        ours.close()
        connections[DEFAULT_DB_ALIAS] = before


def look(*, clock: Callable[[], datetime]) -> Figures:
    """Take every figure that readiness is judged by. Raises ``django.db.Error``."""
    began = time.perf_counter()
    with short_of_patience():
        before = clock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp(), to_regclass('django_migrations') IS NOT NULL")
            now, migrated = cursor.fetchone()
        after = clock()
        took = (time.perf_counter() - began) * 1000
        applied = _applied() if migrated else frozenset()
        unapplied = _unapplied(applied)
        return Figures(
            now=now,
            # Its answer was made somewhere between: what cannot be told from none is none.
            apart=max(before - now, now - after, timedelta(0)).total_seconds(),
            took=took,
            unapplied=unapplied,
            unknown=_unknown(applied),
            backlogs=None if unapplied else _backlogs(now),
        )


def _backlogs(now: datetime) -> Backlogs:
    return Backlogs(
        reviews=reviews(now),
        outbox=mailwatch.backlog(now=now),
        webhooks=webhooks(now),
        paused_since=OutboxPause.objects.standing().values_list("began_at", flat=True).first(),
        withheld=most(OutgoingEmail.objects.filter(next_attempt_at=WITHHELD)),
        uncertain=most(
            OutgoingEmail.objects.filter(state=MailState.UNCERTAIN, next_attempt_at=None)
        ),
    )


def most(rows: QuerySet[Any]) -> int:
    """How many rows, to ``MOST``."""
    return rows.order_by()[:MOST].count()


def reviews(now: datetime) -> Waiting:
    due = Ticket.objects.due_for_review(now).order_by("review_at").values("review_at")[:MOST]
    found = due.aggregate(count=Count("review_at"), oldest=Min("review_at"))
    return Waiting(found["count"], found["oldest"])


def webhooks(now: datetime) -> Waiting:
    due = (
        WebhookDelivery.objects.filter(
            Q(next_at__lte=now) | Q(state=DeliveryState.SENDING, lease_until__lt=now)
        )
        .order_by()
        .values("next_at", "lease_until")[:MOST]
    )
    found = due.aggregate(count=Count("*"), queued=Min("next_at"), lost=Min("lease_until"))
    oldest = min(filter(None, (found["queued"], found["lost"])), default=None)
    return Waiting(found["count"], oldest)


Migration = tuple[str, str]


def _applied() -> frozenset[Migration]:
    return frozenset(MigrationRecorder.Migration.objects.values_list("app", "name"))


@cache
def _shipped() -> frozenset[Migration]:
    """Every migration there is in this version, by app, without importing any."""
    found = set()
    for app in apps.get_app_configs():
        try:
            package = import_module(f"{app.name}.migrations")
        except ModuleNotFoundError:
            continue
        found |= {
            (app.label, each.name)
            for each in iter_modules(package.__path__)
            if not each.ispkg and each.name[0] not in "_~"
        }
    return frozenset(found)


def _unapplied(applied: frozenset[Migration]) -> tuple[str, ...]:
    """What is missing, also between others; nothing is imported where every name is there."""
    return () if _shipped() <= applied else _planned(applied)


@cache
def _planned(applied: frozenset[Migration]) -> tuple[str, ...]:
    """Read once for each state of the database: it takes a tenth of a second."""
    return tuple(database.unapplied())


def _unknown(applied: frozenset[Migration]) -> tuple[str, ...]:
    shipped = _shipped()
    ours = {app for app, _name in shipped}
    return tuple(sorted(f"{app}.{name}" for app, name in applied - shipped if app in ours))
