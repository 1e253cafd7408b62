"""The lead's list: every open escalation, in the column that says whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from desk.panels import owners
from escalation import authority, paths
from escalation.cases import Case, load
from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import State
from escalation.models.promise import PromiseState
from escalation.paths import PathEntry
from escalation.roster import call_roll
from escalation.sight import open_in_sight_of
from staff import editions
from staff.models import Team, User
from tickets.models import Message, Ticket
from tickets.models.ticket import MessageKind, Status

PAGE = 60
MANY = 1000
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
    #: Whether this person answers for one of the teams.
    may_lead: bool
    #: Whom they may name as its owner; read for a single card.
    owners: tuple[User, ...] = ()

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
    """The numbers above the board; counted to ``MANY``."""

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
    roster = call_roll(now=now, edition=editions.current())
    visible = open_in_sight_of(user, roster)
    if team is not None:
        visible = visible.filter(
            Q(ticket__team=team) | Q(pk__in=_now_with(team).values("escalation"))
        )
    rows = _behind(visible, after) if after is not None else visible
    ids = list(rows.order_by("opened_at", "pk").values_list("pk", "ticket_id")[: PAGE + 1])
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
        teams=roster.teams_known_to(user),
        after=ids[PAGE - 1][0] if len(ids) > PAGE else None,
    )


def one_card(*, pk: int, user: User, now: datetime) -> Card | None:
    """The card of an open escalation, if this person may see it, and whom they may name."""
    visible = open_in_sight_of(user, call_roll(now=now, edition=editions.current()))
    ticket_id = visible.filter(pk=pk).values_list("ticket_id", flat=True).first()
    if ticket_id is None:
        return None
    [case] = _cases([ticket_id], now).values()
    found = next(each for each in case.open_escalations if each.pk == pk)
    words = _last_words([ticket_id]).get(ticket_id, "")
    named = owners(case=case, escalation=found, user=user)
    return replace(_card(case, found, words, user, now), owners=named)


def _behind(visible: QuerySet[Escalation], after: int) -> QuerySet[Escalation]:
    """Those that were opened after the one of this id."""
    opened = Escalation.objects.filter(pk=after).values_list("opened_at", flat=True).first()
    if opened is None:
        return visible.none()
    return visible.filter(Q(opened_at__gt=opened) | Q(pk__gt=after), opened_at__gte=opened)


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
    promises = Promise.objects.filter(Exists(visible.filter(ticket=OuterRef("ticket_id"))))
    later = Promise.objects.filter(ticket=OuterRef("ticket_id"), number__gt=OuterRef("number"))
    return Figures(
        open=_count(visible),
        to_accept=_count(visible.filter(state=State.OFFERED)),
        broken=_count(promises.filter(~Exists(later), state=PromiseState.BROKEN)),
        due_soon=_count(promises.filter(state=PromiseState.OPEN, due_at__lte=now + SOON)),
    )


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MANY].count()
