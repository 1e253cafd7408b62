"""Durations as policies write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staff.businesstime import WALL, OpenHours
from staff.durations import LONGEST, Duration, DurationError, parse_duration, written
from staff.hours import Hours

HOUR = timedelta(hours=1)
OFFICE = OpenHours(Hours(zone="UTC", weekly=(((540, 1020),),) * 5 + ((), ())))
FRIDAY = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length", "wall"),
    [
        ("4h", 4 * HOUR, False),
        ("1h30m", 1.5 * HOUR, False),
        ("1h 30m", 1.5 * HOUR, False),
        ("90 min", 1.5 * HOUR, False),
        ("90m", 1.5 * HOUR, False),
        ("45s", timedelta(seconds=45), False),
        ("15m wall", HOUR / 4, True),
        ("15mwall", HOUR / 4, True),
        ("  15M  Wall ", HOUR / 4, True),
        ("14d wall", timedelta(days=14), True),
        ("1d12h wall", timedelta(days=1.5), True),
        ("0h", timedelta(), False),
        ("3660d wall", timedelta(days=3660), True),
    ],
)
def test_a_duration_is_read(text: str, length: timedelta, wall: bool) -> None:
    assert parse_duration(text) == Duration(length, wall)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "wall", "4", "h", "4 hours", "4x", "-4h", "+4h", "1.5h", "1,5h", "4h 4h", "5m 5min",
        "4h wall wall", "wall 4h", "4h;", "٤h", "４h", "4h\0", "1234567h", "PT4H", "4:00", "4h1", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="is not a duration, such as 4h, 1h30m or 15m wall"):
        parse_duration(text)


def test_a_business_day_has_no_length_to_agree_on() -> None:
    with pytest.raises(DurationError, match="write hours, or add “wall”"):
        parse_duration("2d")


@pytest.mark.parametrize("text", ["3661d wall", "999999h", "999999d wall"])
def test_more_than_ten_years_is_a_mistake(text: str) -> None:
    with pytest.raises(DurationError, match="longer than ten years"):
        parse_duration(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=12) | st.text(alphabet="0123456789 smhdinwal", max_size=16))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except DurationError:
        return
    assert timedelta() <= duration.length <= LONGEST


@settings(max_examples=200, deadline=None)
@given(seconds=st.integers(0, int(LONGEST.total_seconds())), wall=st.booleans())
def test_what_is_written_is_read_back(seconds: int, wall: bool) -> None:
    duration = Duration(timedelta(seconds=seconds), wall)
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=59, microseconds=999_999), "59s"),
        (1.5 * HOUR, "1h30m"),
        (timedelta(days=2), "48h"),
        (timedelta(hours=1, seconds=1), "1h1s"),
    ],
)
def test_a_length_is_written_in_whole_seconds(length: timedelta, text: str) -> None:
    assert written(length) == text


def test_business_time_passes_on_the_calendar_and_wall_time_on_the_wall() -> None:
    monday = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    business, wall = parse_duration("1h"), parse_duration("1h wall")
    assert business.after(FRIDAY, OFFICE) == monday
    assert wall.after(FRIDAY, OFFICE) == FRIDAY + HOUR
    assert (business.on(OFFICE), wall.on(OFFICE)) == (OFFICE, WALL)


def test_a_warning_an_hour_before_is_an_hour_of_the_same_time() -> None:
    monday = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    assert parse_duration("1h").before(monday, OFFICE) == FRIDAY
    assert parse_duration("1h wall").before(monday, OFFICE) == monday - HOUR
