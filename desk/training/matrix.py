"""People × versions: who has completed which version of a procedure, and who is asked to.

However many people there are, a page of them costs the same few queries: they are filtered and
counted in SQL, and their cells come in two more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from staff.models import Team, User
from training import completing
from training.models import Completion, Enrollment, Procedure, ProcedureVersion


class CellState(StrEnum):
    """How somebody stands with one version; what is asked of them comes before what they passed."""

    OVERDUE = "overdue"
    ASKED = "asked"
    COMPLETED = "completed"
    EXPIRED = "expired"
    NONE = ""


class Wanted(StrEnum):
    """How somebody stands with a procedure, as the filter says it."""

    CURRENT = "current"
    ASKED = "asked"
    OVERDUE = "overdue"
    EXPIRED = "expired"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cell:
    """``at`` is when it was completed, when that expired, or by when it is asked."""

    state: CellState
    at: datetime | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    person: User
    teams: Sequence[str]
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which people are asked for; what is left out, is any."""

    team: int | None = None
    role: str = ""
    standing: str = ""
    name: str = ""


_NOTHING = Cell(CellState.NONE)


def versions_of(procedure: Procedure) -> Sequence[ProcedureVersion]:
    """The published versions, oldest first, without their texts."""
    return list(procedure.versions.published().defer("texts").order_by("number"))


def people_wanted(
    *,
    people: QuerySet[User],
    newest: ProcedureVersion | None,
    wish: Wish,
    now: datetime,
) -> QuerySet[User]:
    """Those of these people who work here and whom somebody wants to see, by name."""
    found = people.filter(is_active=True)
    if wish.role:
        found = found.filter(role=wish.role)
    if wish.name:
        found = found.filter(name__icontains=wish.name)
    if wish.team is not None:
        # As sight and enrolling have it: a team's leads are its people, too.
        found = found.filter(
            Q(pk__in=Team.members.through._default_manager.filter(team=wish.team).values("user"))
            | Q(pk__in=Team.leads.through._default_manager.filter(team=wish.team).values("user"))
        )
    if wish.standing:
        found = _standing(found, newest, Wanted(wish.standing), now)
    return found.order_by(Lower("name"), "pk")


def _standing(
    people: QuerySet[User], newest: ProcedureVersion | None, wanted: Wanted, now: datetime
) -> QuerySet[User]:
    if newest is None:
        return people.none()
    asked = Enrollment.objects.filter(user=OuterRef("pk"), version=newest, ended_at=None)
    if wanted is Wanted.OVERDUE:
        return people.filter(Exists(asked.filter(due_at__lte=now)))
    if wanted is Wanted.ASKED:
        return people.filter(Exists(asked.exclude(due_at__lte=now)))
    of_any = Completion.objects.filter(
        user=OuterRef("pk"), version__procedure_id=newest.procedure_id
    )
    counting = of_any.filter(completing.counting(now=now))
    if wanted is Wanted.CURRENT:
        return people.filter(Exists(counting.filter(version=newest)) & ~Exists(asked))
    if wanted is Wanted.EXPIRED:
        return people.filter(Exists(of_any) & ~Exists(counting))
    return people.filter(~Exists(of_any))


def rows_of(
    *,
    people: Sequence[User],
    teams: QuerySet[Team],
    versions: Sequence[ProcedureVersion],
    now: datetime,
) -> Iterator[Row]:
    """Their rows, in their order, a cell for each version in its order; in three queries.

    ``teams`` are those whose names the reader may see.
    """
    ids = [person.pk for person in people]
    names = _names(ids, teams)
    cells = _cells(ids, versions, now)
    for person in people:
        own = cells.get(person.pk, {})
        yield Row(
            person=person,
            teams=names.get(person.pk, ()),
            cells=[own.get(version.pk, _NOTHING) for version in versions],
        )


def _names(ids: Sequence[int], teams: QuerySet[Team]) -> Mapping[int, Sequence[str]]:
    """A team's people are its members and its leads."""
    found: dict[int, list[str]] = {}
    memberships, leads = (
        through._default_manager.filter(
            user__pk__among=ids, team__in=teams.order_by().values("pk")
        ).values_list("user_id", "team__name")
        for through in (Team.members.through, Team.leads.through)
    )
    for user_id, name in memberships.union(leads).order_by("team__name"):
        found.setdefault(user_id, []).append(name)
    return found


def _cells(
    ids: Sequence[int], versions: Sequence[ProcedureVersion], now: datetime
) -> Mapping[int, Mapping[int, Cell]]:
    found: dict[int, dict[int, Cell]] = {}
    numbers = [version.pk for version in versions]
    passed = (
        Completion.objects.filter(version__pk__among=numbers, user__pk__among=ids)
        .order_by("user_id", "version_id", "-at", "-pk")
        .distinct("user_id", "version_id")
        .values_list("user_id", "version_id", "at", "expires_at", "score")
    )
    for user_id, version_id, at, expires_at, score in passed:
        has_expired = expires_at is not None and expires_at <= now
        found.setdefault(user_id, {})[version_id] = (
            Cell(CellState.EXPIRED, expires_at, score)
            if has_expired
            else Cell(CellState.COMPLETED, at, score)
        )
    asked = Enrollment.objects.filter(
        version__pk__among=numbers, user__pk__among=ids, ended_at=None
    ).values_list("user_id", "version_id", "due_at")
    for user_id, version_id, due_at in asked:
        is_late = due_at is not None and due_at <= now
        state = CellState.OVERDUE if is_late else CellState.ASKED
        found.setdefault(user_id, {})[version_id] = Cell(state, due_at)
    return found
