"""Lists: by which keys they can be filtered and ordered, and nothing else; pages by keyset."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, IntegerField, Model, Q, QuerySet, Value
from django.http import QueryDict
from django.utils.translation import gettext as _

from desk.api.fields import LARGEST_ID, read_moment, written
from desk.api.problems import INVALID, Fault, Problem, invalid
from staff.models import User

M = TypeVar("M", bound=Model)

LIMIT = 50
MOST = 100
SEARCH = "q"
RELEVANCE = "relevance"
LONGEST_CURSOR = 500

_IDENTIFIER = re.compile(r"[1-9][0-9]{0,14}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")


class Unreadable(Exception):
    """A value in an address is not what its key takes; the text says what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A key of the address: how its text is read, and which rows it leaves."""

    name: str
    read: Callable[[str], Any]
    rows: Callable[[Any, User], Q]
    schema: Mapping[str, Any]
    description: str = ""
    explode: bool | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a list can be ordered by: a column; where it may be null, those rows come last."""

    column: str
    of: type[int] | type[str] | type[datetime] = int
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    filters: Sequence[Filter] = ()
    orderings: Mapping[str, Key] = field(default_factory=lambda: {"id": Key("pk")})
    #: A name of ``orderings``, with ``-`` for the other way round.
    default: str = "-id"
    #: Gives the ids of the rows that words find, the best first; asked for as ``SEARCH``.
    search: Callable[[str, User], list[int]] | None = None

    @property
    def keys(self) -> list[str]:
        searched = [SEARCH] if self.search is not None else []
        return [*searched, *(each.name for each in self.filters), "ordering", "cursor", "limit"]

    @property
    def orders(self) -> list[str]:
        names = [name for each in self.orderings for name in (each, f"-{each}")]
        return [RELEVANCE, *names] if self.search is not None else names


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind a row, or before it, in an order."""

    ordering: str
    back: bool
    value: Any
    pk: int


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    rows: list[M]
    next: str | None
    previous: str | None


def check_keys(query: QueryDict, allowed: Iterable[str]) -> None:
    """Raise for a key that is not allowed, or that stands in the address twice."""
    known = list(allowed)
    unknown = sorted(query.keys() - set(known))
    if unknown:
        hint = _("Allowed here: %(keys)s.") % {"keys": ", ".join(known)} if known else ""
        words = " ".join(filter(None, (_("This address has no such key."), hint)))
        faults = [Fault(name, "unknown", words) for name in unknown]
        raise Problem(INVALID, f"{unknown[0]}: {words}", faults=faults)
    for name, values in query.lists():
        if len(values) > 1:
            raise invalid(name, _("Give this key once."), code="repeated")


def page(
    rows: QuerySet[M], listing: Listing, *, query: Mapping[str, str], address: str, user: User
) -> Page[M]:
    """The page of ``rows`` that an address asks for. One query, besides what is prefetched and
    what a search takes.
    """
    searched = listing.search is not None and SEARCH in query
    if listing.search is not None and searched:
        found_ids = listing.search(query[SEARCH], user)
        rows = rows.filter(pk__in=found_ids).annotate(**{RELEVANCE: _position(found_ids)})
    for each in listing.filters:
        if each.name in query:
            rows = rows.filter(each.rows(_read(each.name, each.read, query[each.name]), user))
    ordering = query.get("ordering", RELEVANCE if searched else listing.default)
    if ordering not in listing.orders:
        raise invalid("ordering", _one_of(listing.orders), code="invalid_choice")
    if ordering == RELEVANCE and not searched:
        raise invalid("ordering", _("Only a search is ordered by relevance."))
    limit = _read("limit", _limit, query.get("limit", str(LIMIT)))
    orderings = {**listing.orderings, RELEVANCE: Key(RELEVANCE)}
    key, falling = orderings[ordering.removeprefix("-")], ordering.startswith("-")
    place = _place(query["cursor"], ordering, key) if "cursor" in query else None
    back = place is not None and place.back
    if place is not None:
        rows = rows.filter(_beyond(place, key, falling))
    found = list(rows.order_by(*_order(key, falling, back))[: limit + 1])
    more, shown = len(found) > limit, found[:limit]
    if back:
        shown.reverse()
    has_next, has_previous = (True, more) if back else (more, place is not None)

    def link(row: M, *, back: bool) -> str:
        kept = {name: value for name, value in query.items() if name != "cursor"}
        cursor = _cursor(Place(ordering, back, _value(row, key), row.pk))
        return f"{address}?{urlencode({**kept, 'cursor': cursor})}"

    return Page(
        rows=shown,
        next=link(shown[-1], back=False) if shown and has_next else None,
        previous=link(shown[0], back=True) if shown and has_previous else None,
    )


def _position(ids: Sequence[int]) -> Func:
    """Where a row stands among these ids, from 1."""
    return Func(
        Value(list(ids), output_field=ArrayField(BigIntegerField())),
        F("pk"),
        function="array_position",
        output_field=IntegerField(),
    )


def _order(key: Key, falling: bool, back: bool) -> list[Any]:
    if key.column == "pk":
        return ["-pk" if falling != back else "pk"]
    column = F(key.column)
    # Backwards, what stands last comes first.
    nulls = ({"nulls_first": True} if back else {"nulls_last": True}) if key.nullable else {}
    down = falling != back
    return [column.desc(**nulls) if down else column.asc(**nulls), "-pk" if down else "pk"]


def _beyond(place: Place, key: Key, falling: bool) -> Q:
    """The rows on the other side of a place, in the direction in which it is left."""
    side = "lt" if falling != place.back else "gt"
    behind = Q(**{f"pk__{side}": place.pk})
    if key.column == "pk":
        return behind
    null = Q(**{f"{key.column}__isnull": True})
    if place.value is None:
        return (~null | (null & behind)) if place.back else null & behind
    same = Q(**{key.column: place.value})
    beyond = Q(**{f"{key.column}__{side}": place.value}) | (same & behind)
    return beyond | null if key.nullable and not place.back else beyond


def _value(row: Model, key: Key) -> Any:
    if key.column == "pk":
        return None
    value = row
    for part in key.column.split("__"):
        value = getattr(value, part)
    # Whole microseconds, so that nothing is lost between two pages.
    return written(value) if isinstance(value, datetime) else value


def _cursor(place: Place) -> str:
    said = json.dumps([place.ordering, int(place.back), place.value, place.pk])
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _place(text: str, ordering: str, key: Key) -> Place:
    broken = invalid("cursor", _("This cursor is not one of this list's, in this order."))
    if len(text) > LONGEST_CURSOR or not text.isascii():
        raise broken
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        named, back, value, pk = said
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise broken from None
    if named != ordering or back not in (0, 1) or not _is_id(pk):
        raise broken
    if key.column == "pk" or value is None:
        read, fits = None, value is None and (key.column == "pk" or key.nullable)
    elif key.of is datetime:
        read = read_moment(value) if isinstance(value, str) else None
        fits = read is not None
    else:
        read = value
        fits = _is_id(value) if key.of is int else isinstance(value, str) and "\x00" not in value
    if not fits:
        raise broken
    return Place(ordering, bool(back), read, pk)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def _read(name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except Unreadable as error:
        raise invalid(name, str(error)) from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST):
        raise Unreadable(_("Write a number from 1 to %(most)s.") % {"most": MOST})
    return int(text)


def _one_of(words: Iterable[str]) -> str:
    return _("One of: %(words)s.") % {"words": ", ".join(words)}


# What filters there are.


def choices(
    name: str, values: Iterable[str | int], column: str, description: str = "", **more: Any
) -> Filter:
    """One or more of some words, divided by commas."""
    known = {str(value): value for value in values}

    def read(text: str) -> list[str | int]:
        asked = text.split(",")
        if any(each not in known for each in asked):
            raise Unreadable(_one_of(known))
        return [known[each] for each in asked]

    kind = "integer" if all(isinstance(value, int) for value in known.values()) else "string"
    return Filter(
        name=name,
        read=read,
        rows=lambda asked, _user: Q(**{f"{column}__in": asked}),
        schema={
            "type": "array",
            "minItems": 1,
            "items": {"type": kind, "enum": list(known.values())},
        },
        description=description,
        explode=False,
        **more,
    )


def identifier(name: str, column: str, description: str = "") -> Filter:
    return Filter(
        name=name,
        read=_identifier,
        rows=lambda asked, _user: Q(**{column: asked}),
        schema={"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        description=description,
    )


def _identifier(text: str) -> int:
    if not _IDENTIFIER.fullmatch(text):
        raise Unreadable(_("Write an id: a whole number above 0."))
    return int(text)


def person(name: str, column: str, description: str = "") -> Filter:
    """Somebody who works here by id, oneself, or nobody."""

    def rows(asked: int | str, user: User) -> Q:
        if asked == "none":
            return Q(**{f"{column}__isnull": True})
        return Q(**{column: user.pk if asked == "me" else asked})

    return Filter(
        name=name,
        read=lambda text: text if text in ("me", "none") else _identifier(text),
        rows=rows,
        schema={"type": "string", "pattern": "^([1-9][0-9]{0,14}|me|none)$"},
        description=description,
    )


def slug(name: str, column: str, description: str = "") -> Filter:
    def read(text: str) -> str:
        if not _SLUG.fullmatch(text):
            raise Unreadable(_("Write a slug: letters, digits, hyphens and underscores."))
        return text

    return Filter(
        name=name,
        read=read,
        rows=lambda asked, _user: Q(**{column: asked}),
        schema={"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,50}$"},
        description=description,
    )


def truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise Unreadable(_one_of(("true", "false")))
    return text == "true"


def flag(name: str, column: str, description: str = "") -> Filter:
    return Filter(
        name=name,
        read=truth,
        rows=lambda asked, _user: Q(**{column: asked}),
        schema={"type": "boolean"},
        description=description,
    )


def moment(name: str, lookup: str, description: str = "") -> Filter:
    """A moment; ``lookup`` ends in ``__gte`` or the like."""

    def read(text: str) -> datetime:
        # A plus that was not escaped arrives as a blank.
        found = read_moment(text.replace(" ", "+"))
        if found is None:
            raise Unreadable(_("Write a moment with its offset, such as 2026-11-24T09:00:00Z."))
        return found

    return Filter(
        name=name,
        read=read,
        rows=lambda asked, _user: Q(**{lookup: asked}),
        schema={"type": "string", "format": "date-time"},
        description=description,
    )


def words(
    name: str,
    rows: Callable[[str, User], Q],
    description: str = "",
    *,
    longest: int = 200,
) -> Filter:
    """Text; ``rows`` says what it leaves."""

    def read(text: str) -> str:
        if not text or len(text) > longest or not text.isprintable():
            raise Unreadable(
                _("Write up to %(longest)s characters that can be read.") % {"longest": longest}
            )
        return text

    return Filter(
        name=name,
        read=read,
        rows=rows,
        schema={"type": "string", "minLength": 1, "maxLength": longest},
        description=description,
    )
