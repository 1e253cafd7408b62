"""The shelf: rows of many tickets that are over, put away set by set instead of act by act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from escalation.models import (
    ChecklistTick,
    Clock,
    ClockRun,
    Decision,
    Escalation,
    Handoff,
    Promise,
    Review,
    Step,
)
from staff.models import User
from tickets.models import Contact, Detail, Event, Message, SearchEntry, Ticket

ORDER: tuple[type[Model], ...] = (
    Ticket, Message, Detail, Escalation, Handoff, Step, Decision, Promise, Clock, ClockRun, Review,
    ChecklistTick,
)  # fmt: skip
"""What is named by a row comes before it."""

AT_ONCE = 1000


class Shelf:
    """Collects rows, which may name one another before they have been written."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], list[Any]] = defaultdict(list)
        self._events: list[tuple[Event, Mapping[str, Any]]] = []

    def put(self, row: Model) -> None:
        self._rows[type(row)].append(row)

    def event(
        self,
        ticket: Ticket,
        kind: str,
        at: datetime,
        /,
        *,
        user: User | None = None,
        contact: Contact | None = None,
        **data: Any,
    ) -> None:
        """What happened; rows in ``data`` become their ids once they have one."""
        event = Event(ticket=ticket, kind=kind, at=at, user=user, contact=contact)
        self._events.append((event, data))

    def take_over(self, other: Shelf) -> None:
        """What another one holds is written with this one."""
        for model, rows in other._rows.items():
            self._rows[model] += rows
        self._events += other._events

    def write(self) -> None:
        for model in ORDER:
            for rows in self._in_turn(model):
                model._default_manager.bulk_create(rows, batch_size=AT_ONCE)
            _count(model)
            if model is Ticket:
                # The database makes these itself, and looks for them with every message.
                _count(SearchEntry)
        for event, data in self._events:
            event.data = {
                name: value.pk if isinstance(value, Model) else value
                for name, value in data.items()
            }
        self._events.sort(key=lambda pair: pair[0].at)
        Event.objects.bulk_create((event for event, _data in self._events), batch_size=AT_ONCE)
        _count(Event)

    def _in_turn(self, model: type[Model]) -> list[list[Any]]:
        """A promise that replaces another comes after it."""
        rows = self._rows[model]
        if model is not Promise:
            return [rows]
        return [
            [promise for promise in rows if promise.replaces is None],
            [promise for promise in rows if promise.replaces is not None],
        ]


def _count(model: type[Model]) -> None:
    """Have the planner know of rows that no autovacuum sees before they are committed.

    A table that was looked at while it was empty is taken for empty; joins with it then went
    through all search entries for each: the year took many minutes instead of seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
