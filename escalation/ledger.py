"""What a pass over some tickets changes: gathered first, then written set-wise.

Stations gather for one ticket, the review for two hundred; both write in the same few
statements, in the order the foreign keys ask for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from escalation.letters import LetterDraft, compose
from escalation.models import (
    ChecklistTick,
    Clock,
    ClockRun,
    Decision,
    Escalation,
    Handoff,
    Promise,
    Step,
)
from notifications import noticeboard, outbox
from notifications.noticeboard import Notice
from notifications.outbox import Letter
from notifications.values import Value
from staff import setwise
from staff.models import User
from tickets import timeline
from tickets.models import Detail, FollowUp, Ticket

CREATION_ORDER: tuple[type[models.Model], ...] = (
    Escalation,
    Handoff,
    Step,
    Decision,
    Clock,
    ClockRun,
    Promise,
    Detail,
    FollowUp,
    ChecklistTick,
)


REMINDING = (
    "staff_offer",
    "staff_reminder",
    "staff_escalation_path",
    "staff_follow_up",
    "staff_promise_warning",
    "staff_clock_warned",
)
"""What asks for something to be done, and is not sent any more once it is."""

PLANNING = frozenset({"review_at", "review_attempts", "review_error", "sla_due_at", "sla_due_kind"})
"""What every look writes on its ticket, whatever it finds."""


class Ledger:
    """Collects new rows, changed fields, events, letters and notices; ``flush`` writes them."""

    def __init__(self, *, now: datetime, by: User | None = None) -> None:
        self.now = now
        self.by = by
        self._new: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._changed: dict[type[models.Model], dict[int, tuple[models.Model, set[str]]]] = (
            defaultdict(dict)
        )
        self._entries: list[timeline.Entry] = []
        self._drafts: list[LetterDraft] = []
        self._forwarded: list[Letter] = []
        self._notices: list[Notice] = []
        self._over: list[tuple[str, str]] = []

    def add(self, row: models.Model) -> None:
        """A row to insert."""
        self._new[type(row)].append(row)

    def change(self, row: models.Model, **values: Any) -> None:
        """Set fields of a row; one that is still to be inserted takes them along."""
        fields = {name for name, value in values.items() if getattr(row, name) != value}
        for name, value in values.items():
            setattr(row, name, value)
        if row.pk is None or not fields:
            return
        _row, known = self._changed[type(row)].setdefault(row.pk, (row, set()))
        known |= fields

    def event(
        self, ticket: Ticket, name: str, /, *, at: datetime | None = None, **data: Any
    ) -> None:
        """Something for the ticket's timeline; ``data`` holds ids and values, never texts."""
        self._entries.append(
            timeline.Entry(
                ticket_id=ticket.pk,
                kind=name,
                at=at or self.now,
                user_id=self.by.pk if self.by else None,
                data=data,
            )
        )

    def hold(self, ticket: Ticket, held: bool) -> None:
        """Keep a ticket from being resolved or closed, or let it be again.

        A constraint in the database sees to it at every door.
        """
        self.change(ticket, held=held)

    def letter(self, draft: LetterDraft) -> None:
        self._drafts.append(draft)

    def forward(self, letter: Letter) -> None:
        """A letter that is addressed already, to somebody else than the ticket's requester."""
        self._forwarded.append(letter)

    def notice(
        self,
        *,
        key: str,
        to: Iterable[User | None],
        kind: str,
        ticket: Ticket,
        **variables: Value,
    ) -> None:
        """Tell people something about a ticket, each of them once; telling nobody is allowed."""
        readers = tuple(dict.fromkeys(user.pk for user in to if user is not None))
        if not readers:
            return
        self._notices.append(
            Notice(
                dedupe_key=key,
                readers=readers,
                kind=kind,
                about=ticket.about,
                variables={
                    "ref": ticket.reference,
                    "subject": ticket.subject,
                    "url": ticket.address,
                    **variables,
                },
            )
        )

    def recall(self, ticket: Ticket, key: str) -> None:
        """Nobody needs to be asked or reminded any more of what notices under ``key`` say."""
        self._over.append((ticket.about, f"{key}:"))

    def touched(self) -> set[int]:
        """The tickets about which more is to be written than when to look next."""
        rows = [row for rows in self._new.values() for row in rows]
        rows += [
            row
            for changes in self._changed.values()
            for row, fields in changes.values()
            if not (isinstance(row, Ticket) and fields <= PLANNING)
        ]
        abouts = {
            *(notice.about for notice in self._notices),
            *(letter.about for letter in self._forwarded),
            *(about for about, _key in self._over),
        }
        return {
            *(entry.ticket_id for entry in self._entries),
            *(draft.ticket.pk for draft in self._drafts),
            *(int(about.removeprefix("ticket:")) for about in abouts),
            *map(_ticket_of, rows),
        }

    def flush(self, *, ring: bool) -> None:
        """Write everything; ``ring`` asks the engine to look at the tickets at once."""
        # Changes first: what they end makes room, under the unique constraints, for what
        # begins.
        for model, changes in self._changed.items():
            self._update(model, changes.values())
        setwise.give_keys(self._new.values())
        for model in CREATION_ORDER[:2]:
            self._insert(model)
        self._take_back()
        self._send()
        if self._forwarded:
            outbox.queue(letters=self._forwarded, now=self.now)
        for model in CREATION_ORDER[2:]:
            self._insert(model)
        noticeboard.notify(notices=self._notices, now=self.now)
        timeline.record_many(entries=self._entries, ring=ring)

    def _insert(self, model: type[models.Model]) -> None:
        if rows := self._new.pop(model, []):
            setwise.insert(rows=rows)

    def _update(
        self,
        model: type[models.Model],
        changes: Iterable[tuple[models.Model, set[str]]],
    ) -> None:
        by_fields: dict[frozenset[str], list[models.Model]] = defaultdict(list)
        for row, fields in changes:
            by_fields[frozenset(fields)].append(row)
        for names, rows in by_fields.items():
            setwise.write(rows=rows, fields=names)

    def _take_back(self) -> None:
        if self._over:
            noticeboard.withdraw(
                about={about for about, _key in self._over},
                kinds=REMINDING,
                keys_starting=[key for _about, key in self._over],
                now=self.now,
            )

    def _send(self) -> None:
        drafts = [draft for draft in self._drafts if not draft.is_muted]
        if not drafts:
            return
        emails = outbox.queue(letters=compose(drafts), now=self.now)
        for draft, email in zip(drafts, emails, strict=True):
            if draft.promise is not None and draft.promise._state.adding:
                draft.promise.email = email
            if draft.message is not None:
                draft.message.email = email
                draft.message.save(update_fields=("email",))


def _ticket_of(row: models.Model) -> int:
    """The ticket a row hangs on."""
    match row:
        case Ticket():
            return row.pk
        case Handoff() | ChecklistTick():
            return row.escalation.ticket_id
        case Step():
            return row.handoff.escalation.ticket_id
        case ClockRun():
            return row.clock.ticket_id
        case Clock() | Decision() | Detail() | Escalation() | FollowUp() | Promise():
            return row.ticket_id
    raise TypeError(f"{type(row).__name__} hangs on no ticket.")
