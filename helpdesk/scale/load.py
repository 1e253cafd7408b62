"""Many tickets at once: rehearse, cast, copy."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from helpdesk.scale import casting, customers, house, loading, moulds, rehearsal
from helpdesk.scale.casting import Wanted
from helpdesk.scale.words import Pools

FEWEST_LIVES, MOST_LIVES, TICKETS_A_LIFE = 15, 120, 2500


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, and how long it took."""

    tickets: int
    open: int
    due: int
    as_of: datetime
    first: int
    last: int
    messages_each: float
    rows: dict[str, int]
    abandoned: list[str]
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "as_of": self.as_of.isoformat()}


def load(
    *,
    tickets: int,
    open_share: float,
    messages: float,
    due_share: float,
    seed: int,
    now: datetime,
    say: Callable[[str], None],
) -> Loaded:
    """Load so many tickets as they would stand at ``now``."""
    watch = _Watch()
    rng = Random(seed)
    now = now.replace(microsecond=0)
    wanted = Wanted(
        tickets=tickets,
        open=max(round(tickets * open_share), round(tickets * due_share)),
        due=round(tickets * due_share),
    )
    house.furnish(now=now)
    kinds = customers.clienteles()
    say("rehearsing")
    record = rehearsal.rehearse(
        rng=rng,
        now=now,
        lives=min(MOST_LIVES, max(FEWEST_LIVES, tickets // TICKETS_A_LIFE)),
        messages=messages,
        clienteles=kinds,
    )
    made = moulds.make(record)
    watch.lap("rehearsal")
    say(f"{len(made)} lives rehearsed")
    people = customers.welcome(clienteles=kinds, tickets=tickets, now=now)
    roles = casting.plan(rng=rng, moulds=made, wanted=wanted, now=now, quiet=timedelta(minutes=15))
    tables = [table for table in record.tables if table.name not in moulds.NOT_CAST]
    ids = loading.next_ids(tables)
    first = ids["tickets_ticket"]
    pools = Pools(rng)
    rows = loading.copy(
        tables=tables,
        texts=pools.everything,
        chunks=casting.chunks(
            rng=rng, pools=pools, moulds=made, roles=roles, customers=people, next_ids=ids
        ),
        ids=ids,
        say=say,
    )
    watch.lap("copy")
    say("tidying up")
    loading.tidy([*rows, *loading.beside()])
    watch.lap("vacuum")
    parts = Counter(role.mould for role in roles)
    return Loaded(
        tickets=tickets,
        open=wanted.open,
        due=wanted.due,
        as_of=now,
        first=first,
        last=ids["tickets_ticket"] - 1,
        messages_each=round(
            sum(len(made[place].messages) * count for place, count in parts.items())
            / max(1, tickets),
            2,
        ),
        rows=rows,
        abandoned=list(record.abandoned),
        seconds=watch.laps,
    )


class _Watch:
    """How long each part took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 1)
        self._last = now
