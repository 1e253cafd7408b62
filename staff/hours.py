"""Opening hours of a week and the dates that differ, as a calendar says them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

Interval = tuple[int, int]
"""From, until: minutes after midnight on the wall; 1440 is the midnight that ends the day."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
MIDNIGHT: Final = 1440
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


class CalendarError(ValueError):
    """Hours that cannot be: ``where`` in the data, and what is wrong there."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where
        self.message = message


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of a week in one time zone, and the dates that differ.

    ``weekly`` starts on Monday. An exception replaces the hours of its date; no interval
    means closed. The hours of a date belong to it: a night shift is two intervals.
    """

    zone: str
    weekly: tuple[tuple[Interval, ...], ...]
    exceptions: tuple[tuple[date, tuple[Interval, ...]], ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Hours:
        """Read ``{"zone": …, "weekly": {"mon": [["08:00", "18:00"]]}, "exceptions": {…}}``.

        Days that are left out are closed; ``exceptions`` go by ISO date. Raises
        ``CalendarError`` for anything that is not such hours, and when they never open.
        """
        for key in data:
            if key not in ("zone", "weekly", "exceptions"):
                raise CalendarError(str(key), "not known here")
        weekly = _mapping(data.get("weekly"), "weekly")
        for key in weekly:
            if key not in DAYS:
                raise CalendarError(f"weekly.{key}", f"not a day: write {', '.join(DAYS)}")
        exceptions = _mapping(data.get("exceptions", {}), "exceptions")
        hours = cls(
            zone=_zone(data.get("zone")),
            weekly=tuple(_intervals(weekly.get(day, []), f"weekly.{day}") for day in DAYS),
            exceptions=tuple(
                sorted(
                    (_date(key, f"exceptions.{key}"), _intervals(value, f"exceptions.{key}"))
                    for key, value in exceptions.items()
                )
            ),
        )
        if not any(hours.weekly) and not any(intervals for _, intervals in hours.exceptions):
            raise CalendarError("weekly", "never opens")
        return hours

    def to_json(self) -> dict[str, object]:
        """What ``from_json`` reads; closed days are left out."""
        return {
            "zone": self.zone,
            "weekly": {
                day: _written(intervals)
                for day, intervals in zip(DAYS, self.weekly, strict=True)
                if intervals
            },
            "exceptions": {
                day.isoformat(): _written(intervals) for day, intervals in self.exceptions
            },
        }

    def on(self, day: date) -> tuple[Interval, ...]:
        """The hours of one date."""
        for exception, intervals in self.exceptions:
            if exception == day:
                return intervals
        return self.weekly[day.weekday()]


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise CalendarError(where, "must map days to hours")
    return {str(key): item for key, item in value.items()}


def _zone(value: object) -> str:
    if isinstance(value, str) and value:
        try:
            return ZoneInfo(value).key
        except (ValueError, OSError, LookupError):
            pass
    raise CalendarError("zone", f"“{value}” is not a time zone, such as Europe/Berlin")


def _date(text: str, where: str) -> date:
    day: date | None = None
    with suppress(ValueError):
        day = date.fromisoformat(text)
    # Python reads 20261225 and 2026-W52-5 as well: one date with two entries has two answers.
    if day is None or day.isoformat() != text:
        raise CalendarError(where, "not a date, such as 2026-12-25")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError(where, f"not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _intervals(value: object, where: str) -> tuple[Interval, ...]:
    if not isinstance(value, list | tuple):
        raise CalendarError(where, 'must be a list such as [["08:00", "18:00"]]')
    found: list[Interval] = []
    for number, pair in enumerate(value):
        here = f"{where}[{number}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise CalendarError(here, 'must be a pair such as ["08:00", "18:00"]')
        start, end = _minute(pair[0], f"{here}[0]"), _minute(pair[1], f"{here}[1]")
        if end <= start:
            raise CalendarError(here, f"ends at {pair[1]}, not after {pair[0]}")
        found.append((start, end))
    found.sort()
    for (before, until), (start, end) in pairwise(found):
        if start < until:
            raise CalendarError(
                where,
                f"{_clock(before)}–{_clock(until)} and {_clock(start)}–{_clock(end)} overlap",
            )
    return tuple(found)


def _minute(value: object, where: str) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise CalendarError(where, f"“{value}” is not a time, such as 08:00 or 24:00")
    hour, minute = match.groups()
    return MIDNIGHT if hour is None else int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _written(intervals: tuple[Interval, ...]) -> list[list[str]]:
    return [[_clock(start), _clock(end)] for start, end in intervals]
