"""Business hours are published, never changed: every change is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import holidays
from django.db import transaction

from staff.businesstime import OpenHours
from staff.hours import FIRST_YEAR, LAST_YEAR, CalendarError, Hours
from staff.models import Calendar, CalendarVersion, User


class UnknownCountry(ValueError):
    """No holidays are known for this country, region or year."""


@transaction.atomic
def publish_hours(
    *, calendar: Calendar, hours: Hours, by: User | None, now: datetime
) -> CalendarVersion | None:
    """Put hours in force as the calendar's next version; None where they are in force already.

    Raises ``NeverOpens`` for hours that have passed for good.
    """
    OpenHours(hours).next_open(now)
    # Two who publish at once take turns, so that neither meets the other's number.
    Calendar.objects.select_for_update(no_key=True).get(pk=calendar.pk)
    newest = calendar.versions.order_by("-number").first()
    if newest is not None and _same(newest, hours):
        return None
    return CalendarVersion.objects.create(
        calendar=calendar,
        number=newest.number + 1 if newest else 1,
        hours=hours.to_json(),
        created_at=now,
        created_by=by,
    )


def canonical(version: CalendarVersion) -> Mapping[str, object]:
    """The hours of a version in the order people read them, which the database does not keep."""
    try:
        return Hours.from_json(version.hours).to_json()
    except CalendarError:
        hours: Mapping[str, object] = version.hours
        return hours


def national_holidays(*, country: str, year: int) -> dict[date, str]:
    """The public holidays of a country (``DE``) or a region of it (``DE-BY``), with their names.

    Raises ``UnknownCountry``.
    """
    code, _dash, region = country.strip().partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    # Regions are written as each country writes them: BY, but also Augsburg.
    regions = {name.upper(): name for name in known.get(code.upper(), ())}
    if code.upper() not in known or (region and region.upper() not in regions):
        raise UnknownCountry(country)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnknownCountry(str(year))
    found = holidays.country_holidays(
        code.upper(), subdiv=regions[region.upper()] if region else None, years=year
    )
    return dict(sorted(found.items()))


def closed_on(hours: Hours, days: dict[date, str]) -> Hours:
    """The same hours, closed on these days as well; dates that differ already stay as they are."""
    kept = dict(hours.exceptions)
    return replace(hours, exceptions=tuple(sorted({**dict.fromkeys(days, ()), **kept}.items())))


def _same(version: CalendarVersion, hours: Hours) -> bool:
    return canonical(version) == hours.to_json()
