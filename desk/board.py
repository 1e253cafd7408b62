"""The lead's list: every open escalation, in the column that says whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from desk.cards import SOON, Card, cards
from desk.panels import owners
from escalation.cases import load
from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import State
from escalation.models.promise import PromiseState
from escalation.roster import call_roll
from escalation.sight import open_in_sight_of
from staff import editions
from staff.models import Team, User

PAGE = 60
MANY = 1000

COLUMNS: Mapping[str, LazyText] = {
    "offered": _("To accept"),
    "soon": _("Due within the hour"),
    "broken": _("Breached"),
    "ours": _("Waiting on us"),
    "theirs": _("Waiting on customer or vendor"),
    "returned": _("Came back"),
}


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
    ids = list(rows.order_by("opened_at", "pk").values_list("pk", flat=True)[: PAGE + 1])
    found = cards(ids=ids[:PAGE], user=user, roster=roster, now=now)
    found.sort(key=lambda card: (_due(card) or now + timedelta(days=3650), card.escalation.pk))
    return Board(
        columns=[
            Column(key, title, [card for card in found if card.column == key])
            for key, title in COLUMNS.items()
        ],
        figures=_figures(visible, now),
        teams=roster.teams_known_to(user),
        after=ids[PAGE - 1] if len(ids) > PAGE else None,
    )


def one_card(*, pk: int, user: User, now: datetime) -> Card | None:
    """The card of an open escalation, if this person may see it, and whom they may name."""
    roster = call_roll(now=now, edition=editions.current())
    visible = open_in_sight_of(user, roster)
    if not visible.filter(pk=pk).exists():
        return None
    [card] = cards(ids=[pk], user=user, roster=roster, now=now)
    [case] = load(tickets=[card.ticket], now=now)
    escalation = next(each for each in case.open_escalations if each.pk == pk)
    return replace(card, owners=owners(case=case, escalation=escalation, user=user))


def _behind(visible: QuerySet[Escalation], after: int) -> QuerySet[Escalation]:
    """Those that were opened after the one of this id."""
    opened = Escalation.objects.filter(pk=after).values_list("opened_at", flat=True).first()
    if opened is None:
        return visible.none()
    return visible.filter(Q(opened_at__gt=opened) | Q(pk__gt=after), opened_at__gte=opened)


def _now_with(team: int) -> QuerySet[Handoff]:
    newest = Handoff.objects.filter(escalation=OuterRef("escalation_id")).order_by("-number")
    return Handoff.objects.filter(to_team=team, pk=Subquery(newest.values("pk")[:1]))


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
