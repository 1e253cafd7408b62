"""What each operator of a search means, and what it says of a value it does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet

from desk.search.query import Operator, Problem, Wrong
from escalation.models import Escalation, Promise
from escalation.models.escalation import OPEN, Kind
from escalation.models.promise import LIVE, PromiseState
from staff.models import Team, Tier, User
from tickets.models import Category, Organization
from tickets.models.ticket import Priority, Status

T = TypeVar("T")

NOBODY = "none"
#: How near the time of a promise is that is due.
SOON = timedelta(hours=1)
#: What a message lists of what there is.
LISTED = 8
#: Organizations or people one value may stand for.
ALIKE = 200

_STATUS_WORDS = {"waiting": Status.WAITING, "hold": Status.ON_HOLD}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who searches, when, and in which zone their days begin."""

    user: User
    now: datetime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Meaning:
    """What operators narrow a search to; none where something is wrong."""

    conditions: tuple[Q, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Unknown(Exception):
    def __init__(self, *instead: str, wrong: Wrong = Wrong.UNKNOWN_VALUE) -> None:
        super().__init__()
        self.instead = instead
        self.wrong = wrong


def understand(operators: Iterable[Operator], asker: Asker) -> Meaning:
    """Put operators into conditions on tickets, each in as many queries as it has values."""
    conditions: list[Q] = []
    problems: list[Problem] = []
    for operator in operators:
        any_of = Q()
        for value in operator.values:
            try:
                any_of |= _MEANINGS[operator.name](value, asker)
            except _Unknown as unknown:
                problems.append(Problem(unknown.wrong, operator.name, value, unknown.instead))
        conditions.append(~any_of if operator.negated else any_of)
    return Meaning((), tuple(problems)) if problems else Meaning(tuple(conditions))


def _status(value: str, _asker: Asker) -> Q:
    found = _choice(
        value,
        {
            **{str(each.label).lower(): each for each in Status},
            **_STATUS_WORDS,
            **{each.value: each for each in Status},
        },
        listed=[each.value for each in Status],
    )
    return Q(status=found)


def _org(value: str, _asker: Asker) -> Q:
    if value.lower() == NOBODY:
        return Q(organization__isnull=True)
    found = _named(
        Organization.objects.all(),
        exact=Q(customer_id__iexact=value) | Q(name__iexact=value),
        near=Q(name__icontains=value),
    )
    if not found:
        near = Organization.objects.filter(Q(name__istartswith=value[:2]))
        raise _Unknown(*near.order_by("name").values_list("customer_id", flat=True)[:LISTED])
    return Q(organization__in=found)


def _assignee(value: str, asker: Asker) -> Q:
    if value.lower() == "me":
        return Q(assignee=asker.user)
    if value.lower() == NOBODY:
        return Q(assignee__isnull=True)
    found = _named(
        User.objects.all(),
        exact=Q(email__iexact=value) | Q(name__iexact=value),
        near=Q(name__icontains=value) | Q(email__istartswith=value),
    )
    if not found:
        names = list(
            User.objects.filter(is_active=True).order_by("name").values_list("name", flat=True)
        )
        raise _Unknown("me", NOBODY, *get_close_matches(value, names, n=LISTED - 2, cutoff=0.5))
    return Q(assignee__in=found)


def _team(value: str, asker: Asker) -> Q:
    if value.lower() == NOBODY:
        return Q(team__isnull=True)
    teams: QuerySet[Team] = Team.objects.all()
    if not asker.user.sees_every_team:
        teams = teams.filter(
            Q(is_private=False)
            | Q(pk__in=asker.user.teams.values("pk"))
            | Q(pk__in=asker.user.led_teams.values("pk"))
        )
    found = _named(
        teams, exact=Q(slug__iexact=value) | Q(name__iexact=value), near=Q(name__icontains=value)
    )
    if not found:
        raise _Unknown(*teams.order_by("name").values_list("slug", flat=True)[:LISTED])
    return Q(team__in=found)


def _tier(value: str, _asker: Asker) -> Q:
    numbers = list(Tier.objects.order_by("number").values_list("number", flat=True))
    return Q(team__tier__number=_choice(value, {str(number): number for number in numbers}))


def _priority(value: str, _asker: Asker) -> Q:
    ways = {
        **{str(each.value): each.value for each in Priority},
        **{each.label.lower(): each.value for each in Priority},
    }
    return Q(priority=_choice(value, ways, listed=[each.label for each in Priority]))


def _category(value: str, _asker: Asker) -> Q:
    if value.lower() == NOBODY:
        return Q(category__isnull=True)
    found = _named(
        Category.objects.all(),
        exact=Q(slug__iexact=value) | Q(name__iexact=value),
        near=Q(name__icontains=value),
    )
    if not found:
        raise _Unknown(*Category.objects.order_by("name").values_list("slug", flat=True)[:LISTED])
    return Q(category__in=found)


def _tag(value: str, _asker: Asker) -> Q:
    return Q(tags__contains=[value])


def _escalated(value: str, _asker: Asker) -> Q:
    way = _choice(value, {each: each for each in ("yes", "no", *Kind.values)})
    theirs = Escalation.objects.filter(ticket=OuterRef("pk"), state__in=OPEN)
    if way == "no":
        return ~Q(Exists(theirs))
    return Q(Exists(theirs if way == "yes" else theirs.filter(kind=way)))


def _promise(value: str, asker: Asker) -> Q:
    way = _choice(value, {each: each for each in ("open", "due", "broken", "kept", NOBODY)})
    theirs = Promise.objects.filter(ticket=OuterRef("pk"))
    if way == NOBODY:
        return ~Q(Exists(theirs))
    if way == "open":
        return Q(Exists(theirs.filter(state__in=LIVE)))
    if way == "due":
        return Q(Exists(theirs.filter(state=PromiseState.OPEN, due_at__lte=asker.now + SOON)))
    return Q(Exists(theirs.filter(state=way)))


def _before(value: str, asker: Asker) -> Q:
    return Q(created_at__lt=_day(value, asker))


def _after(value: str, asker: Asker) -> Q:
    return Q(created_at__gte=_day(value, asker))


def _day(value: str, asker: Asker) -> datetime:
    """When a day begins where the reader is."""
    today = asker.now.astimezone(asker.zone).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        day = named.get(value.lower()) or date.fromisoformat(value)
        # Far from either end of the calendar, where another zone's hours would fall off it.
        if not 1900 <= day.year <= 2200:
            raise ValueError
    except ValueError:
        raise _Unknown(today.isoformat(), wrong=Wrong.NO_DATE) from None
    return datetime.combine(day, time.min, tzinfo=asker.zone)


def _choice(value: str, ways: Mapping[str, T], listed: Iterable[str] = ()) -> T:
    found = ways.get(value.lower())
    if found is None:
        raise _Unknown(*(listed or ways))
    return found


def _named(rows: QuerySet[Any], *, exact: Q, near: Q) -> list[int]:
    """Those that are called so, or else those whose name holds it."""
    for condition in (exact, near):
        if found := list(
            rows.filter(condition).order_by("pk").values_list("pk", flat=True)[:ALIKE]
        ):
            return found
    return []


_MEANINGS: Mapping[str, Callable[[str, Asker], Q]] = {
    "status": _status,
    "org": _org,
    "assignee": _assignee,
    "team": _team,
    "tier": _tier,
    "priority": _priority,
    "category": _category,
    "tag": _tag,
    "escalated": _escalated,
    "promise": _promise,
    "before": _before,
    "after": _after,
}
