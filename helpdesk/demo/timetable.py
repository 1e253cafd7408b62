"""When each ticket was opened: the higher the number, the later.

What is urgent or fresh is told in minutes before the curtain. What is older happened in
office hours, early enough in a day for its first chapter to end before the office closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from helpdesk.demo.scene import Scene

#: Rule 1 takes HD-1042 this long after the curtain.
SUSPENSE = timedelta(seconds=45)
UNANSWERED = timedelta(minutes=15)

#: Before the curtain, as time passes on the wall.
FRESH: Mapping[int, timedelta] = {
    1042: UNANSWERED - SUSPENSE,
    1041: timedelta(minutes=38),
    1040: timedelta(minutes=96),
    1039: timedelta(hours=2, minutes=23),
    1038: timedelta(hours=3, minutes=6),
    1037: timedelta(hours=4, minutes=11),
    1036: timedelta(hours=4, minutes=27),
}

#: Office hours before the curtain, and how long the first chapter lasts.
OLDER: Mapping[int, tuple[float, timedelta]] = {
    1035: (4.6, timedelta(hours=2)),
    1034: (6, timedelta(hours=4)),
    1033: (8, timedelta(hours=1, minutes=30)),
    1032: (13, timedelta(hours=3)),
    1031: (15, timedelta(hours=3)),
    1030: (17, timedelta(hours=4)),
    1024: (24, timedelta(hours=4)),
    1023: (28, timedelta(hours=5)),
    1022: (32, timedelta(hours=2)),
    1021: (36, timedelta(hours=2)),
    1020: (42, timedelta(hours=3)),
    1019: (46, timedelta(hours=2)),
}

APART = timedelta(minutes=7)


def openings(stage: Scene) -> dict[int, datetime]:
    """The moment at which each ticket's first message came, by number."""
    moments = {number: stage.curtain - before for number, before in FRESH.items()}
    later = min(moments.values())
    for number, (hours, chapter) in OLDER.items():
        start = min(stage.working_hours_ago(hours), later - APART)
        moments[number] = later = _before_closing(stage, start, chapter)
    return moments


def _before_closing(stage: Scene, start: datetime, chapter: timedelta) -> datetime:
    """``start``, or as much earlier as the chapter takes to end in the same day's hours."""
    # A chapter is shorter than a night: what is open of it lies before this day's closing.
    return start - (chapter - stage.office().between(start, start + chapter))
