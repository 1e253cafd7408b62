"""The lives of tickets that are resolved or over.

What is over lies weeks before the curtain, and is cast into the weeks of the year before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from helpdesk.scale.lives import HOUR, MINUTE, Life, Plot, begins, talk
from helpdesk.scale.stage import Stage
from tickets.models.ticket import Status

#: When the lives that are over begin: after that, two weeks of quiet until they close by themselves.
LONG_AGO = timedelta(days=38)
STARTS = tuple(timedelta(days=day, hours=hour) for day, hour in ((0, 0), (1, 3), (2, 20), (4, 6)))


def _to_be_checked(stage: Stage) -> Life:
    at = stage.ago(days=stage.rng.choice((2, 6)))
    yield from begins(stage, at)
    yield from talk(stage, at + HOUR, at + 5 * HOUR)
    yield at + 5 * HOUR
    stage.resolves()


RESOLVED = (Plot(_to_be_checked, 100),)


def _start(stage: Stage) -> datetime:
    """Somewhen in a week, several at a time, so that the engine looks at them together."""
    return stage.curtain - LONG_AGO + stage.rng.choice(STARTS)


def _confirmed(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at, file=stage.rng.random() < 0.15)
    yield from talk(stage, at + HOUR, at + 6 * HOUR)
    yield at + 6 * HOUR
    stage.resolves()
    yield at + 20 * HOUR
    stage.confirms()


def _left_alone(stage: Stage) -> Life:
    """Resolved, and closed by the quiet."""
    at = _start(stage)
    yield from begins(stage, at)
    yield from talk(stage, at + HOUR, at + 7 * HOUR)
    yield at + 7 * HOUR
    stage.resolves()


def _waited(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at)
    yield at + HOUR
    stage.replies(Status.WAITING)
    yield at + 26 * HOUR
    stage.writes()
    yield at + 27 * HOUR
    stage.resolves()
    yield at + 50 * HOUR
    stage.closes()


def _came_again(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at)
    yield at + 2 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.writes()
    yield at + 31 * HOUR
    stage.replies()
    yield at + 33 * HOUR
    stage.resolves()
    yield at + 50 * HOUR
    stage.confirms()


def _helped(stage: Stage) -> Life:
    """Escalated, accepted, done."""
    at = _start(stage)
    yield from begins(stage, at, details=True)
    yield at + HOUR
    stage.notes()
    stage.escalates()
    yield at + 80 * MINUTE
    stage.accepts()
    yield at + 2 * HOUR
    stage.replies()
    yield at + 5 * HOUR
    stage.settles()
    yield at + 6 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.confirms()


def _declined_first(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at)
    yield at + HOUR
    stage.escalates()
    yield at + 80 * MINUTE
    stage.declines()
    yield at + 2 * HOUR
    stage.offers_again()
    yield at + 140 * MINUTE
    stage.accepts()
    yield at + 6 * HOUR
    stage.settles()
    yield at + 7 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.confirms()


def _went_further(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at, details=True)
    yield at + HOUR
    stage.escalates()
    yield at + 70 * MINUTE
    stage.accepts()
    yield at + 2 * HOUR
    stage.hands_on()
    yield at + 130 * MINUTE
    stage.accepts()
    yield at + 6 * HOUR
    stage.settles()
    yield at + 7 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.confirms()


def _taken_back(stage: Stage) -> Life:
    at = _start(stage)
    yield from begins(stage, at, details=True)
    yield at + HOUR
    stage.escalates()
    yield at + 70 * MINUTE
    stage.takes_back()
    yield at + 5 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.closes()


def _by_rule(stage: Stage) -> Life:
    """A P1 that a rule escalated, where the policy has one."""
    at = _start(stage)
    yield at
    stage.opens(details=True)
    yield at + MINUTE
    stage.takes()
    yield at + 50 * MINUTE
    if stage.is_escalated():
        stage.accepts()
    yield at + 55 * MINUTE
    stage.replies()
    yield at + 2 * HOUR
    if stage.owner is not None:
        stage.settles()
    yield at + 3 * HOUR
    stage.resolves()
    yield at + 30 * HOUR
    stage.confirms()


OVER = (
    Plot(_confirmed, 36, (2, 3)),
    Plot(_left_alone, 24, (3, 3)),
    Plot(_waited, 14, (2, 2)),
    Plot(_came_again, 8, (2, 3)),
    Plot(_helped, 10, (2, 2), escalates=True),
    Plot(_declined_first, 2, (2, 2), escalates=True),
    Plot(_went_further, 2, (2, 2), escalates=True),
    Plot(_taken_back, 2, (2, 3), escalates=True),
    Plot(_by_rule, 2, (1, 1)),
)
