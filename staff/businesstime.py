"""Business time: how long something takes when only open hours count.

Pure: no tables, no clock. Weekly hours and their exceptions are turned once into UTC
intervals with prefix sums (integer microseconds), so that daylight saving is resolved when
the table is built and every question afterwards is one or two binary searches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from staff.hours import FIRST_YEAR, LAST_YEAR, MIDNIGHT, CalendarError, Hours

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_HORIZON: Final = 5 * 366 * _DAY


class NeverOpens(CalendarError):
    """The calendar stays closed for more than five years on the way to the answer."""


class BusinessTime(Protocol):
    """Time that passes only while somebody is there. Aware moments in, UTC out."""

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The open time from ``start`` to ``end``; negative when ``end`` is earlier."""

    def add(self, moment: datetime, length: timedelta) -> datetime:
        """When ``length`` of open time has passed since ``moment``.

        The earliest such instant, so that eight hours from opening end at closing time; for
        a negative length the latest; for zero the next open instant. Raises ``NeverOpens``.
        """

    def is_open(self, moment: datetime) -> bool:
        """Whether it is open; at closing time it no longer is."""

    def next_open(self, moment: datetime) -> datetime:
        """``moment`` itself when open, else the next opening. Raises ``NeverOpens``."""


class WallTime:
    """Always open: time as it passes on the wall."""

    def between(self, start: datetime, end: datetime) -> timedelta:
        # Through UTC: two moments of one zone would be subtracted by their local clocks.
        return (end - _EPOCH) - (start - _EPOCH)

    def add(self, moment: datetime, length: timedelta) -> datetime:
        return _EPOCH + (moment - _EPOCH + length)

    def is_open(self, moment: datetime) -> bool:
        return True

    def next_open(self, moment: datetime) -> datetime:
        return _EPOCH + (moment - _EPOCH)

    def __repr__(self) -> str:
        return "WALL"


WALL: Final = WallTime()


def _micros(length: timedelta) -> int:
    return length.days * _DAY + length.seconds * _SECOND + length.microseconds


def _instant(zone: ZoneInfo, day: date, minute: int) -> int:
    """When the clock on the wall first shows this time of this date, or has jumped over it."""
    if minute == MIDNIGHT:
        day, minute = day + timedelta(days=1), 0
    local = datetime.combine(day, time(minute // 60, minute % 60), zone)
    first = _micros(local - _EPOCH)
    second = _micros(local.replace(fold=1) - _EPOCH)
    if second >= first:
        return first
    # The clock jumps over this time: whatever should happen then happens at the jump.
    offset = local.replace(fold=1).utcoffset()
    low, high = second // _SECOND, first // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if (_EPOCH + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high * _SECOND


class _Table(NamedTuple):
    """The open intervals of whole years; ``before`` and ``after`` are open time so far.

    ``sparse``: closed at a stretch for longer than anybody looks.
    """

    first_year: int
    last_year: int
    low: int
    high: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    after: list[int]
    sparse: bool

    def elapsed(self, at: int) -> int:
        i = bisect_right(self.starts, at) - 1
        if i < 0:
            return 0
        end = self.ends[i]
        return self.before[i] + (at if at < end else end) - self.starts[i]


class OpenHours:
    """Hours, compiled. Its table grows by whole years as questions reach further.

    Growing replaces the table in one assignment: threads may build it twice, and never
    see half of one.
    """

    __slots__ = ("_exceptions", "_table", "_zone", "hours")

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self._zone = ZoneInfo(hours.zone)
        self._exceptions = dict(hours.exceptions)
        self._table: _Table | None = None

    def __repr__(self) -> str:
        return f"OpenHours({self.hours.zone})"

    def between(self, start: datetime, end: datetime) -> timedelta:
        a, b = _micros(start - _EPOCH), _micros(end - _EPOCH)
        self._covering(a)
        table = self._covering(b)
        return timedelta(microseconds=table.elapsed(b) - table.elapsed(a))

    def add(self, moment: datetime, length: timedelta) -> datetime:
        d = _micros(length)
        if d == 0:
            return self.next_open(moment)
        t = _micros(moment - _EPOCH)
        table = self._covering(t)
        target = table.elapsed(t) + d
        if d > 0:
            while not table.after or target > table.after[-1]:
                table = self._later(table, t)
                target = table.elapsed(t) + d
            i = bisect_left(table.after, target)
            at = table.ends[i] - table.after[i] + target
        else:
            while target < 0:
                table = self._earlier(table, t)
                target = table.elapsed(t) + d
            i = bisect_right(table.before, target) - 1
            at = table.starts[i] + target - table.before[i]
        if table.sparse:
            self._in_sight(table, t, at)
        return _EPOCH + timedelta(microseconds=at)

    def is_open(self, moment: datetime) -> bool:
        t = _micros(moment - _EPOCH)
        table = self._covering(t)
        i = bisect_right(table.starts, t) - 1
        return i >= 0 and t < table.ends[i]

    def next_open(self, moment: datetime) -> datetime:
        t = _micros(moment - _EPOCH)
        table = self._covering(t)
        i = bisect_right(table.ends, t)
        while i == len(table.ends):
            table = self._later(table, t)
            i = bisect_right(table.ends, t)
        at = max(t, table.starts[i])
        if table.sparse:
            self._in_sight(table, t, at)
        return _EPOCH + timedelta(microseconds=at)

    def _covering(self, t: int) -> _Table:
        table = self._table
        if table is not None and table.low <= t < table.high:
            return table
        year = (_EPOCH + timedelta(microseconds=t)).year
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise CalendarError("", f"calendars reach from {FIRST_YEAR} to {LAST_YEAR}")
        # A year on either side: local dates and most questions reach over new year.
        first, last = year - 1, year + 1
        if table is not None:
            first, last = min(first, table.first_year), max(last, table.last_year)
        return self._grown(first, last)

    def _later(self, table: _Table, t: int) -> _Table:
        quiet_since = max(t, table.ends[-1]) if table.ends else t
        if table.high - quiet_since > _HORIZON or table.last_year > LAST_YEAR:
            raise NeverOpens("", f"no opening after {self._shown(quiet_since)}")
        # Twice as much each time: building anew by steps would cost the square of the years.
        more = table.last_year - table.first_year + 1
        return self._grown(table.first_year, min(table.last_year + more, LAST_YEAR + 1))

    def _earlier(self, table: _Table, t: int) -> _Table:
        quiet_until = min(t, table.starts[0]) if table.starts else t
        if quiet_until - table.low > _HORIZON or table.first_year < FIRST_YEAR:
            raise NeverOpens("", f"no opening before {self._shown(quiet_until)}")
        more = table.last_year - table.first_year + 1
        return self._grown(max(table.first_year - more, FIRST_YEAR - 1), table.last_year)

    def _in_sight(self, table: _Table, t: int, at: int) -> None:
        """Refuse what only a table grown by other questions knows: answers are always the same."""
        low, high = min(t, at), max(t, at)
        quiet_since = low
        for i in range(bisect_right(table.ends, low), bisect_left(table.starts, high) + 1):
            opens = min(table.starts[i], high) if i < len(table.starts) else high
            if opens - quiet_since > _HORIZON:
                word, edge = ("after", quiet_since) if at >= t else ("before", opens)
                raise NeverOpens("", f"no opening {word} {self._shown(edge)}")
            if i < len(table.ends):
                quiet_since = table.ends[i]

    def _shown(self, t: int) -> str:
        return f"{_EPOCH + timedelta(microseconds=t):%Y-%m-%d %H:%M}Z"

    def _grown(self, first_year: int, last_year: int) -> _Table:
        zone = self._zone
        day, end = date(first_year, 1, 1), date(last_year + 1, 1, 1)
        low, high = _instant(zone, day, 0), _instant(zone, end, 0)
        one = timedelta(days=1)
        starts: list[int] = []
        ends: list[int] = []
        while day < end:
            intervals = self._exceptions.get(day)
            if intervals is None:
                intervals = self.hours.weekly[day.weekday()]
            for opening, closing in intervals:
                start, until = _instant(zone, day, opening), _instant(zone, day, closing)
                if ends and ends[-1] == start:
                    ends[-1] = until
                elif start < until:
                    starts.append(start)
                    ends.append(until)
            day += one
        lengths = [until - start for start, until in zip(starts, ends, strict=True)]
        after = list(accumulate(lengths))
        before = [total - length for total, length in zip(after, lengths, strict=True)]
        closings, openings = [low, *ends], [*starts, high]
        sparse = any(b - a > _HORIZON for a, b in zip(closings, openings, strict=True))
        table = self._table = _Table(
            first_year, last_year, low, high, starts, ends, before, after, sparse
        )
        return table


@lru_cache(maxsize=512)
def compiled(hours: Hours) -> OpenHours:
    """The one ``OpenHours`` of these hours in this process."""
    return OpenHours(hours)
