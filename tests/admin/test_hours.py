"""Calendars behind ``/admin/``: what saving does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from staff.forms import hours_text
from staff.models import Calendar, CalendarVersion
from tests.admin.rows import OFFICE, of
from tests.pages.desk import Desk, words


def calendar_form(calendar: Calendar, hours: object, **fields: Any) -> dict[str, Any]:
    """What the form of a calendar sends."""
    newest = calendar.versions.order_by("-number").first()
    return {
        "name": calendar.name,
        "slug": calendar.slug,
        "hours": hours if isinstance(hours, str) else json.dumps(hours),
        "edited": newest.number if newest else "",
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
        **fields,
    }


def test_other_hours_are_a_new_version_and_leave_the_old(sam: Client, desk: Desk) -> None:
    calendar = Calendar.objects.get()
    saturday = {**OFFICE, "weekly": {**OFFICE["weekly"], "sat": [["09:00", "13:00"]]}}

    page = sam.post(of(calendar), calendar_form(calendar, saturday), follow=True)

    assert "Version 2 of these hours is in force." in words(page)
    first, second = calendar.versions.order_by("number")
    assert first.hours == OFFICE
    assert second.hours["weekly"]["sat"] == [["09:00", "13:00"]]
    assert (second.number, second.created_by) == (2, desk.sam)
    assert calendar.in_force == second


def test_the_same_hours_are_no_new_version(sam: Client, desk: Desk) -> None:
    calendar = Calendar.objects.get()

    page = sam.post(of(calendar), calendar_form(calendar, OFFICE, name="Office"))

    assert page.status_code == 302
    assert Calendar.objects.get().name == "Office"
    assert calendar.versions.count() == 1


def test_hours_are_shown_in_the_order_of_the_week_and_as_they_are_kept(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()
    # Written by hand, without the parts that say nothing.
    hours = {key: value for key, value in OFFICE.items() if key != "exceptions"}
    CalendarVersion.objects.create(calendar=calendar, number=2, hours=hours, created_at=desk.now)

    shown = sam.get(of(calendar)).context["adminform"].form.initial["hours"]

    assert list(json.loads(shown)["weekly"]) == ["mon", "tue", "wed", "thu", "fri"]
    sam.post(of(calendar), calendar_form(calendar, shown))
    assert calendar.in_force.number == 2


def test_a_new_calendar_begins_with_its_hours(sam: Client, desk: Desk) -> None:
    made = Calendar(name="Nights", slug="nights")
    form = calendar_form(Calendar.objects.get(), OFFICE) | {
        "name": made.name,
        "slug": made.slug,
        "edited": "",
    }

    assert sam.post(reverse("admin:staff_calendar_add"), form).status_code == 302

    assert Calendar.objects.get(slug="nights").in_force.number == 1


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        ("{", "Line 1, column 2"),
        ("[]", "Write an object"),
        ('{"zone": "Mars", "weekly": {"mon": [["08:00", "18:00"]]}}', "zone: “Mars”"),
        (
            '{"zone": "UTC", "weekly": {"mon": [["18:00", "08:00"]]}}',
            "weekly.mon[0]: ends at 08:00, not after 18:00",
        ),
        ('{"zone": "UTC", "weekly": {"mo": []}}', "weekly.mo: not a day"),
        ('{"zone": "UTC", "weekly": {}}', "weekly: never opens"),
        ('{"zone": "UTC", "weekly": {"mon": [], "mon": []}}', "mon: stands here twice"),
        (
            '{"zone": "UTC", "weekly": {}, "exceptions": {"1999-01-01": [["08:00", "18:00"]]}}',
            "open",
        ),
        ("[" * 20_000, "This is not JSON."),
    ],
)
def test_hours_that_cannot_be_are_refused_at_their_field(
    sam: Client, desk: Desk, hours: str, why: str
) -> None:
    calendar = Calendar.objects.get()

    page = sam.post(of(calendar), calendar_form(calendar, hours, name="Renamed"))

    assert page.status_code == 200
    (told,) = page.context["adminform"].form.errors["hours"]
    assert why in told
    assert list(page.context["adminform"].form.errors) == ["hours"]
    assert Calendar.objects.get().name == "Always"
    assert calendar.versions.count() == 1


def test_hours_somebody_else_has_changed_meanwhile_are_not_overwritten(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()
    form = calendar_form(calendar, {**OFFICE, "zone": "UTC"})
    CalendarVersion.objects.create(
        calendar=calendar, number=2, hours={**OFFICE, "zone": "Asia/Tokyo"}, created_at=desk.now
    )

    page = sam.post(of(calendar), form)

    assert "Somebody has published version 2 meanwhile" in words(page)
    assert calendar.in_force.number == 2


def test_national_holidays_are_filled_in_to_look_through_and_not_saved(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()

    page = sam.get(of(calendar), {"country": "DE-BY", "year": "2027"})

    assert "2027-01-06" in words(page)
    assert "12 days were added below and are not saved yet" in words(page)
    shown = json.loads(page.context["adminform"].form.initial["hours"])
    assert shown["exceptions"]["2027-01-06"] == []
    assert shown["weekly"] == OFFICE["weekly"]
    assert calendar.versions.count() == 1

    sam.post(of(calendar), calendar_form(calendar, shown))

    assert calendar.in_force.hours["exceptions"]["2027-12-25"] == []


@pytest.mark.parametrize(
    ("country", "year"), [("XX", "2027"), ("DE-ZZ", "2027"), ("DE", "9999"), ("DE", "x"), ("", "")]
)
def test_a_country_without_known_holidays_changes_nothing(
    sam: Client, desk: Desk, country: str, year: str
) -> None:
    page = sam.get(of(Calendar.objects.get()), {"country": country, "year": year})

    assert "No holidays are known" in words(page)
    assert json.loads(page.context["adminform"].form.initial["hours"]) == OFFICE


def test_hours_are_written_a_day_a_line_and_read_back() -> None:
    text = hours_text({**OFFICE, "exceptions": {"2026-12-24": [["08:00", "12:00"]]}})

    assert '    "2026-12-24": [["08:00", "12:00"]]' in text.splitlines()
    assert json.loads(text)["weekly"] == OFFICE["weekly"]
