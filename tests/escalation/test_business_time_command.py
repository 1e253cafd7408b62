"""``manage.py business_time``: when a length of time has passed, asked at a prompt."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from staff.models import Calendar, CalendarVersion

pytestmark = pytest.mark.django_db

OFFICE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "weekly": {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}
PAST = {"zone": "UTC", "weekly": {}, "exceptions": {"2020-06-01": [["09:00", "17:00"]]}}
#: A Friday, half an hour before the office closes.
FRIDAY = "2026-11-27T17:30+01:00"


@pytest.fixture(autouse=True)
def berlin() -> Calendar:
    return calendar("berlin", OFFICE)


def calendar(slug: str, *versions: dict[str, Any]) -> Calendar:
    made = Calendar.objects.create(slug=slug, name=slug.capitalize())
    for number, hours in enumerate(versions, 1):
        CalendarVersion.objects.create(
            calendar=made, number=number, hours=hours, created_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
    return made


def ask(*arguments: str) -> str:
    out = StringIO()
    call_command("business_time", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_when_business_time_has_passed() -> None:
    assert ask("berlin", "1h", "--since", FRIDAY) == (
        "2026-11-27T17:30:00+01:00 + 1h = 2026-11-30T07:30:00+00:00 (Berlin v1)\n"
    )


def test_wall_time_passes_over_the_weekend() -> None:
    assert "= 2026-11-27T17:30:00+00:00" in ask("berlin", "1h wall", "--since", FRIDAY)


def test_programs_read_it_as_json() -> None:
    assert json.loads(ask("berlin", "1h", "--since", FRIDAY, "--json")) == {
        "since": "2026-11-27T17:30:00+01:00",
        "duration": "1h",
        "due": "2026-11-30T07:30:00+00:00",
        "calendar": "berlin",
        "version": 1,
    }


def test_it_asks_the_hours_in_force() -> None:
    calendar("always", OFFICE, {"zone": "UTC", "weekly": {"sat": [["00:00", "24:00"]]}})
    assert ask("always", "1h", "--since", FRIDAY).endswith(
        "= 2026-11-28T01:00:00+00:00 (Always v2)\n"
    )


def test_without_a_moment_it_counts_from_now() -> None:
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC), tick=False):
        assert ask("berlin", "90 min") == (
            "2026-11-24T09:00:00+00:00 + 1h30m = 2026-11-24T10:30:00+00:00 (Berlin v1)\n"
        )


def test_a_moment_without_an_offset_is_one_of_the_installation() -> None:
    assert ask("berlin", "1h", "--since", "2026-11-24 09:00").startswith(
        "2026-11-24T09:00:00+00:00 + 1h = 2026-11-24T10:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bonn", "1h"], "No calendar 'bonn'. There are: berlin, empty, past."),
        (["empty", "1h"], "The calendar 'empty' has no hours yet."),
        (["berlin", "soon"], "“soon” is not a duration, such as 4h, 1h30m or 15m wall"),
        (["berlin", "2d"], "a business day has no agreed length"),
        (["berlin", "1h", "--since", "tomorrow"], "'tomorrow' is not a moment such as"),
        (["berlin", "1h", "--since", "2026-02-30T12:00"], "'2026-02-30T12:00' is not a moment"),
        (["past", "1h", "--since", FRIDAY], "no opening after 2026-11-27 16:30Z"),
        (["berlin", "1h", "--since", "1960-01-01T12:00"], "calendars reach from 1970 to 2199"),
        (["berlin", "14d wall", "--since", "9999-12-31T12:00"], "beyond any date there is"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(arguments: list[str], sentence: str) -> None:
    calendar("empty")
    calendar("past", PAST)
    with pytest.raises(CommandError) as refused:
        ask(*arguments)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
