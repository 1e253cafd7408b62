"""Everything the ticket page shows, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from desk import panels, talk
from desk.eventwords import Book, name_of
from desk.panels import EscalationPanel, PastEscalation
from desk.talk import Entry
from escalation import clocks, followups
from escalation.cases import Case, load
from escalation.explanation import Explanation, explain_case
from escalation.models import Clock, Promise
from escalation.models.clock import ClockState
from escalation.roster import Roster
from staff.models import User
from tickets.gathering import Gathered
from tickets.models import Detail, FollowUp, Snooze, Ticket


@dataclass(frozen=True, slots=True)
class DetailRow:
    """A detail, required or not; ``detail`` None where it is missing and was not asked for."""

    key: str
    label: str
    detail: Detail | None
    who: str
    required: bool

    @property
    def value(self) -> str:
        return self.detail.value if self.detail is not None else ""

    @property
    def asked_at(self) -> datetime | None:
        return self.detail.asked_at if self.detail is not None and not self.value else None


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock as the page shows it: its due time counts down, its share fills a bar."""

    clock: Clock
    used_percent: int
    warn_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.clock.state == ClockState.RUNNING


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    follow_up: FollowUp
    person: User | None


@dataclass(frozen=True, slots=True)
class TicketPage:
    """One ticket, for one reader, at one moment."""

    ticket: Ticket
    entries: tuple[Entry, ...]
    older: int | None
    gathered: Gathered
    details: tuple[DetailRow, ...]
    clocks: tuple[ClockRow, ...]
    panels: tuple[EscalationPanel, ...]
    past: tuple[PastEscalation, ...]
    promise: Promise | None
    snooze: Snooze | None
    follow_ups: tuple[FollowUpRow, ...]
    explanation: Explanation
    rule_names: Mapping[str, str]
    open_at_organization: int
    roster: Roster

    @property
    def after_resolving(self) -> tuple[tuple[str, str, str], ...]:
        """What a resolved ticket offers: action, label, icon."""
        return (
            ("close", gettext("Close"), "archive"),
            ("reopen", gettext("Reopen"), "refresh"),
        )


def ticket_page(
    *, ticket: Ticket, user: User, now: datetime, before: int | None = None
) -> TicketPage:
    """Read the page; ``before`` is the id of a message to read older ones from."""
    [case] = load(tickets=[ticket], now=now)
    book = _book(case)
    shown, older = talk.entries(ticket, before, book)
    return TicketPage(
        ticket=ticket,
        entries=shown,
        older=older,
        gathered=case.gathered,
        details=_details(case.gathered, book),
        clocks=_clocks(case, now),
        panels=panels.panels(case, user, book, now),
        past=panels.past(case, user),
        promise=case.promise,
        snooze=case.snooze,
        follow_ups=tuple(
            FollowUpRow(follow_up, followups.receiver_of(follow_up, case))
            for follow_up in case.follow_ups
        ),
        explanation=explain_case(case=case, now=now),
        rule_names=book.rules,
        open_at_organization=_open_at_organization(ticket),
        roster=case.roster,
    )


def _book(case: Case) -> Book:
    """The names the case knows; those who left are looked up when an event names them."""
    return Book(
        users={pk: person.name for pk, person in case.roster.users.items()},
        teams={pk: team.name for pk, team in case.roster.teams.items()},
        details={detail.key: detail.local_label for detail in case.gathered.required},
        rules={rule.key: rule.name for rule in case.policy.rules},
    )


def _details(gathered: Gathered, book: Book) -> tuple[DetailRow, ...]:
    """What is required first, then what else is known or was asked for."""
    rows = {**gathered.present, **gathered.awaited}
    required = {detail.key: detail.local_label for detail in gathered.required}
    others = {key: key for key in rows if key not in required}
    return tuple(
        DetailRow(
            key=key,
            label=label,
            detail=row,
            who=name_of(book, row.user_id) if row is not None and row.user_id else "",
            required=key in required,
        )
        for key, label in {**required, **others}.items()
        for row in [rows.get(key)]
    )


def _clocks(case: Case, now: datetime) -> tuple[ClockRow, ...]:
    """The newest clock of each kind, and those of pending offers."""
    newest: dict[Any, Clock] = {}
    for clock in case.clocks:
        newest[clock.kind, clock.handoff_id] = clock
    return tuple(
        ClockRow(
            clock=clock,
            used_percent=_used(clock, now),
            warn_at=clocks.warning_moment(case, clock)
            if clock.state == ClockState.RUNNING
            else None,
        )
        for clock in newest.values()
    )


def _used(clock: Clock, now: datetime) -> int:
    used = clock.consumed
    if clock.running_since is not None and now > clock.running_since:
        used += clock.time.between(clock.running_since, now)
    return min(int(used / clock.budget * 100), 999) if clock.budget else 100


def _open_at_organization(ticket: Ticket) -> int:
    if ticket.organization_id is None:
        return 0
    return Ticket.objects.unfinished().filter(organization=ticket.organization_id)[:100].count()
