"""Durations as policies write them: ``4h`` of business time, or ``15m wall``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from staff.businesstime import WALL, BusinessTime

_PARTS: Final = re.compile(r"([0-9]{1,6})\s*(s|min|m|h|d)\s*", re.IGNORECASE)
_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
LONGEST: Final = timedelta(days=3660)


class DurationError(ValueError):
    """A text that is not a duration."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, and whether it passes on the wall or only while somebody is there."""

    length: timedelta
    wall: bool = False

    def __str__(self) -> str:
        return f"{written(self.length)} wall" if self.wall else written(self.length)

    @property
    def on_the_wall(self) -> Duration:
        """The same length, passing at night and on Sundays, too."""
        return replace(self, wall=True)

    def on(self, time: BusinessTime) -> BusinessTime:
        """The time this duration is counted in, given the calendar it would count on."""
        return WALL if self.wall else time

    def after(self, moment: datetime, time: BusinessTime) -> datetime:
        """When this much time has passed since ``moment``."""
        return self.on(time).add(moment, self.length)

    def before(self, moment: datetime, time: BusinessTime) -> datetime:
        """When this much time is left until ``moment``."""
        return self.on(time).add(moment, -self.length)


@lru_cache(maxsize=1024)
def written(length: timedelta) -> str:
    """A length in the units of ``parse_duration``: ``1h30m``; whole seconds, at least ``0s``."""
    seconds = int(length.total_seconds())
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def parse_duration(text: str) -> Duration:
    """Read ``4h``, ``1h30m``, ``90 min``, ``15m wall`` or ``14d wall``.

    A day is one of 24 hours on the wall; a business day has no agreed length, so that days
    are refused without ``wall``. Raises ``DurationError``.
    """
    stripped = text.strip().lower()
    wall = stripped.endswith("wall")
    rest = stripped.removesuffix("wall").rstrip() if wall else stripped
    seconds, at, units = 0, 0, []
    while at < len(rest):
        match = _PARTS.match(rest, at)
        if match is None:
            raise _refused(text)
        seconds += int(match.group(1)) * _UNITS[match.group(2)]
        units.append(match.group(2))
        at = match.end()
    if not units or len({_UNITS[unit] for unit in units}) < len(units):
        raise _refused(text)
    if "d" in units and not wall:
        raise DurationError(
            f"“{text}”: a business day has no agreed length; write hours, or add “wall”"
        )
    length = timedelta(seconds=seconds)
    if length > LONGEST:
        raise DurationError(f"“{text}” is longer than ten years")
    return Duration(length, wall)


def _refused(text: str) -> DurationError:
    return DurationError(f"“{text}” is not a duration, such as 4h, 1h30m or 15m wall")
