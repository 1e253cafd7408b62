"""Everything the ticket page shows, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch, prefetch_related_objects
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from desk import eventwords, letterwords
from desk.eventwords import Book, Line
from desk.letterwords import ShownLetter
from escalation import authority, clocks, followups, paths, reviewing, withdrawing
from escalation.cases import Case, load
from escalation.checklist import Item, checklists_of
from escalation.explanation import Explanation, explain_case
from escalation.models import Clock, Escalation, Handoff, Promise, Review
from escalation.models.clock import ClockState
from escalation.models.escalation import State
from escalation.paths import PathEntry
from notifications.models import OutgoingEmail
from staff.models import Team, User
from tickets import triage
from tickets.gathering import Gathered
from tickets.models import Attachment, Category, Detail, FollowUp, Message, Snooze, Ticket

MESSAGES_SHOWN = 60
EVENTS_SHOWN = 120
LETTERS_SHOWN = 30


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
class EscalationPanel:
    """An escalation, where it is on its path, its checklist, and what this person may do.

    ``opened_by`` is empty for a rule; ``missing`` names what it lacks, ``asked_back`` what the
    receiver misses.
    """

    escalation: Escalation
    handoff: Handoff
    opened_by: str
    missing: tuple[str, ...]
    asked_back: tuple[str, ...]
    path: tuple[PathEntry, ...]
    checklist: tuple[Item, ...]
    may_answer: bool
    may_end: bool
    may_withdraw: bool
    may_lead: bool
    #: Who may be named as its owner, by whoever may name one.
    owners: tuple[User, ...]
    #: Until when it is undone without a word; None for all but who has just escalated.
    undo_until: datetime | None

    @property
    def is_offered(self) -> bool:
        return self.escalation.state == State.OFFERED

    @property
    def is_accepted(self) -> bool:
        return self.escalation.state == State.ACCEPTED

    @property
    def is_returned(self) -> bool:
        return self.escalation.state == State.RETURNED

    @property
    def items_done(self) -> int:
        return sum(1 for item in self.checklist if item.done)


@dataclass(frozen=True, slots=True)
class PastEscalation:
    """An escalation that is over, what a lead said of it, and whether this person may."""

    escalation: Escalation
    team: Team
    review: Review | None
    may_review: bool


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    follow_up: FollowUp
    person: User | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the conversation: a message, a letter or an event."""

    at: datetime
    message: Message | None = None
    letter: ShownLetter | None = None
    line: Line | None = None


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
    people: tuple[User, ...]
    teams: tuple[Team, ...]
    categories: Sequence[Category]

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
    entries, older = _entries(ticket, before, book)
    return TicketPage(
        ticket=ticket,
        entries=entries,
        older=older,
        gathered=case.gathered,
        details=_details(case.gathered, book),
        clocks=_clocks(case, now),
        panels=_panels(case, user, book, now),
        past=_past(case, user),
        promise=case.promise,
        snooze=case.snooze,
        follow_ups=tuple(
            FollowUpRow(follow_up, followups.receiver_of(follow_up, case))
            for follow_up in case.follow_ups
        ),
        explanation=explain_case(case=case, now=now),
        rule_names=book.rules,
        open_at_organization=_open_at_organization(ticket),
        people=tuple(sorted(case.roster.users.values(), key=lambda person: person.name)),
        teams=tuple(case.roster.teams.values()),
        categories=triage.categories(case.roster.edition),
    )


def _book(case: Case) -> Book:
    """The names the case knows; those who left are looked up when an event names them."""
    return Book(
        users={pk: person.name for pk, person in case.roster.users.items()},
        teams={pk: team.name for pk, team in case.roster.teams.items()},
        details={detail.key: detail.local_label for detail in case.gathered.required},
        rules={rule.key: rule.name for rule in case.policy.rules},
    )


def _entries(
    ticket: Ticket, before: int | None, book: Book
) -> tuple[tuple[Entry, ...], int | None]:
    """The newest messages, with the events and letters that lie between them."""
    messages = Message.objects.filter(ticket=ticket)
    if before is not None:
        messages = messages.filter(pk__lt=before)
    newest = list(
        messages.select_related("contact__organization", "user", "email")
        .annotate(
            files=ArraySubquery(
                Attachment.objects.filter(message=OuterRef("pk"))
                .order_by("pk")
                .values(json=JSONObject(pk="pk", name="name", size="size"))
            )
        )
        .order_by("-created_at", "-pk")[: MESSAGES_SHOWN + 1]
    )
    shown = newest[:MESSAGES_SHOWN]
    older = shown[-1].pk if len(newest) > MESSAGES_SHOWN else None
    since = shown[-1].created_at if older is not None else None
    until = shown[0].created_at if before is not None and shown else None
    entries = [Entry(at=message.created_at, message=message) for message in shown]
    entries += _letters(ticket, {m.email_id for m in shown}, since, until)
    entries += _events(ticket, since, until, book)
    # Of what happened at one moment, the message comes before what it led to.
    return tuple(sorted(entries, key=lambda e: (e.at, e.message is None, e.line is None))), older


def _letters(
    ticket: Ticket, shown: set[int | None], since: datetime | None, until: datetime | None
) -> list[Entry]:
    letters = OutgoingEmail.objects.filter(about=ticket.about, to_address=ticket.requester.email)
    if since is not None:
        letters = letters.filter(queued_at__gte=since)
    if until is not None:
        letters = letters.filter(queued_at__lte=until)
    found = [
        letter
        for letter in letters.select_related("template").order_by("-pk")[:LETTERS_SHOWN]
        if letter.pk not in shown
    ]
    # What is written already needs nothing of what it was written from.
    merged = OutgoingEmail.objects.select_related("template").order_by("pk")
    prefetch_related_objects(
        [letter for letter in found if not letter.subject], Prefetch("merged_from", merged)
    )
    return [Entry(at=each.queued_at, letter=letterwords.shown(each)) for each in found]


def _events(
    ticket: Ticket, since: datetime | None, until: datetime | None, book: Book
) -> list[Entry]:
    events = ticket.events.exclude(kind__in=eventwords.SILENT)
    if since is not None:
        events = events.filter(at__gte=since)
    if until is not None:
        events = events.filter(at__lte=until)
    found = list(events.select_related("user", "contact").order_by("-at", "-pk")[:EVENTS_SHOWN])
    found.reverse()
    lines = eventwords.lines(found, eventwords.book_of(found, known=book))
    return [Entry(at=line.at, line=line) for line in lines]


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
            who=_name(book, row.user_id) if row is not None and row.user_id else "",
            required=key in required,
        )
        for key, label in {**required, **others}.items()
        for row in [rows.get(key)]
    )


def _name(book: Book, pk: int) -> str:
    """Somebody's name, whether or not they still work here."""
    return book.user(pk) or str(User.objects.get(pk=pk))


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


def _panels(case: Case, user: User, book: Book, now: datetime) -> tuple[EscalationPanel, ...]:
    escalations = case.open_escalations
    if not escalations:
        return ()
    lists = checklists_of(escalations=escalations, ticket=case.ticket, gathered=case.gathered)
    return tuple(
        _panel(case, escalation, lists[escalation.pk], user, book, now)
        for escalation in escalations
    )


def _panel(
    case: Case,
    escalation: Escalation,
    checklist: tuple[Item, ...],
    user: User,
    book: Book,
    now: datetime,
) -> EscalationPanel:
    handoff = case.current(escalation)
    may_withdraw = authority.may_withdraw(escalation=escalation, user=user)
    return EscalationPanel(
        escalation=escalation,
        handoff=handoff,
        opened_by=_name(book, escalation.opened_by_id) if escalation.opened_by_id else "",
        missing=tuple(book.detail(key) for key in escalation.missing),
        asked_back=tuple(book.detail(key) for key in handoff.missing),
        path=tuple(paths.entries(case=case, handoff=handoff)),
        checklist=checklist,
        may_answer=authority.may_answer(
            case=case, escalation=escalation, handoff=handoff, user=user
        ),
        may_end=authority.may_end(case=case, escalation=escalation, handoff=handoff, user=user),
        may_withdraw=may_withdraw,
        may_lead=authority.may_lead(case=case, handoff=handoff, user=user),
        owners=owners(case=case, escalation=escalation, user=user),
        undo_until=escalation.opened_at + withdrawing.UNDO
        if may_withdraw and withdrawing.can_undo(escalation, now)
        else None,
    )


def owners(*, case: Case, escalation: Escalation, user: User) -> tuple[User, ...]:
    """Whom this person may name as the escalation's owner; nobody for all but its leads."""
    handoff = case.current(escalation)
    if not authority.may_name(case=case, handoff=handoff, user=user):
        return ()
    return tuple(
        sorted(
            (
                person
                for person in case.roster.users.values()
                if person.pk != escalation.owner_id
                and case.roster.is_here(person.pk)
                and authority.may_answer(
                    case=case, escalation=escalation, handoff=handoff, user=person
                )
            ),
            key=lambda person: person.name,
        )
    )


def _past(case: Case, user: User) -> tuple[PastEscalation, ...]:
    """What is over, the newest first."""
    over = [escalation for escalation in case.escalations if not escalation.is_open]
    return tuple(
        PastEscalation(
            escalation=hop.escalation,
            team=hop.to_team,
            review=getattr(hop.escalation, "review", None),
            may_review=authority.may_lead(case=case, handoff=hop, user=user),
        )
        for hop in sorted(reviewing.last_hops(over), key=lambda hop: -hop.escalation_id)
    )


def _open_at_organization(ticket: Ticket) -> int:
    if ticket.organization_id is None:
        return 0
    return Ticket.objects.unfinished().filter(organization=ticket.organization_id)[:100].count()


def package_of(handoff: Handoff) -> Mapping[str, Any]:
    """A hand-off's package with the messages it names, for the one screen of the receiver."""
    package: dict[str, Any] = dict(handoff.package)
    ids = [pk for pk in package.get("messages", []) if isinstance(pk, int)][-20:]
    package["shown_messages"] = list(
        Message.objects.filter(pk__in=ids)
        .select_related("contact", "user")
        .order_by("created_at", "pk")
    )
    package["shown_attachments"] = list(
        Attachment.objects.filter(
            pk__in=[pk for pk in package.get("attachments", []) if isinstance(pk, int)][-50:]
        ).order_by("pk")
    )
    return package
