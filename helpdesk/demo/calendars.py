"""When Brightquay's teams are there, and what its plans promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import holidays

from staff.hours import DAYS, Hours
from staff.models import Calendar, CalendarVersion

_WORKDAYS = DAYS[:5]
_YEARS_AHEAD = 3

#: By slug: name, zone, weekly hours, and the country whose holidays are kept.
CALENDARS: Mapping[str, tuple[str, str, Mapping[str, Sequence[Sequence[str]]], str | None]] = {
    "berlin": ("Berlin", "Europe/Berlin", {day: [["08:00", "18:00"]] for day in _WORKDAYS}, "DE"),
    "chicago": (
        "Chicago",
        "America/Chicago",
        {day: [["08:00", "17:00"]] for day in _WORKDAYS},
        "US",
    ),
    "tokyo": (
        "Tokyo",
        "Asia/Tokyo",
        {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in _WORKDAYS},
        "JP",
    ),
    "always": ("Always", "UTC", {day: [["00:00", "24:00"]] for day in DAYS}, None),
    "working-week": ("Working week", "UTC", {day: [["08:00", "18:00"]] for day in _WORKDAYS}, None),
}


def load(*, now: datetime) -> dict[str, Calendar]:
    """Make the calendars that are missing, each with a first version; by slug."""
    made = {}
    for slug, (name, *_rest) in CALENDARS.items():
        calendar, _new = Calendar.objects.get_or_create(slug=slug, defaults={"name": name})
        if not calendar.versions.exists():
            CalendarVersion.objects.create(
                calendar=calendar,
                number=1,
                hours=hours_of(slug, year=now.year).to_json(),
                created_at=now,
            )
        made[slug] = calendar
    return made


def hours_of(slug: str, *, year: int) -> Hours:
    """A calendar's hours, with the holidays of the year before and of the years to come."""
    _name, zone, weekly, country = CALENDARS[slug]
    closed: dict[str, Any] = {}
    if country is not None:
        years = range(year - 1, year + _YEARS_AHEAD)
        closed = {
            day.isoformat(): [] for day in holidays.country_holidays(country, years=list(years))
        }
    return Hours.from_json({"zone": zone, "weekly": weekly, "exceptions": closed})
