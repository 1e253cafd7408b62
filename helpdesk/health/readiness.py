"""What is found wrong: each check with its name, its state, a number and a sentence.

``docs/runbooks/readiness.md`` has a section for each name.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import structlog
from django.conf import settings

from helpdesk.health import figures
from helpdesk.health.bounded import Bounded
from helpdesk.health.figures import Backlogs, Figures
from helpdesk.health.limits import Limits, limits_from
from notifications import quickredis

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Seconds for all that is asked, at once.
PATIENCE = 1.5
#: Seconds for which what was found stands, so that who asks often does not burden the database.
KEPT = 1.0

T = TypeVar("T")


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    #: It could not be looked at, since the database does not answer.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    state: State
    #: None where nothing could be found out.
    number: float | None
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Space:
    """Free space of the data folder, in MiB."""

    free: float
    writable: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What one look has found; None is what did not answer."""

    database: Figures | None
    #: Milliseconds.
    redis: float | None
    space: Space | None


@dataclass(frozen=True, slots=True)
class Readiness:
    checks: tuple[Check, ...]
    found: Found

    @property
    def state(self) -> State:
        """The worst of all."""
        states = {check.state for check in self.checks}
        if State.FAILED in states:
            return State.FAILED
        return State.WARNING if State.WARNING in states else State.OK


def judge(found: Found, limits: Limits) -> Readiness:
    """Say what is well and what is not; nothing is asked here."""
    checks = []
    for name, (unit, judged) in _JUDGES.items():
        state, number, sentence = judged(found, limits)
        checks.append(Check(name, state, number, unit, sentence))
    return Readiness(tuple(checks), found)


Said = tuple[State, float | None, str]
_UNKNOWN: Said = (State.UNKNOWN, None, "Not known while the database does not answer.")
_NOT_YET: Said = (State.UNKNOWN, None, "Not known until every migration is applied.")


def _database(found: Found, _limits: Limits) -> Said:
    if found.database is None:
        return State.FAILED, None, "The database does not answer in time."
    return State.OK, round(found.database.took, 1), "The database answers."


def _redis(found: Found, _limits: Limits) -> Said:
    if found.redis is None:
        sentence = "Redis does not answer: work waits for the next look, and nothing is lost."
        return State.WARNING, None, sentence
    return State.OK, round(found.redis, 1), "Redis answers."


def _disk(found: Found, limits: Limits) -> Said:
    space = found.space
    if space is None:
        return State.FAILED, None, "The data folder cannot be looked at."
    if not space.writable:
        return State.FAILED, round(space.free), "The data folder cannot be written."
    state = _beyond(-space.free, -limits.disk_warning, -limits.disk_failed)
    return state, round(space.free), f"{space.free:,.0f} MiB are free for files."


def _migrations(found: Found, _limits: Limits) -> Said:
    figures = found.database
    if figures is None:
        return _UNKNOWN
    if figures.unapplied:
        sentence = f"Not applied yet: {_some(figures.unapplied)}. Run migrate."
        return State.FAILED, len(figures.unapplied), sentence
    if figures.unknown:
        sentence = f"The database is ahead of this version: {_some(figures.unknown)}."
        return State.WARNING, 0, sentence
    return State.OK, 0, "Every migration is applied."


def _clock(found: Found, limits: Limits) -> Said:
    if found.database is None:
        return _UNKNOWN
    apart = found.database.apart
    state = _beyond(apart, limits.clock_warning, limits.clock_failed)
    return state, round(apart, 3), f"Our clock and the database's are {apart:.1f} s apart."


def _of_backlogs(
    judged: Callable[[Backlogs, datetime, Limits], Said],
) -> Callable[[Found, Limits], Said]:
    """What is judged by what waits, where that is known."""

    def judge(found: Found, limits: Limits) -> Said:
        if found.database is None:
            return _UNKNOWN
        if found.database.backlogs is None:
            return _NOT_YET
        return judged(found.database.backlogs, found.database.now, limits)

    return judge


def _reviews(found: Backlogs, now: datetime, limits: Limits) -> Said:
    age = age_of(found.reviews.oldest, now)
    state = _beyond(age, limits.reviews_warning, limits.reviews_failed)
    if not found.reviews.count:
        return state, age, "No ticket waits for the engine."
    return state, age, f"Tickets due: {_many(found.reviews.count)}, the oldest for {age:.0f} s."


def _outbox(found: Backlogs, now: datetime, limits: Limits) -> Said:
    waits, age = found.outbox, age_of(found.outbox.still_since, now)
    state = _beyond(age, limits.outbox_warning, limits.outbox_failed)
    if not waits.waiting and found.paused_since is None:
        return state, age, "No letter is due."
    sentence = (
        f"Letters due: {_many(waits.waiting)}, the oldest for {age_of(waits.oldest, now):.0f} s"
    )
    if found.paused_since is not None:
        paused = f"The outbox is paused since {found.paused_since:%Y-%m-%d %H:%M} UTC."
        return State.WARNING, age, f"{paused} {sentence}."
    if waits.still_since is None:
        return state, age, f"{sentence}; others have gone out since."
    return state, age, f"{sentence}; none has gone out for {age:.0f} s."


def _webhooks(found: Backlogs, now: datetime, limits: Limits) -> Said:
    age = age_of(found.webhooks.oldest, now)
    state = _beyond(age, limits.webhooks_warning, limits.webhooks_failed)
    if not found.webhooks.count:
        return state, age, "No message for a webhook is due."
    due = _many(found.webhooks.count)
    if found.paused_since is not None:
        state = State.WARNING
    return state, age, f"Messages for webhooks due: {due}, the oldest for {age:.0f} s."


def _withheld(found: Backlogs, _now: datetime, _limits: Limits) -> Said:
    many = _many(found.withheld)
    return State.OK, found.withheld, f"Letters whose reader has not proven their address: {many}."


def _uncertain(found: Backlogs, _now: datetime, _limits: Limits) -> Said:
    many = _many(found.uncertain)
    return State.OK, found.uncertain, f"Letters that may or may not have arrived: {many}."


#: By check, the unit of its number and what judges it, in the order in which they are said.
_JUDGES: Mapping[str, tuple[str, Callable[[Found, Limits], Said]]] = {
    "database": ("milliseconds", _database),
    "migrations": ("migrations", _migrations),
    "reviews": ("seconds", _of_backlogs(_reviews)),
    "outbox": ("seconds", _of_backlogs(_outbox)),
    "webhooks": ("seconds", _of_backlogs(_webhooks)),
    "withheld": ("letters", _of_backlogs(_withheld)),
    "uncertain": ("letters", _of_backlogs(_uncertain)),
    "redis": ("milliseconds", _redis),
    "disk": ("mebibytes", _disk),
    "clock": ("seconds", _clock),
}
#: The names of all checks.
NAMES = tuple(_JUDGES)


class Looks:
    """One look at a time in this process, and what it found for as long as it stands."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._database = Bounded(partial(figures.look, clock=clock))
        self._redis = Bounded(_ping)
        self._space = Bounded(_measure)
        self._lock = Lock()
        self._last: Readiness | None = None
        self._until = 0.0

    def look(self) -> Readiness:
        """Where everything stands, as of a second ago at most."""
        with self._lock:
            if self._last is None or time.monotonic() >= self._until:
                before, self._last = self._last, self._ask()
                self._until = time.monotonic() + KEPT
                _log_changes(before, self._last)
            return self._last

    def _ask(self) -> Readiness:
        asked = (self._database.begin(), self._redis.begin(), self._space.begin())
        until = time.monotonic() + PATIENCE
        found = Found(
            database=_answer(asked[0], until, "database"),
            redis=_answer(asked[1], until, "redis"),
            space=_answer(asked[2], until, "disk"),
        )
        return judge(found, limits_from(settings.HELPDESK_READY_LIMITS))


def _answer(asked: Future[T], until: float, name: str) -> T | None:
    try:
        return asked.result(timeout=max(0.0, until - time.monotonic()))
    except Exception as error:  # whatever is wrong with it, it does not answer
        logger.debug("no_answer", asked=name, why=error)
        return None


def _log_changes(before: Readiness | None, now: Readiness) -> None:
    """Say once what has changed, with what only the log may say."""
    states = {check.name: check.state for check in before.checks} if before else {}
    for check in now.checks:
        if check.state != states.get(check.name, State.OK):
            level = logging.INFO if check.state is State.OK else logging.WARNING
            logger.log(
                level,
                "readiness_changed",
                check=check.name,
                state=str(check.state),
                sentence=check.sentence,
            )


def _ping() -> float:
    began = time.perf_counter()
    quickredis.client().ping()
    return (time.perf_counter() - began) * 1000


def _measure() -> Space:
    place = Path(settings.HELPDESK_DATA_DIR)
    # It is made when the first file comes.
    folder = next(each for each in (place, *place.parents) if each.exists())
    measured = os.statvfs(folder)
    return Space(
        free=measured.f_bavail * measured.f_frsize / 2**20, writable=os.access(folder, os.W_OK)
    )


def _beyond(figure: float, warning: float, failed: float) -> State:
    if figure >= failed:
        return State.FAILED
    return State.WARNING if figure >= warning else State.OK


def age_of(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else round(max(0.0, (now - since).total_seconds()), 1)


def _many(count: int) -> str:
    return f"{count:,}" if count < figures.MOST else f"at least {figures.MOST:,}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
