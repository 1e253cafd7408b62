"""Times as people say them: "12 min", "1 h 05", "3 h ago", with the exact time beside it.

``static/desk/times.js`` follows the same rules, with the words of ``words()``, so that a page that
stays open goes on saying what the server would say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from types import MappingProxyType

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, pgettext

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


def words() -> Mapping[str, str]:
    """The patterns that the page's script needs to say the same times in the same language."""
    return _words_in(get_language())


@cache
def _words_in(_language: str | None) -> Mapping[str, str]:
    """The patterns in the language that is active: a page says a hundred times and looks once."""
    patterns = {
        "seconds": pgettext("time span", "%(n)s s"),
        "minutes": pgettext("time span", "%(n)s min"),
        "hours": pgettext("time span", "%(n)s h"),
        "hoursMinutes": pgettext("time span", "%(n)s h %(m)s"),
        "days": pgettext("time span", "%(n)s d"),
        "daysHours": pgettext("time span", "%(n)s d %(m)s h"),
        "now": gettext("just now"),
        "ago": gettext("%(span)s ago"),
        "in": gettext("in %(span)s"),
        "late": gettext("%(span)s late"),
    }
    return MappingProxyType(patterns)


def span(length: timedelta) -> str:
    """Say a length of time with at most two units: "45 s", "12 min", "1 h 05", "2 d 4 h"."""
    seconds = int(abs(length).total_seconds())
    said = words()
    if seconds < MINUTE:
        return said["seconds"] % {"n": seconds}
    if seconds < HOUR:
        return said["minutes"] % {"n": seconds // MINUTE}
    if seconds < DAY:
        hours, minutes = seconds // HOUR, seconds % HOUR // MINUTE
        pattern = said["hoursMinutes"] if minutes else said["hours"]
        return pattern % {"n": hours, "m": f"{minutes:02d}"}
    days, hours = seconds // DAY, seconds % DAY // HOUR
    pattern = said["daysHours"] if hours and days < 7 else said["days"]
    return pattern % {"n": days, "m": hours}


def coarse(length: timedelta) -> str:
    """Say a length of time with one unit, for times that are over: "3 h", not "3 h 20"."""
    seconds = int(abs(length).total_seconds())
    unit = next((unit for unit in (DAY, HOUR, MINUTE) if seconds >= unit), 1)
    return span(timedelta(seconds=seconds // unit * unit))


def left(at: datetime, now: datetime) -> str:
    """Say what is left until a due time: "12 min", or "40 min late"."""
    if at > now:
        return span(at - now)
    return words()["late"] % {"span": span(now - at)}


def relative(at: datetime, now: datetime) -> str:
    """Say a time from here: "just now", "3 h ago", "in 2 d"; a date beyond a week."""
    seconds = (at - now).total_seconds()
    said = words()
    if abs(seconds) < MINUTE:
        return said["now"]
    if abs(seconds) >= WEEK:
        return day(at, now)
    return said["in" if seconds > 0 else "ago"] % {"span": coarse(at - now)}


def day(moment: date, now: datetime | None) -> str:
    """Say a time's day in the reader's zone, or a day of the calendar, which is the same in every zone;
    with its year where it is another one, or ``now`` is not known."""
    zone = timezone.get_current_timezone()
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time(12), zone)
    this_year = timezone.localtime(now, zone).year if now is not None else 0
    return _day(at, this_year, zone, get_language())


@lru_cache(maxsize=8192)
def _day(at: datetime, this_year: int, zone: tzinfo, language: str | None) -> str:
    if timezone.localtime(at, zone).year == this_year:
        # Translators: day and month in the language's order, as Django's date filter takes them.
        return _formatted(at, pgettext("date format", "j M"), zone, language)
    return _formatted(at, pgettext("date format", "j M Y"), zone, language)


def clock(at: datetime, now: datetime) -> str:
    """Say a time of the near days by its clock: "14:00" today, else "Tue 24 Nov, 14:00"."""
    local = timezone.localtime(at)
    if local.date() == timezone.localtime(now).date():
        return _by_pattern(at, "H:i")
    return _by_pattern(at, pgettext("date format", "D j M, H:i"))


def exact(at: datetime) -> str:
    """Say the whole time in the reader's zone: "Tue 24 Nov 2026, 14:00:09 (Europe/Berlin)"."""
    said = _by_pattern(at, pgettext("date format", "D j M Y, H:i:s"))
    return f"{said} ({timezone.get_current_timezone_name()})"


def _by_pattern(at: datetime, pattern: str) -> str:
    return _formatted(at, pattern, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=8192)
def _formatted(at: datetime, pattern: str, zone: tzinfo, _language: str | None) -> str:
    """A page says the same times again and again, and a format is read letter by letter."""
    return date_format(timezone.localtime(at, zone), pattern)


def told(at: datetime) -> str:
    """Say a time to somebody elsewhere: "Tue 24 Nov, 14:00 (Berlin, UTC+1)", as letters do."""
    local = timezone.localtime(at)
    place = timezone.get_current_timezone_name().rpartition("/")[2].replace("_", " ")
    offset = local.utcoffset() or timedelta()
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    shift = f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
    said = date_format(local, pgettext("date format", "D j M, H:i"))
    return f"{said} ({place}, {shift})" if place != "UTC" else f"{said} (UTC)"


@dataclass(frozen=True, slots=True)
class Due:
    """What a due chip says: which promise or clock, and until when."""

    word: str
    at: datetime
    #: From when the chip warns; an hour before where nothing is said.
    warn_at: datetime | None = None
    symbol: str = "clock"


def due_word(kind: str) -> str:
    """What a clock asks for, in a word: the kinds of ``escalation`` clocks and ``promise``."""
    return _due_words_in(get_language()).get(kind) or pgettext("what is due", "Due")


@cache
def _due_words_in(_language: str | None) -> Mapping[str, str]:
    return {
        "first_response": pgettext("what is due", "Reply"),
        "next_response": pgettext("what is due", "Reply"),
        "periodic_update": pgettext("what is due", "Update"),
        "resolution": pgettext("what is due", "Solve"),
        "acceptance": pgettext("what is due", "Accept"),
        "promise": pgettext("what is due", "Promise"),
    }
