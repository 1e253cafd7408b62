"""The rehearsal: lives are played with the real stations and the real engine, and all of it is taken
back. What remains are the rows they left, as lines of COPY.

While it plays, rows get ids that are known wherever they stand (``91400000nnnn``: in a key, in JSON,
in an address), so that whatever names a row can be renamed when it is cast. Restarting the
sequences is undone with everything else.
"""

from __future__ import annotations

import heapq
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from random import Random

from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Min

from escalation import review
from escalation.roster import Roster, call_roll
from helpdesk.scale import customers
from helpdesk.scale.customers import Clientele
from helpdesk.scale.finished import OVER, RESOLVED
from helpdesk.scale.lives import Life, Plot
from helpdesk.scale.stage import Stage
from helpdesk.scale.unfinished import DUE, OPEN
from notifications.models import MailState, OutgoingEmail
from staff.editions import Edition
from tickets.errors import Refused
from tickets.models import Category, Contact, RequiredDetail, Ticket
from tickets.models.ticket import TicketQuerySet

LOOKS_EVERY = timedelta(minutes=20)
"""The engine of the rehearsal looks at many tickets at once, as one that is a little late."""

QUARTER = timedelta(minutes=15)
APPS = ("tickets", "escalation", "notifications")
FIRST_ID, IDS_PER_TABLE = 910_000_000_000, 1_000_000_000
GOLDEN = 0.6180339887
WEIGHTS = {(1, 1): 2, (1, 2): 6, (2, 1): 10, (2, 2): 40, (2, 3): 14, (3, 2): 14, (3, 3): 14}


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One life as it ended."""

    sort: str
    name: str
    share: float
    clientele: Clientele
    ticket_id: int
    contact_id: int
    organization_id: int | None
    opened_at: datetime
    review_at: datetime | None
    steady: bool
    """Whether all of it could lie a quarter of an hour earlier, and every clock show the same."""


@dataclass(frozen=True, slots=True)
class Table:
    """What the rehearsal left in a table: lines of COPY, in the order of ids."""

    name: str
    columns: Sequence[str]
    json: frozenset[int]
    """The places of columns that hold JSON."""
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is left of a rehearsal."""

    lives: Sequence[Rehearsed]
    tables: Sequence[Table]
    abandoned: Sequence[str]
    """Lives that the house did not allow, and why."""


def rehearse(
    *, rng: Random, now: datetime, lives: int, messages: float, clienteles: Sequence[Clientele]
) -> Record:
    """Play so many lives of every sort that is longer than a line, up to ``now``."""
    with transaction.atomic():
        names = _restart_ids()
        play = _Play(rng=rng, now=now, messages=messages)
        for sort, plots, count in (
            ("due", DUE, len(clienteles)),
            ("open", OPEN, lives),
            ("resolved", RESOLVED, max(2, lives // 12)),
            ("over", OVER, lives * 2 // 3),
        ):
            for plot, copies in _shares(plots, count):
                for _copy in range(copies):
                    play.cast(sort, plot, plot.share / copies, rng.choice(clienteles))
        play.run()
        record = Record(
            lives=play.ended(), tables=[_copied(name) for name in names], abandoned=play.abandoned
        )
        transaction.set_rollback(True)
    return record


def _shares(plots: Sequence[Plot], count: int) -> list[tuple[Plot, int]]:
    """How often each is played: every one at least once."""
    whole = sum(plot.share for plot in plots)
    return [(plot, max(1, round(count * plot.share / whole))) for plot in plots]


class _Play:
    def __init__(self, *, rng: Random, now: datetime, messages: float) -> None:
        self.rng, self.now = rng, now
        self.roster: Roster = call_roll(now=now, edition=Edition())
        self.lowest = min(team.tier.number for team in self.roster.teams.values())
        self.top = max(team.tier.number for team in self.roster.teams.values())
        self.rounds = max(0.0, (messages - 2.2) / 1.2)
        self.categories = list(Category.objects.order_by("pk"))
        self.required: dict[int, list[RequiredDetail]] = {}
        for need in RequiredDetail.objects.order_by("category_id", "position"):
            self.required.setdefault(need.category_id, []).append(need)
        self.abandoned: list[str] = []
        self._contacts: dict[Clientele, Contact] = {}
        self._parts: list[tuple[str, Plot, float, Clientele, Stage]] = []
        self._queue: list[tuple[datetime, int, Life]] = []
        self._at = datetime.min.replace(tzinfo=now.tzinfo)
        self._gone: set[int] = set()
        self._finished: set[int] = set()

    def cast(self, sort: str, plot: Plot, share: float, clientele: Clientele) -> None:
        if plot.escalates and self.top == self.lowest:
            return
        if clientele not in self._contacts:
            self._contacts[clientele] = customers.stand_in(clientele, now=self.now)
        rng = self.rng
        category = rng.choice(self.categories) if self.categories else None
        team = self.roster.team_of_category(category.pk if category else None, self.lowest)
        team = team or self.roster.teams_at(self.lowest)[0]
        impact, urgency = (
            plot.levels or rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        )
        people = self.roster.members_of(team) or list(self.roster.users.values())
        stage = Stage(
            curtain=self.now,
            rng=rng,
            roster=self.roster,
            contact=self._contacts[clientele],
            category=category,
            required=self.required.get(category.pk, []) if category else [],
            team=team,
            assignee=rng.choice(people),
            impact=impact,
            urgency=urgency,
            rounds=self._rounds(),
            at=self.now,
        )
        life = plot.tell(stage)
        heapq.heappush(self._queue, (next(life), len(self._parts), life))
        self._parts.append((sort, plot, share, clientele, stage))

    def _rounds(self) -> int:
        """Mostly few and sometimes many, spread evenly over the lives there are."""
        drawn = len(self._parts) * GOLDEN % 1
        return int(-log(1 - drawn) * self.rounds + 0.5)

    def run(self) -> None:
        """Act by act in the order of time, and the engine between."""
        while self._queue:
            at, order, life = heapq.heappop(self._queue)
            self._look(until=at)
            self._at = at
            sort, plot, _share, _clientele, stage = self._parts[order]
            stage.at = at
            try:
                following = next(life, None)
            except Refused as refusal:
                self.abandoned.append(f"{sort}: {plot.tell.__name__}: {refusal}")
                self._gone.add(order)
                continue
            _send()
            if following is not None:
                assert following >= at, "a life goes forward"
                heapq.heappush(self._queue, (min(following, self.now), order, life))
            elif sort == "due":
                # Looked at once as it came, and then not again: that is what is due.
                self._review(at, [stage.ticket_id])
                self._finished.add(stage.ticket_id)
        self._look(until=self.now)

    def ended(self) -> list[Rehearsed]:
        tickets = Ticket.objects.in_bulk([part[4].ticket_id for part in self._parts])
        return [
            Rehearsed(
                sort=sort,
                name=plot.tell.__name__.strip("_"),
                share=share,
                clientele=clientele,
                ticket_id=stage.ticket_id,
                contact_id=stage.contact.pk,
                organization_id=stage.contact.organization_id,
                opened_at=tickets[stage.ticket_id].created_at,
                review_at=tickets[stage.ticket_id].review_at,
                steady=_is_steady(tickets[stage.ticket_id]),
            )
            for order, (sort, plot, share, clientele, stage) in enumerate(self._parts)
            if order not in self._gone
        ]

    def _look(self, *, until: datetime) -> None:
        """The engine, whenever something is due."""
        while True:
            at = self._mine().aggregate(at=Min("review_at"))["at"]
            if at is None or at > until:
                return
            at = max(self._at, _on_the(at))
            if at > until and until < self.now:
                return
            self._at = min(at, until)
            due = self._mine().due_for_review(self._at).values_list("pk", flat=True)
            self._review(self._at, list(due))

    def _review(self, at: datetime, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), review.BATCH):
            part = ids[start : start + review.BATCH]
            review.reconcile(tickets=review.claim(now=at, limit=len(part), ids=part), now=at)
        _send()

    def _mine(self) -> TicketQuerySet:
        return Ticket.objects.filter(pk__gte=FIRST_ID).exclude(pk__in=self._finished)


def _is_steady(ticket: Ticket) -> bool:
    """Its clocks begin, stop, end and are looked at while their calendars are open."""
    clocks = ticket.clocks.select_related("calendar_version").prefetch_related("runs")
    return all(
        clock.time.between(at - QUARTER, at) == QUARTER
        for clock in clocks
        for at in (
            *(clock.started_at, clock.running_since, clock.due_at, ticket.review_at),
            *(moment for run in clock.runs.all() for moment in (run.started_at, run.ended_at)),
        )
        if at is not None
    )


def _on_the(at: datetime) -> datetime:
    """The next look of this engine."""
    past = timedelta(minutes=at.minute % 20, seconds=at.second, microseconds=at.microsecond)
    return at if not past else at - past + LOOKS_EVERY


def _send() -> None:
    """The letters have gone out; what they said is worded when somebody reads it."""
    OutgoingEmail.objects.filter(pk__gte=FIRST_ID, state=MailState.QUEUED).update(
        state=MailState.SENT,
        attempts=1,
        begun_at=F("queued_at") + timedelta(seconds=2),
        sent_at=F("queued_at") + timedelta(seconds=2),
        next_attempt_at=None,
    )


def _restart_ids() -> list[str]:
    """Let every table count on from a number of its own; tells their names."""
    names: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'id' AND is_identity = 'YES' AND table_schema = current_schema()"
        )
        counting = {name for (name,) in cursor.fetchall()}
        for label in APPS:
            for model in apps.get_app_config(label).get_models():
                name = model._meta.db_table
                if name not in counting:
                    continue
                first = FIRST_ID + len(names) * IDS_PER_TABLE + 1
                cursor.execute(f"ALTER TABLE {name} ALTER COLUMN id RESTART WITH {first}")
                names.append(name)
    return names


def _copied(name: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = %s AND table_schema = current_schema() AND is_generated = 'NEVER'"
            " ORDER BY ordinal_position",
            [name],
        )
        columns = cursor.fetchall()
        listed = ", ".join(f'"{column}"' for column, _kind in columns)
        out = io.StringIO()
        cursor.copy_expert(
            f"COPY (SELECT {listed} FROM {name} WHERE id >= {FIRST_ID} ORDER BY id) TO STDOUT",  # noqa: S608  # names of our own
            out,
        )
    return Table(
        name=name,
        columns=[column for column, _kind in columns],
        json=frozenset(place for place, (_c, kind) in enumerate(columns) if kind == "jsonb"),
        lines=out.getvalue().splitlines(),
    )
