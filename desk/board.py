"""The lead's list: every open escalation, in the column that says whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from desk.ticketpage import owners
from escalation import authority, paths
from escalation.cases import Case, load
from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import OPEN, State
from escalation.models.promise import PromiseState
from escalation.paths import PathEntry
from escalation.sight import in_sight_of
from staff.models import Team, User
from tickets.models import Message, Ticket
from tickets.models.ticket import MessageKind, Status

PAGE = 60
SOON = timedelta(hours=1)

COLUMNS: Mapping[str, LazyText] = {
    "offered": _("To accept"),
    "soon": _("Due within the hour"),
    "broken": _("Breached"),
    "ours": _("Waiting on us"),
    "theirs": _("Waiting on customer or vendor"),
    "returned": _("Came back"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One escalation: why it is here, how far its path is, and how the promise stands."""

    escalation: Escalation
    ticket: Ticket
    handoff: Handoff
    promise: Promise | None
    column: str
    step: int
    steps: int
    next_step: PathEntry | None
    last_words: str
    bounces: int
    #: Whether this person answers for one of the teams, and whom they may name as its owner.
    may_lead: bool
    owners: tuple[User, ...]

    @property
    def why(self) -> str:
        """What a rule found, or what a person asks for."""
        return self.escalation.reason or self.escalation.ask

    @property
    def promise_broken(self) -> bool:
        return self.promise is not None and self.promise.state == PromiseState.BROKEN

    @property
    def can_be_moved(self) -> bool:
        """Whether the customer was told a time that another may replace."""
        return self.promise is not None and self.promise.state in (
            PromiseState.OPEN,
            PromiseState.BROKEN,
        )


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: LazyText
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers above the board; counted to a thousand."""

    open: int
    to_accept: int
    broken: int
    due_soon: int


@dataclass(frozen=True, slots=True)
class Board:
    columns: Sequence[Column]
    figures: Figures
    teams: Sequence[Team]
    after: int | None


def board(*, user: User, team: int | None, after: int | None, now: datetime) -> Board:
    """Read a page of the open escalations of tickets this person may see."""
    visible = Escalation.objects.filter(state__in=OPEN, ticket__in=in_sight_of(user).values("pk"))
    if team is not None:
        visible = visible.filter(
            Q(ticket__team=team) | Q(pk__in=_now_with(team).values("escalation"))
        )
    rows = visible.filter(pk__gt=after) if after is not None else visible
    ids = list(rows.order_by("pk").values_list("pk", "ticket_id")[: PAGE + 1])
    shown = dict(ids[:PAGE])
    cases = _cases(list(dict.fromkeys(shown.values())), now)
    words = _last_words(list(cases))
    cards = [
        _card(case, escalation, words.get(case.ticket.pk, ""), user, now)
        for case in cases.values()
        for escalation in case.open_escalations
        if escalation.pk in shown
    ]
    cards.sort(key=lambda card: (_due(card) or now + timedelta(days=3650), card.escalation.pk))
    return Board(
        columns=[
            Column(key, title, [card for card in cards if card.column == key])
            for key, title in COLUMNS.items()
        ],
        figures=_figures(visible, now),
        teams=_teams(user),
        after=ids[PAGE - 1][0] if len(ids) > PAGE else None,
    )


def _teams(user: User) -> list[Team]:
    """Teams to narrow the board to; of private ones those this person is in."""
    teams = Team.objects.select_related("tier").order_by("tier__number", "name")
    if not user.sees_every_team:
        teams = teams.filter(Q(is_private=False) | Q(members=user) | Q(leads=user)).distinct()
    return list(teams)


def _now_with(team: int) -> QuerySet[Handoff]:
    newest = Handoff.objects.filter(escalation=OuterRef("escalation_id")).order_by("-number")
    return Handoff.objects.filter(to_team=team, pk=Subquery(newest.values("pk")[:1]))


def _cases(ticket_ids: Sequence[int], now: datetime) -> dict[int, Case]:
    tickets = list(
        Ticket.objects.filter(pk__in=ticket_ids)
        .select_related("team__tier", "requester", "organization__plan", "category", "assignee")
        .order_by("pk")
    )
    return {case.ticket.pk: case for case in load(tickets=tickets, now=now)}


def _last_words(ticket_ids: Sequence[int]) -> dict[int, str]:
    """The customer's newest words by ticket, cut to a line."""
    return {
        ticket_id: " ".join(text.split())[:160]
        for ticket_id, text in Message.objects.filter(
            ticket__in=ticket_ids, kind=MessageKind.CUSTOMER, automatic=False, unverified=False
        )
        .order_by("ticket_id", "-created_at", "-pk")
        .distinct("ticket_id")
        .values_list("ticket", "text")
    }


def _card(case: Case, escalation: Escalation, words: str, user: User, now: datetime) -> Card:
    handoff = case.current(escalation)
    entries = paths.entries(case=case, handoff=handoff)
    offered = escalation.state == State.OFFERED
    return Card(
        escalation=escalation,
        ticket=case.ticket,
        handoff=handoff,
        promise=case.promise,
        column=_column(case, escalation, now),
        step=sum(1 for entry in entries if entry.fired),
        steps=len(entries),
        next_step=next((e for e in entries if offered and not e.fired), None),
        last_words=words,
        bounces=escalation.hops - 1,
        may_lead=authority.may_lead(case=case, handoff=handoff, user=user),
        owners=owners(case=case, escalation=escalation, user=user),
    )


def _column(case: Case, escalation: Escalation, now: datetime) -> str:
    promise = case.promise
    if promise is not None and promise.state == PromiseState.BROKEN:
        return "broken"
    if escalation.state == State.RETURNED:
        return "returned"
    if escalation.state == State.OFFERED:
        return "offered"
    due = promise.due_at if promise is not None and promise.is_live else None
    if due is not None and due <= now + SOON:
        return "soon"
    if case.ticket.status in (Status.WAITING, Status.ON_HOLD):
        return "theirs"
    return "ours"


def _due(card: Card) -> datetime | None:
    if card.escalation.state == State.OFFERED:
        return card.handoff.accept_by
    if card.promise is None:
        return None
    return card.promise.due_at


def _figures(visible: QuerySet[Escalation], now: datetime) -> Figures:
    tickets = visible.values("ticket")
    promises = Promise.objects.filter(ticket__in=tickets)
    newest = Promise.objects.filter(ticket=OuterRef("ticket_id")).order_by("-number")
    return Figures(
        open=visible.order_by()[:1000].count(),
        to_accept=visible.filter(state=State.OFFERED).order_by()[:1000].count(),
        broken=promises.filter(state=PromiseState.BROKEN, pk=Subquery(newest.values("pk")[:1]))
        .order_by()[:1000]
        .count(),
        due_soon=promises.filter(state=PromiseState.OPEN, due_at__lte=now + SOON)
        .order_by()[:1000]
        .count(),
    )
