"""Triage: the views with their counts, and what each row of a list says about its ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.translation import gettext

from desk.timewords import Due, due_word
from escalation.models import Handoff, Promise
from escalation.models.escalation import OPEN, State
from escalation.models.promise import STANDING
from escalation.roster import Roster, call_roll
from staff import editions
from staff.models import Team, User
from tickets import listing
from tickets.listing import Cursor, Filters, View
from tickets.models import Category, Event, Message, Plan, Ticket
from tickets.triage import categories

#: How much of the last message a row can show.
LINE = 160
#: Entries in a filter's menu, and teams beside the views.
CHOICES = 200
TEAMS = 12

ICONS: Mapping[View, str] = {
    View.MINE: "user",
    View.NEEDS_REPLY: "message-reply",
    View.UNASSIGNED: "user-question",
    View.WAITING: "message-question",
    View.ON_HOLD: "player-pause",
    View.ESCALATED: "arrow-bar-to-up",
    View.SNOOZED: "zzz",
    View.ALL_OPEN: "stack-2",
}
OWN: Sequence[View] = (View.MINE,)
QUEUE: Sequence[View] = (
    View.NEEDS_REPLY,
    View.UNASSIGNED,
    View.WAITING,
    View.ON_HOLD,
    View.ESCALATED,
    View.SNOOZED,
    View.ALL_OPEN,
)


@dataclass(frozen=True, slots=True)
class Way:
    """A link of the page: a view, a team, or a filter to take away."""

    key: str
    label: str
    url: str
    icon: str = ""
    count: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in the list: the last words on it, what is due, and where it was escalated to."""

    ticket: Ticket
    mark: int
    line: str
    #: Who wrote the line: ``customer``, ``reply`` or ``note``; empty without a message.
    line_by: str
    due: Due | None
    handoff: Handoff | None
    #: A letter with a promise bounced, and none has arrived since.
    untold: bool = False

    @property
    def offered(self) -> bool:
        return self.handoff is not None and self.handoff.escalation.state == State.OFFERED

    @property
    def came_back(self) -> bool:
        return self.handoff is not None and self.handoff.escalation.state == State.RETURNED


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters can be set to."""

    teams: Sequence[Team]
    people: Sequence[User]
    plans: Sequence[Plan]
    categories: Sequence[Category]


@dataclass(frozen=True, slots=True)
class Triage:
    """The page, for one reader."""

    filters: Filters
    title: str
    own: Sequence[Way]
    queue: Sequence[Way]
    teams: Sequence[Way]
    set: Sequence[Way]
    rows: Sequence[Row]
    count: str
    #: The address of the next page, empty on the last.
    more: str
    #: Whether this is a later page than the first.
    later: bool
    choices: Choices | None

    @property
    def poll_json(self) -> str:
        """What the page's script asks with, for an attribute; see ``desk.news``."""
        return json.dumps({"page": "triage", **self.filters.params()}, ensure_ascii=False)

    @property
    def kept_params(self) -> dict[str, str]:
        """What a search by words keeps of the address."""
        kept: dict[str, str] = replace(self.filters, words="").params()
        return kept

    @property
    def first(self) -> str:
        """The address of the list's first page."""
        return address(self.filters)

    @property
    def cleared(self) -> str:
        """The address of the same view with nothing filtered out."""
        return address(Filters(view=self.filters.view))


def read_rows(
    *, user: User, filters: Filters, after: Cursor | None, roster: Roster
) -> tuple[list[Row], str]:
    """A page's rows, and the address of the next page: five queries at most."""
    page = listing.page(user=user, filters=filters, after=after)
    roster.complete(page.tickets)
    more = address(filters, after=page.next.encode()) if page.next is not None else ""
    return rows(page.tickets, roster), more


def read_triage(*, user: User, filters: Filters, after: Cursor | None, now: datetime) -> Triage:
    """The whole page, in a fixed number of queries."""
    roster = call_roll(now=now, edition=editions.current())
    shown, more = read_rows(user=user, filters=filters, after=after, roster=roster)
    held = counts(user=user, filters=filters)
    choices = read_choices(user, roster)
    return Triage(
        filters=filters,
        title=str(filters.view.label),
        own=_views(OWN, filters, held),
        queue=_views(QUEUE, filters, held),
        teams=_teams(user, filters, choices.teams, roster),
        set=tuple(_set(filters, choices)),
        rows=shown,
        count=count_word(held[filters.view]),
        more=more,
        later=after is not None,
        choices=choices,
    )


def address(filters: Filters, **more: str) -> str:
    """The address of a list; only what differs from the plain desk is said in it."""
    query = urlencode({**filters.params(), **more})
    return f"{reverse('desk:triage')}?{query}" if query else reverse("desk:triage")


def counts(*, user: User, filters: Filters) -> dict[View, int]:
    """How many tickets each view holds under the filters that are set."""
    held: dict[View, int] = listing.counts(user=user, filters=filters)
    return held


def count_word(number: int) -> str:
    """A count as the page says it, which goes no further than ``listing.MANY``."""
    return f"{number}+" if number >= listing.MANY else str(number)


def rows(tickets: Sequence[Ticket], roster: Roster) -> list[Row]:
    """What a list says about these tickets; four queries, however many they are."""
    ids = [ticket.pk for ticket in tickets]
    newest = _newest(ids)
    messages = {
        message["ticket_id"]: message
        for message in Message.objects.filter(pk__in=[last for _, last in newest.values() if last])
        .annotate(line=Left("text", LINE))
        .values("ticket_id", "kind", "line")
    }
    handoffs = _handoffs(ids, roster)
    untold = _untold(ids)
    nothing: dict[str, Any] = {"line": "", "kind": ""}
    return [
        Row(
            ticket=ticket,
            mark=newest.get(ticket.pk, (0, 0))[0],
            line=" ".join(messages.get(ticket.pk, nothing)["line"].split()),
            line_by=messages.get(ticket.pk, nothing)["kind"],
            due=_due(ticket),
            handoff=handoffs.get(ticket.pk),
            untold=ticket.pk in untold,
        )
        for ticket in tickets
    ]


def marks(ids: Sequence[int]) -> dict[int, int]:
    """A number for each ticket that changes whenever something happens to it."""
    return {pk: mark for pk, (mark, _) in _newest(ids).items()}


def read_choices(user: User, roster: Roster) -> Choices:
    """What this reader can filter by."""
    plans = roster.edition.keep("plans", lambda: tuple(Plan.objects.order_by("rank", "name")))
    return Choices(
        teams=roster.teams_known_to(user)[:CHOICES],
        people=sorted(roster.users.values(), key=lambda person: person.name)[:CHOICES],
        plans=plans[:CHOICES],
        categories=categories(roster.edition)[:CHOICES],
    )


def _newest(ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The id of each ticket's newest event and message; 0 where there is none."""
    mine = OuterRef("pk")
    event = Event.objects.filter(ticket=mine).order_by("-at", "-pk").values("pk")[:1]
    message = Message.objects.filter(ticket=mine).order_by("-created_at", "-pk").values("pk")[:1]
    found = (
        Ticket.objects.filter(pk__in=ids)
        .order_by()
        .values_list("pk", Subquery(event), Subquery(message))
    )
    return {pk: (last_event or 0, last_message or 0) for pk, last_event, last_message in found}


def _handoffs(ids: Sequence[int], roster: Roster) -> dict[int, Handoff]:
    """Where the open escalations are; of two on a ticket, the one to more expertise."""
    found = {}
    for handoff in (
        Handoff.objects.filter(escalation__ticket__in=ids, escalation__state__in=OPEN)
        .select_related("escalation")
        .only("to_team", "escalation__state", "escalation__ticket")
        .order_by("escalation__ticket_id", "escalation__kind", "-number")
        .distinct("escalation__ticket_id")
    ):
        handoff.to_team = roster.teams[handoff.to_team_id]
        found[handoff.escalation.ticket_id] = handoff
    return found


def _untold(ids: Sequence[int]) -> set[int]:
    found = Promise.objects.filter(ticket__in=ids, not_told_since__isnull=False, state__in=STANDING)
    return set(found.values_list("ticket", flat=True))


def _due(ticket: Ticket) -> Due | None:
    if ticket.sla_due_at is None:
        return None
    kind = ticket.sla_due_kind
    symbol = "flag" if kind == "promise" else "clock"
    return Due(due_word(kind), ticket.sla_due_at, symbol=symbol)


def _views(views: Sequence[View], filters: Filters, held: Mapping[View, int]) -> tuple[Way, ...]:
    return tuple(
        Way(
            key=view.value,
            label=str(view.label),
            url=address(replace(filters, view=view)),
            icon=ICONS[view],
            count=count_word(held[view]),
            here=view == filters.view,
        )
        for view in views
    )


def _teams(user: User, filters: Filters, teams: Sequence[Team], roster: Roster) -> tuple[Way, ...]:
    """Every team in one link, and those this person works in or answers for."""
    near = [team for team in teams if user.sees_every_team or roster.is_in(user, team)][:TEAMS]
    if not near:
        return ()
    every = Way("", gettext("All teams"), address(replace(filters, team=None)), "users")
    return (
        replace(every, here=filters.team is None),
        *(
            Way(
                str(team.pk),
                team.name,
                address(replace(filters, team=team.pk)),
                f"square-rounded-number-{min(team.tier.number, 9)}",
                here=filters.team == team.pk,
            )
            for team in near
        ),
    )


def _set(filters: Filters, choices: Choices) -> list[Way]:
    """The filters that are set, each with the address that takes it away."""
    named = {
        "team": next((t.name for t in choices.teams if t.pk == filters.team), filters.team),
        "assignee": gettext("nobody")
        if filters.assignee == 0
        else next((p.name for p in choices.people if p.pk == filters.assignee), filters.assignee),
        "priority": f"P{filters.priority}" if filters.priority else None,
        "plan": next((p.name for p in choices.plans if p.slug == filters.plan), filters.plan),
        "category": next(
            (c.name for c in choices.categories if c.slug == filters.category), filters.category
        ),
        "org": filters.org,
        "tag": filters.tag,
        "words": f"“{filters.words}”" if filters.words else "",
    }
    icons = {
        "team": "users",
        "assignee": "user",
        "priority": "flag-2",
        "plan": "crown",
        "category": "category",
        "org": "building",
        "tag": "tag",
        "words": "search",
    }
    plain = Filters()
    return [
        Way(
            name,
            str(value),
            address(replace(filters, **{name: getattr(plain, name)})),
            icons[name],
        )
        for name, value in named.items()
        if value not in (None, "")
    ]
