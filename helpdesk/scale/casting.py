"""Casting: which mould becomes which ticket, when it was opened, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from helpdesk.scale import words
from helpdesk.scale.customers import Clientele, Customer
from helpdesk.scale.moulds import Mould
from helpdesk.scale.rehearsal import QUARTER
from helpdesk.scale.words import Pools, Text

WEEKS = 46
"""How far back what is over may lie, beside the weeks of its rehearsal."""

LONGEST = timedelta(days=4)
"""How long the clocks of a life that is over may have run."""

TICKETS_A_CHUNK = 2000

FOUND = "found"
"""Among the tables of a chunk: ticket, when something was said last, the numbers of the texts."""


class NothingToCast(RuntimeError):
    """No life of a sort that is needed came through the rehearsal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many tickets, and of which sort."""

    tickets: int
    open: int
    due: int

    @property
    def resolved(self) -> int:
        return (self.tickets - self.open) // 20

    @property
    def over(self) -> int:
        return self.tickets - self.open - self.resolved


@dataclass(frozen=True, slots=True)
class Role:
    """A mould, and by how much its life is moved."""

    opened_at: float
    mould: int
    shift: float


@dataclass(slots=True)
class Chunk:
    """Lines of COPY for some tickets, by table."""

    tickets: int
    lines: dict[str, bytes]


def plan(
    *, rng: Random, moulds: Sequence[Mould], wanted: Wanted, now: datetime, quiet: timedelta
) -> list[Role]:
    """Who plays what, in the order in which tickets were opened.

    Open tickets are those at which nothing is to be done for as long as ``quiet``.
    """
    roles: list[Role] = []
    for sort, count in (
        ("due", wanted.due),
        ("open", wanted.open - wanted.due),
        ("resolved", wanted.resolved),
        ("over", wanted.over),
    ):
        if count <= 0:
            continue
        places = [
            place
            for place, mould in enumerate(moulds)
            if mould.life.sort == sort and (sort == "due" or _rests(mould, now + quiet))
        ]
        if not places:
            raise NothingToCast(sort)
        weights = list(accumulate(moulds[place].life.share for place in places))
        # One of each, however few they are; the others by their share.
        named = {moulds[place].life.name: place for place in places}
        each = list(named.values())[:count]
        drawn = rng.choices(places, cum_weights=weights, k=count - len(each))
        for place in (*each, *drawn):
            shift = _shift(rng, moulds[place], now + quiet)
            roles.append(Role(moulds[place].life.opened_at.timestamp() + shift, place, shift))
    roles.sort(key=lambda role: (role.opened_at, role.mould))
    return roles


def chunks(
    *,
    rng: Random,
    pools: Pools,
    moulds: Sequence[Mould],
    roles: Sequence[Role],
    customers: Mapping[Clientele, Sequence[Customer]],
    next_ids: dict[str, int],
) -> Iterator[Chunk]:
    """The tickets, some at a time; ``next_ids`` counts on."""
    rare = max(1, len(roles) // words.RARE_TICKETS)
    rare_left = words.RARE_TICKETS
    for start in range(0, len(roles), TICKETS_A_CHUNK):
        lines: dict[str, list[str]] = {}
        part = roles[start : start + TICKETS_A_CHUNK]
        for place, role in enumerate(part, start):
            mould = moulds[role.mould]
            people = customers[mould.life.clientele]
            planted = None
            if place % rare == 0 and rare_left > 0:
                planted, rare_left = pools.rare, rare_left - 1
            elif rng.random() < words.COMMON_SHARE:
                planted = pools.common
            language = mould.life.clientele.language
            shift = timedelta(seconds=role.shift)
            texts = _texts(rng, pools, mould, language)
            lines.setdefault(FOUND, []).append(
                _found(next_ids["tickets_ticket"], mould, shift, texts, planted)
            )
            for table, text in mould.cast(
                first_ids=next_ids,
                shift=shift,
                customer=people[int(rng.random() * len(people))],
                subject=_subject(rng, language),
                texts=_with(texts, planted),
            ):
                lines.setdefault(table, []).append(text)
            for table, count in mould.ids:
                next_ids[table] += count
        yield Chunk(
            tickets=len(part), lines={name: "".join(of).encode() for name, of in lines.items()}
        )


def _rests(mould: Mould, until: datetime) -> bool:
    return mould.life.review_at is None or mould.life.review_at > until


def _shift(rng: Random, mould: Mould, until: datetime) -> float:
    """Seconds by which this life lies elsewhere than at rehearsal."""
    life = mould.life
    if life.sort == "due":
        return -rng.randint(0, 240) if life.steady else 0
    earlier = 0
    if life.steady:
        room = QUARTER if life.review_at is None else min(QUARTER, life.review_at - until)
        earlier = -int(rng.random() * room.total_seconds())
    if life.sort != "over":
        return earlier
    zone = ZoneInfo(life.clientele.zone)
    weeks = int(rng.random() ** 1.1 * WEEKS)
    # Not over a change of the clocks, by which open hours would count otherwise.
    while (summer := _hour_moved(life.opened_at, weeks, zone)) is None:
        weeks += 1
    return earlier - timedelta(weeks=weeks).total_seconds() + summer


def _hour_moved(opened_at: datetime, weeks: int, zone: ZoneInfo) -> float | None:
    """Seconds by which the customers' clocks went otherwise so many weeks earlier; None where they
    changed in the days of this life, then or now.
    """
    moved = {
        (at.astimezone(zone).utcoffset() or timedelta())
        - ((at - timedelta(weeks=weeks)).astimezone(zone).utcoffset() or timedelta())
        for at in (opened_at, opened_at + LONGEST)
    }
    return moved.pop().total_seconds() if len(moved) == 1 else None


def _subject(rng: Random, language: str) -> str:
    what, how = words.SUBJECTS[language]
    return f"{what[int(rng.random() * len(what))]} {how[int(rng.random() * len(how))]}"


def _texts(rng: Random, pools: Pools, mould: Mould, language: str) -> dict[int, Text]:
    texts: dict[int, Text] = {}
    speakers = {
        "c": pools.texts[language, "customer"],
        "a": pools.texts[language, "agent"],
        "s": pools.short[language],
    }
    for speaker, number, _in_json in mould.said:
        if number not in texts:
            pool = speakers[speaker]
            texts[number] = pool[int(rng.random() * len(pool))]
    return texts


def _with(texts: Mapping[int, Text], planted: Text | None) -> Mapping[int, Text]:
    """With a word that is looked for at the end of what was said first."""
    if planted is None:
        return texts
    first = texts[0]
    said = Text(
        first.number, f"{first.plain} {planted.plain}", f"{first.in_json} {planted.in_json}"
    )
    return {**texts, 0: said}


def _found(
    number: int, mould: Mould, shift: timedelta, texts: Mapping[int, Text], planted: Text | None
) -> str:
    """What a ticket is found by, as the numbers of what was said."""
    said = [texts[place].number for place in mould.messages]
    if planted is not None:
        said.insert(1, planted.number)
    return f"{number}\t{mould.last_said_at + shift}\t{{{','.join(map(str, said))}}}\n"
