"""Business time: what counts, across nights, holidays and the two odd nights of every year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from staff.businesstime import WALL, BusinessTime, NeverOpens, OpenHours, compiled
from staff.hours import DAYS, CalendarError, Hours, Interval

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOTHING = timedelta()


def week(hours: str, zone: str = "UTC", **exceptions: str) -> OpenHours:
    """``"mon-fri 9:00-17:00; sat 11:00-12:00,13:00-14:30"``; exceptions as ``d2023_10_10=""``."""
    weekly: dict[str, list[list[str]]] = {}
    for part in hours.split(";"):
        days, intervals = part.split()
        first, _dash, last = days.partition("-")
        for day in DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]:
            weekly[day] = spans(intervals)
    dates = {name[1:].replace("_", "-"): spans(text) for name, text in exceptions.items()}
    return OpenHours(Hours.from_json({"zone": zone, "weekly": weekly, "exceptions": dates}))


def spans(text: str) -> list[list[str]]:
    return [[side.zfill(5) for side in span.split("-")] for span in text.split(",") if span]


def at(text: str, zone: str = "UTC") -> datetime:
    """A moment as a clock in the zone shows it, unless the text says its own offset."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


Z = "mon 9:00-17:00; tue 10:00-16:00; wed 9:00-17:00; thu 10:00-16:00; fri 9:00-17:00; sat 11:00-14:30"
OFFICE = "mon-fri 9:00-17:00"
LONG_OFFICE = "mon-fri 8:00-18:00"
ALWAYS = "mon-sun 0:00-24:00"
NIGHTS = "mon-sun 0:00-6:00,22:00-24:00"


# What is due when


@pytest.mark.parametrize(
    ("time", "since", "length", "due"),
    [
        (week(Z), "2006-01-04 15:58:30", 90 * SECOND, "2006-01-04 16:00:00"),
        (week(Z), "2006-01-03 00:00", NOTHING, "2006-01-03 10:00"),
        (week(Z), "2006-01-04 17:00", -3 * HOUR, "2006-01-04 14:00"),
        (week("tue 9:00-17:00", d2023_10_10=""), "2023-10-10 10:00", HOUR, "2023-10-17 10:00"),
        (week("tue-wed 9:00-17:00"), "2023-10-10 09:00", 15 * HOUR, "2023-10-11 16:00"),
        (
            week("tue 9:00-17:00", "Asia/Kolkata"),
            "2023-10-10 20:00",
            HOUR,
            "2023-10-17 10:00+05:30",
        ),
        (week(OFFICE), "2026-11-27 16:30", HOUR, "2026-11-30 09:30"),
        (week(LONG_OFFICE), "2026-11-23 17:00", 4 * HOUR, "2026-11-24 11:00"),
        (week(LONG_OFFICE), "2026-11-24 11:00", -HOUR, "2026-11-24 10:00"),
        (
            week(ALWAYS, "Europe/Berlin"),
            "2026-10-24 12:00+02:00",
            24 * HOUR,
            "2026-10-25 11:00+01:00",
        ),
        # Eight hours from opening end at closing time, not at the next opening; one microsecond
        # more is the next day's first.
        (week(OFFICE), "2026-11-23 09:00", 8 * HOUR, "2026-11-23 17:00"),
        (week(OFFICE), "2026-11-23 09:00", 8 * HOUR + MICROSECOND, "2026-11-24 09:00:00.000001"),
        (week(OFFICE), "2026-11-23 17:00", NOTHING, "2026-11-24 09:00"),
        (week(OFFICE), "2026-11-23 09:00", NOTHING, "2026-11-23 09:00"),
        # Backwards, the same hours begin at the opening that is nearest.
        (week(OFFICE), "2026-11-23 17:00", -8 * HOUR, "2026-11-23 09:00"),
        (week(OFFICE), "2026-11-24 09:00", -HOUR, "2026-11-23 16:00"),
        (week(OFFICE), "2026-11-23 17:00:00.5", -HOUR, "2026-11-23 16:00"),
        # Over lunch, and over a weekend with a holiday on its Monday that is half open.
        (week("mon-fri 9:00-12:00,13:00-17:00"), "2026-11-23 11:30", HOUR, "2026-11-23 13:30"),
        (
            week(OFFICE, d2026_12_25="", d2026_12_28="13:00-15:00"),
            "2026-12-24 16:00",
            4 * HOUR,
            "2026-12-29 10:00",
        ),
        (week("mon 9:00-17:00", d2026_11_25="20:00-22:00"), "2026-11-25 0:00", HOUR, "2026-11-25 21:00"),
        # Over midnight, where one day's end is the next day's beginning.
        (week(ALWAYS), "2026-11-23 23:59:59", 2 * SECOND, "2026-11-24 00:00:01"),
        (week(NIGHTS), "2026-11-23 23:00", 6 * HOUR, "2026-11-24 05:00"),
        (week(NIGHTS), "2026-11-23 23:00", 8 * HOUR, "2026-11-24 23:00"),
        # Over many years.
        (week(ALWAYS), "2026-01-01 00:00", timedelta(days=3653), "2036-01-02 00:00"),
    ],
)  # fmt: skip
def test_due(time: OpenHours, since: str, length: timedelta, due: str) -> None:
    since = since.replace(" 0:", " 00:")
    assert time.add(at(since), length) == at(due)


@pytest.mark.parametrize(
    ("time", "start", "end", "length"),
    [
        (week(Z), "2006-01-05 12:00", "2006-01-06 12:00", 7 * HOUR),
        (week(Z), "2006-01-06 12:00", "2006-01-05 12:00", -7 * HOUR),
        (week(Z), "2006-01-02 00:00", "2006-01-09 00:00", timedelta(hours=39, minutes=30)),
        (week(OFFICE), "2026-11-28 00:00", "2026-11-29 23:00", NOTHING),
        (week(OFFICE), "2026-11-27 16:59:59.9", "2026-11-30 09:00:00.1", timedelta(seconds=0.2)),
        (week(OFFICE, d2026_11_24=""), "2026-11-23 16:00", "2026-11-25 10:00", 2 * HOUR),
        (week(OFFICE, d2026_11_24="9:00-10:00,11:00-12:00"), "2026-11-24 00:00", "2026-11-25 00:00", 2 * HOUR),
        (week(ALWAYS), "2026-01-01 00:00", "2027-01-01 00:00", timedelta(days=365)),
    ],
)  # fmt: skip
def test_open_time_between(time: OpenHours, start: str, end: str, length: timedelta) -> None:
    assert time.between(at(start), at(end)) == length


def test_it_is_open_from_the_first_moment_to_the_last_but_not_at_closing_time() -> None:
    time = week(OFFICE)
    assert not time.is_open(at("2026-11-23 08:59:59.999999"))
    assert time.is_open(at("2026-11-23 09:00"))
    assert time.is_open(at("2026-11-23 16:59:59.999999"))
    assert not time.is_open(at("2026-11-23 17:00"))
    assert time.next_open(at("2026-11-23 17:00")) == at("2026-11-24 09:00")
    assert time.next_open(at("2026-11-23 16:59:59.999999")) == at("2026-11-23 16:59:59.999999")


def test_round_the_clock_never_closes_at_midnight() -> None:
    time = week(ALWAYS)
    assert time.is_open(at("2026-11-23 23:59:59.999999"))
    assert time.is_open(at("2026-11-24 00:00"))
    assert time.between(at("2026-11-23 23:59"), at("2026-11-24 00:01")) == 2 * MINUTE


def test_shifts_that_touch_are_one_shift() -> None:
    time = week("mon 9:00-12:00,12:00-17:00")
    assert time.add(at("2026-11-23 11:00"), HOUR) == at("2026-11-23 12:00")
    assert time.is_open(at("2026-11-23 12:00"))
    assert time.add(at("2026-11-23 17:00"), -5 * HOUR) == at("2026-11-23 12:00")


# The odd nights: Berlin jumps from 2 to 3 on 2026-03-29, and from 3 back to 2 on 2026-10-25.

SPRING = "2026-03-28 12:00", "2026-03-29 12:00"
AUTUMN = "2026-10-24 12:00", "2026-10-25 12:00"


@pytest.mark.parametrize(
    ("hours", "zone", "night", "length"),
    [
        (ALWAYS, "Europe/Berlin", SPRING, 23 * HOUR),
        (ALWAYS, "Europe/Berlin", AUTUMN, 25 * HOUR),
        (NIGHTS, "Europe/Berlin", SPRING, 7 * HOUR),
        (NIGHTS, "Europe/Berlin", AUTUMN, 9 * HOUR),
        (LONG_OFFICE, "Europe/Berlin", SPRING, NOTHING),
        ("mon-sun 8:00-18:00", "Europe/Berlin", SPRING, 10 * HOUR),
        ("mon-sun 8:00-18:00", "Europe/Berlin", AUTUMN, 10 * HOUR),
        # Hours of which the clock skips some, or all.
        ("sun 2:30-4:00", "Europe/Berlin", SPRING, HOUR),
        ("sun 1:00-2:30", "Europe/Berlin", SPRING, HOUR),
        ("sun 2:00-3:00; mon 8:00-9:00", "Europe/Berlin", SPRING, NOTHING),
        ("sun 2:10-2:50; mon 8:00-9:00", "Europe/Berlin", SPRING, NOTHING),
        # Hours the clock shows twice: they end when it first shows their end.
        ("sun 2:00-3:00", "Europe/Berlin", AUTUMN, 2 * HOUR),
        ("sun 1:00-2:00", "Europe/Berlin", AUTUMN, HOUR),
        ("sun 1:00-2:30", "Europe/Berlin", AUTUMN, timedelta(hours=1.5)),
        ("sun 2:30-3:30", "Europe/Berlin", AUTUMN, 2 * HOUR),
        # Half an hour, at midnight, and a day that never was.
        (ALWAYS, "Australia/Lord_Howe", ("2026-04-04 12:00", "2026-04-05 12:00"), timedelta(hours=24.5)),
        ("sat 9:00-24:00", "America/Sao_Paulo", ("2018-02-17 00:00", "2018-02-18 12:00"), 16 * HOUR),
        ("sun 0:00-9:00", "America/Sao_Paulo", ("2018-11-03 12:00", "2018-11-04 12:00"), 8 * HOUR),
        (ALWAYS, "Pacific/Apia", ("2011-12-29 00:00", "2012-01-01 00:00"), 48 * HOUR),
        ("fri 9:00-17:00; sat 9:00-10:00", "Pacific/Apia", ("2011-12-29 00:00", "2012-01-01 00:00"), HOUR),
    ],
)  # fmt: skip
def test_open_time_of_an_odd_night(
    hours: str, zone: str, night: tuple[str, str], length: timedelta
) -> None:
    time = week(hours, zone)
    start, end = (at(moment, zone) for moment in night)
    assert time.between(start, end) == length
    if length:
        assert time.between(start, time.add(start, length)) == length


def test_a_time_the_clock_jumps_over_is_the_jump() -> None:
    time = week("sun 2:30-4:00", "Europe/Berlin")
    opens = time.next_open(at("2026-03-28 12:00", "Europe/Berlin"))
    assert opens == at("2026-03-29 03:00+02:00")


def test_a_time_the_clock_shows_twice_is_its_first_showing() -> None:
    time = week("sun 2:30-8:00", "Europe/Berlin")
    opens = time.next_open(at("2026-10-24 12:00", "Europe/Berlin"))
    assert opens == at("2026-10-25 02:30+02:00")


def test_moments_of_the_hour_shown_twice_are_told_apart() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1)
    for time in (week(ALWAYS, "Europe/Berlin"), WALL):
        assert time.between(first, second) == HOUR
        assert time.add(first, HOUR) == second.astimezone(UTC)
        assert time.between(second, first) == -HOUR


# What cannot be, is refused


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({}, "weekly"),
        ({"zone": "UTC"}, "weekly"),
        ({"zone": "UTC", "weekly": {}}, "weekly"),
        ({"zone": "UTC", "weekly": {"mon": []}}, "weekly"),
        ({"zone": "UTC", "weekly": {}, "exceptions": {"2026-12-24": []}}, "weekly"),
        ({"zone": "UTC", "weekly": []}, "weekly"),
        ({"zone": "UTC", "weekly": {"Mon": []}}, "weekly.Mon"),
        ({"zone": "UTC", "weekly": {"mon": "09:00-17:00"}}, "weekly.mon"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00"]]}}, "weekly.mon[0]"),
        ({"zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}, "weekly.mon[0]"),
        ({"zone": "UTC", "weekly": {"mon": [["9:00", "17:00"]]}}, "weekly.mon[0][0]"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "24:01"]]}}, "weekly.mon[0][1]"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:60"]]}}, "weekly.mon[0][1]"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00\n", "17:00"]]}}, "weekly.mon[0][0]"),
        ({"zone": "UTC", "weekly": {"mon": [["٠٩:٠٠", "17:00"]]}}, "weekly.mon[0][0]"),
        ({"zone": "UTC", "weekly": {"mon": [[9, 17]]}}, "weekly.mon[0][0]"),
        ({"zone": "UTC", "weekly": {"mon": [["17:00", "09:00"]]}}, "weekly.mon[0]"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "09:00"]]}}, "weekly.mon[0]"),
        ({"zone": "UTC", "weekly": {"mon": [["24:00", "24:00"]]}}, "weekly.mon[0]"),
        ({"zone": "UTC", "weekly": {"mon": [["13:00", "17:00"], ["09:00", "13:01"]]}}, "weekly.mon"),
        ({"zone": "Berlin", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": None, "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "../../etc/passwd", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "Europe", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "Europe/Berlin\0", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "\ud800", "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "A" * 5000, "weekly": {"mon": [["09:00", "17:00"]]}}, "zone"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "holidays": []}, "holidays"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": []}, "exceptions"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"Xmas": []}}, "exceptions.Xmas"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"2026-02-29": []}}, "exceptions.2026-02-29"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"1969-12-31": []}}, "exceptions.1969-12-31"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"2026-12-24": None}}, "exceptions.2026-12-24"),
        # One date written in two ways would have two answers.
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"20261224": []}}, "exceptions.20261224"),
        ({"zone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}, "exceptions": {"2026-W52-4": []}}, "exceptions.2026-W52-4"),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_are_refused_with_their_place(
    data: dict[str, object], where: str
) -> None:
    with pytest.raises(CalendarError) as refused:
        Hours.from_json(data)
    assert refused.value.where == where
    assert str(refused.value).startswith(where)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    data=st.fixed_dictionaries(
        {"zone": st.just("UTC") | JSON, "weekly": st.dictionaries(st.sampled_from(DAYS), JSON) | JSON},
        optional={"exceptions": st.dictionaries(st.just("2026-12-24"), JSON) | JSON},
    )
)  # fmt: skip
def test_whatever_stands_for_hours_is_read_or_refused(data: dict[str, object]) -> None:
    try:
        hours = Hours.from_json(data)
    except CalendarError:
        return
    assert Hours.from_json(hours.to_json()) == hours


@pytest.mark.parametrize(
    "question",
    [
        lambda time, now: time.add(now, HOUR),
        lambda time, now: time.add(now, NOTHING),
        lambda time, now: time.next_open(now),
    ],
)
def test_a_calendar_that_never_opens_again_says_so_at_once(
    question: Callable[[OpenHours, datetime], object],
) -> None:
    hours = {"zone": "UTC", "weekly": {}, "exceptions": {"2020-06-01": [["09:00", "17:00"]]}}
    time = OpenHours(Hours.from_json(hours))
    with pytest.raises(NeverOpens, match="no opening after 2026-11-23"):
        question(time, at("2026-11-23 12:00"))
    # The hour that there was is found from before it; one that there never was is not.
    assert time.add(at("2020-01-01 00:00"), 8 * HOUR) == at("2020-06-01 17:00")
    assert time.add(at("2021-01-01 00:00"), -8 * HOUR) == at("2020-06-01 09:00")
    with pytest.raises(NeverOpens):
        time.add(at("2020-01-01 00:00"), 8 * HOUR + MICROSECOND)
    with pytest.raises(NeverOpens, match="no opening before"):
        time.add(at("2021-01-01 00:00"), -8 * HOUR - MICROSECOND)
    assert time.between(at("2000-01-01 00:00"), at("2100-01-01 00:00")) == 8 * HOUR
    assert not time.is_open(at("2026-11-23 12:00"))


def test_questions_beyond_the_years_calendars_reach_are_refused() -> None:
    time = week("mon 9:00-17:00")
    for moment in ("1969-12-30 00:00", "2200-01-02 00:00", "9999-12-31 00:00", "0001-01-01 00:00"):
        with pytest.raises(CalendarError, match="calendars reach from 1970 to 2199"):
            time.is_open(at(moment))
        with pytest.raises(CalendarError):
            time.between(at("2026-01-01 00:00"), at(moment))
    for length in (timedelta.max, timedelta.min):
        with pytest.raises(NeverOpens):
            time.add(at("2026-01-01 00:00"), length)


def test_naive_moments_are_a_mistake() -> None:
    naive = at("2026-11-23 12:00").replace(tzinfo=None)
    for time in (week(ALWAYS), WALL):
        with pytest.raises(TypeError):
            time.add(naive, HOUR)
        with pytest.raises(TypeError):
            time.between(naive, naive)


def test_the_same_question_has_the_same_answer_whatever_was_asked_before() -> None:
    # Eight years without an opening: further than anybody looks.
    rare = {"2020-06-01": [["09:00", "17:00"]], "2028-06-01": [["09:00", "17:00"]]}
    data = {"zone": "UTC", "weekly": {}, "exceptions": rare}
    asked, fresh = OpenHours(Hours.from_json(data)), OpenHours(Hours.from_json(data))
    asked.between(at("1990-01-01 00:00"), at("2090-01-01 00:00"))
    for time in (asked, fresh):
        assert time.next_open(at("2024-01-01 00:00")) == at("2028-06-01 09:00")
        with pytest.raises(NeverOpens):
            time.next_open(at("2020-07-01 00:00"))
        with pytest.raises(NeverOpens):
            time.add(at("2020-06-01 16:00"), 2 * HOUR)
        with pytest.raises(NeverOpens):
            time.add(at("2028-06-01 10:00"), -2 * HOUR)
        assert time.add(at("2020-06-01 16:00"), HOUR) == at("2020-06-01 17:00")
        assert time.add(at("2028-06-01 10:00"), -HOUR) == at("2028-06-01 09:00")


def test_equal_hours_are_compiled_once() -> None:
    assert compiled(week(OFFICE).hours) is compiled(week(OFFICE).hours)


# Whatever the hours, and whenever it is: the properties that all else rests on

#: A zone, and a date close to which its clock is changed (or, in the last ones, is not).
ODD_DATES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Havana", date(2026, 11, 1)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("Asia/Kathmandu", date(2026, 1, 1)),
    ("UTC", date(2024, 2, 29)),
]


@st.composite
def shifts(draw: st.DrawFn) -> tuple[Interval, ...]:
    """None to three intervals of a day, often at hours when clocks are changed."""
    minutes = st.integers(0, 1440) | st.sampled_from([0, 60, 90, 120, 150, 180, 1380, 1440])
    marks = sorted(draw(st.lists(minutes, max_size=6, unique=True)))
    return tuple(zip(marks[::2], marks[1::2], strict=False))


@st.composite
def situations(draw: st.DrawFn) -> tuple[OpenHours, datetime]:
    """Hours, and a moment within three days of a change of the clock."""
    zone, day = draw(st.sampled_from(ODD_DATES))
    near = st.integers(-4, 4).map(lambda days: day + timedelta(days=days))
    hours = Hours(
        zone=zone,
        weekly=draw(st.tuples(*[shifts()] * 7)),
        exceptions=tuple(sorted(draw(st.dictionaries(near, shifts(), max_size=4)).items())),
    )
    assume(any(hours.weekly))
    return OpenHours(hours), draw(moments(day))


def moments(day: date) -> st.SearchStrategy[datetime]:
    """To the microsecond, and often to the minute, where things begin and end."""
    noon = datetime.combine(day, time_of_day(12), UTC)
    lengths = st.integers(-4320, 4320).map(lambda minutes: minutes * MINUTE)
    odd = st.integers(-4320 * 60_000_000, 4320 * 60_000_000).map(lambda us: us * MICROSECOND)
    return (lengths | odd).map(lambda length: noon + length)


LENGTHS = st.integers(1, 6_000).map(lambda minutes: minutes * MINUTE) | st.integers(
    1, 400_000_000_000
).map(lambda us: us * MICROSECOND)
few = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def slowly_open(hours: Hours, start: datetime, end: datetime) -> dict[datetime, bool]:
    """Minute by minute, whether it is open, by nothing but looking at a clock on the wall.

    A clock that is put back shows nothing new until it is past where it was: a time of day is
    when the clock first shows it.
    """
    zone = ZoneInfo(hours.zone)
    found: dict[datetime, bool] = {}
    minute = (start - timedelta(days=2)).replace(second=0, microsecond=0)
    latest = minute.astimezone(zone).replace(tzinfo=None)
    while minute < end:
        latest = max(latest, minute.astimezone(zone).replace(tzinfo=None))
        of_day = latest.hour * 60 + latest.minute
        found[minute] = any(a <= of_day < b for a, b in hours.on(latest.date()))
        minute += MINUTE
    return found


def slowly_between(hours: Hours, start: datetime, end: datetime) -> timedelta:
    return sum(
        (
            max(min(minute + MINUTE, end) - max(minute, start), NOTHING)
            for minute, is_open in slowly_open(hours, start, end).items()
            if is_open
        ),
        NOTHING,
    )


@settings(few, max_examples=50)
@given(situation=situations(), length=st.integers(0, 5760 * 60_000_000))
def test_it_agrees_with_looking_at_the_clock_every_minute(
    situation: tuple[OpenHours, datetime], length: int
) -> None:
    open_hours, start = situation
    end = start + length * MICROSECOND
    assert open_hours.between(start, end) == slowly_between(open_hours.hours, start, end)
    minute = end.replace(second=0, microsecond=0)
    is_open = slowly_open(open_hours.hours, end, minute + MINUTE)
    assert open_hours.is_open(end) == is_open[minute]


@few
@given(situation=situations(), length=LENGTHS)
def test_what_was_added_has_passed_and_not_a_microsecond_earlier(
    situation: tuple[OpenHours, datetime], length: timedelta
) -> None:
    time, moment = situation
    due = time.add(moment, length)
    assert time.between(moment, due) == length
    assert time.between(moment, due - MICROSECOND) == length - MICROSECOND
    left = time.add(moment, -length)
    assert time.between(left, moment) == length
    assert time.between(left + MICROSECOND, moment) == length - MICROSECOND


@few
@given(situation=situations(), length=LENGTHS)
def test_from_an_open_moment_there_and_back_is_where_one_was(
    situation: tuple[OpenHours, datetime], length: timedelta
) -> None:
    time, moment = situation
    moment = time.next_open(moment)
    assert time.is_open(moment)
    assert time.add(time.add(moment, length), -length) == moment


@few
@given(situation=situations(), one=LENGTHS, two=LENGTHS)
def test_adding_twice_is_adding_the_sum(
    situation: tuple[OpenHours, datetime], one: timedelta, two: timedelta
) -> None:
    time, moment = situation
    assert time.add(time.add(moment, one), two) == time.add(moment, one + two)
    assert time.add(time.add(moment, -one), -two) == time.add(moment, -one - two)


@few
@given(situation=situations(), later=LENGTHS, length=LENGTHS)
def test_later_never_makes_it_earlier(
    situation: tuple[OpenHours, datetime], later: timedelta, length: timedelta
) -> None:
    time, moment = situation
    assert time.add(moment + later, length) >= time.add(moment, length)
    assert time.add(moment + later, -length) >= time.add(moment, -length)
    assert time.next_open(moment + later) >= time.next_open(moment) >= moment
    assert time.add(moment, length + later) > time.add(moment, length)


@few
@given(situation=situations(), one=LENGTHS, two=LENGTHS)
def test_open_time_is_the_sum_of_its_parts(
    situation: tuple[OpenHours, datetime], one: timedelta, two: timedelta
) -> None:
    time, a = situation
    b, c = a + one, a + one + two
    assert time.between(a, c) == time.between(a, b) + time.between(b, c)
    assert time.between(b, a) == -time.between(a, b)
    assert NOTHING <= time.between(a, b) <= one
    assert time.between(a, a) == NOTHING


@few
@given(
    situation=situations(),
    length=LENGTHS,
    zone=st.sampled_from([zone for zone, _day in ODD_DATES]),
)
def test_it_does_not_matter_in_which_zone_a_moment_is_told(
    situation: tuple[OpenHours, datetime], length: timedelta, zone: str
) -> None:
    hours, moment = situation
    elsewhere = moment.astimezone(ZoneInfo(zone))
    end = moment + length
    times: list[BusinessTime] = [hours, WALL]
    for time in times:
        assert time.add(elsewhere, length) == time.add(moment, length)
        assert time.add(elsewhere, length).utcoffset() == NOTHING
        assert time.between(elsewhere, end) == time.between(moment, end)
        assert time.is_open(elsewhere) == time.is_open(moment)
        assert time.next_open(elsewhere) == time.next_open(moment)
        assert time.next_open(elsewhere).utcoffset() == NOTHING


@settings(few, max_examples=25)
@given(situation=situations(), length=LENGTHS, elsewhere=st.integers(2000, 2050))
def test_no_answer_depends_on_what_was_asked_before(
    situation: tuple[OpenHours, datetime], length: timedelta, elsewhere: int
) -> None:
    time, moment = situation
    asked = OpenHours(time.hours)
    asked.is_open(moment.replace(year=elsewhere, day=1))
    assert asked.add(moment, length) == time.add(moment, length)
    assert asked.add(moment, -length) == time.add(moment, -length)
    assert asked.is_open(moment) == time.is_open(moment)


@few
@given(situation=situations())
def test_hours_are_written_and_read_back(situation: tuple[OpenHours, datetime]) -> None:
    hours = situation[0].hours
    assert Hours.from_json(hours.to_json()) == hours
