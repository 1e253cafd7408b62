"""What becomes of tickets: each life says when it goes on, and acts on its stage.

Those that are open end at the curtain, in every state a ticket can be in. Those that are over lie
weeks before it, and are cast into the weeks of the year before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.models.escalation import Kind
from helpdesk.scale.stage import Stage
from tickets.models.ticket import Status

Life = Generator[datetime, None, None]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: When the lives that are over begin: after that, two weeks of quiet until they close by themselves.
LONG_AGO = timedelta(days=38)
STARTS = tuple(timedelta(days=day, hours=hour) for day, hour in ((0, 0), (1, 3), (2, 20), (4, 6)))


@dataclass(frozen=True, slots=True)
class Plot:
    """A life, how many of a hundred of its sort live it, and how urgent it is."""

    tell: Callable[[Stage], Life]
    share: float
    #: Impact and urgency that it takes; any where there are none.
    levels: tuple[int, int] | None = None
    escalates: bool = False


def _talk(stage: Stage, since: datetime, until: datetime) -> Life:
    """So many more rounds of question and answer, spread over this time."""
    gap = (until - since) / (2 * stage.rounds + 1)
    for number in range(stage.rounds):
        yield since + gap * (2 * number)
        stage.writes()
        yield since + gap * (2 * number + 1)
        stage.replies()


def _begins(stage: Stage, at: datetime, **opening: bool) -> Life:
    """Opened, taken and answered after ten minutes."""
    yield at
    stage.opens(**opening)
    yield at + 10 * MINUTE
    stage.takes()
    stage.replies()


# Open


def _new(stage: Stage) -> Life:
    yield stage.ago(minutes=stage.rng.randint(2, 20))
    stage.opens(file=stage.rng.random() < 0.2)


def _taken(stage: Stage) -> Life:
    yield stage.ago(minutes=18)
    stage.opens(details=True)
    yield stage.ago(minutes=9)
    stage.takes()


def _working(stage: Stage) -> Life:
    at = stage.ago(hours=20)
    yield from _begins(stage, at)
    yield from _talk(stage, at + HOUR, at + 11 * HOUR)
    yield at + 12 * HOUR
    stage.notes()


def _answered_again(stage: Stage) -> Life:
    """The customer wrote last."""
    yield from _begins(stage, stage.ago(hours=7))
    yield from _talk(stage, stage.ago(hours=6), stage.ago(hours=1))
    yield stage.ago(minutes=25)
    stage.writes()


def _waiting(stage: Stage) -> Life:
    at = stage.ago(days=stage.rng.choice((2, 6, 13, 20)))
    yield from _begins(stage, at)
    yield from _talk(stage, at + 20 * MINUTE, at + 19 * HOUR)
    yield at + 20 * HOUR
    stage.replies(Status.WAITING)


def _long_conversation(stage: Stage) -> Life:
    """Thirty messages, by which pages are measured."""
    stage.rounds = 14
    at = stage.ago(days=3)
    yield from _begins(stage, at, details=True, file=True)
    yield from _talk(stage, at + 20 * MINUTE, at + 6 * HOUR)
    yield at + 6 * HOUR
    stage.replies(Status.WAITING)


def _on_hold(stage: Stage) -> Life:
    at = stage.ago(days=9)
    yield from _begins(stage, at)
    yield from _talk(stage, at + HOUR, at + 3 * HOUR)
    yield at + 3 * HOUR
    stage.notes()
    stage.becomes(Status.ON_HOLD)


def _snoozed(stage: Stage) -> Life:
    at = stage.ago(days=2)
    yield from _begins(stage, at)
    yield at + HOUR
    stage.replies(Status.WAITING)
    stage.snoozes(until=stage.curtain + timedelta(days=3))


def _offered(stage: Stage) -> Life:
    yield from _begins(stage, stage.ago(hours=3), details=True)
    yield stage.ago(minutes=1)
    stage.escalates()


def _accepted(stage: Stage) -> Life:
    yield from _begins(stage, stage.ago(hours=8), details=True)
    yield stage.ago(hours=6)
    stage.escalates()
    yield stage.ago(hours=5)
    stage.accepts()
    yield stage.ago(hours=2)
    stage.replies()


def _promised_anew(stage: Stage) -> Life:
    """The time the customer was told is over; they were told another."""
    yield from _begins(stage, stage.ago(hours=30), details=True)
    yield stage.ago(hours=29)
    stage.escalates()
    yield stage.ago(hours=28, minutes=30)
    stage.accepts()
    yield stage.ago(hours=3)
    stage.says_when(due=stage.curtain + 9 * HOUR)


def _came_back(stage: Stage) -> Life:
    yield from _begins(stage, stage.ago(hours=9))
    yield stage.ago(hours=8)
    stage.escalates()
    yield stage.ago(hours=7)
    stage.declines()


def _waits_while_escalated(stage: Stage) -> Life:
    yield from _begins(stage, stage.ago(hours=30), details=True)
    yield stage.ago(hours=29)
    stage.escalates()
    yield stage.ago(hours=28, minutes=30)
    stage.accepts()
    yield stage.ago(hours=28)
    stage.replies(Status.WAITING)


def _asked_for_more(stage: Stage) -> Life:
    """A hierarchical escalation, where the policy grants what the customer asks for."""
    yield from _begins(stage, stage.ago(hours=12))
    yield stage.ago(hours=11)
    stage.appeals()
    yield stage.ago(hours=10, minutes=40)
    if stage.is_escalated(Kind.HIERARCHICAL):
        stage.accepts(Kind.HIERARCHICAL)
    yield stage.ago(hours=2)
    stage.replies()


def _neglected(stage: Stage) -> Life:
    """Its resolution ran over long ago, and rules have done what they do."""
    at = stage.ago(days=9)
    yield from _begins(stage, at)
    yield from _talk(stage, at + HOUR, at + 20 * HOUR)
    yield stage.ago(hours=25)
    if stage.is_escalated():
        stage.accepts()
    yield stage.ago(hours=22)
    stage.replies()


OPEN = (
    Plot(_new, 14),
    Plot(_taken, 6),
    Plot(_working, 16, (3, 3)),
    Plot(_answered_again, 12, (2, 3)),
    Plot(_waiting, 25),
    Plot(_on_hold, 4),
    Plot(_snoozed, 3, (2, 3)),
    Plot(_long_conversation, 0.5, (2, 3)),
    Plot(_offered, 3, (2, 3), escalates=True),
    Plot(_accepted, 5, (2, 2), escalates=True),
    Plot(_promised_anew, 2, (2, 3), escalates=True),
    Plot(_came_back, 2, (2, 3), escalates=True),
    Plot(_waits_while_escalated, 3, (2, 2), escalates=True),
    Plot(_asked_for_more, 1.5, (3, 2)),
    Plot(_neglected, 3, (2, 2)),
)


# Due at the curtain


def waits_too_long(stage: Stage) -> Life:
    """A P1 that nobody has answered for a quarter of an hour, and nobody has looked at since."""
    yield stage.ago(minutes=20)
    stage.opens(details=True)
    stage.takes()


DUE = (Plot(waits_too_long, 100, (1, 1)),)


# Resolved these days


def _to_be_checked(stage: Stage) -> Life:
    at = stage.ago(days=stage.rng.choice((2, 6)))
    yield from _begins(stage, at)
    yield from _talk(stage, at + HOUR, at + 5 * HOUR)
    yield at + 5 * HOUR
    stage.resolves()


RESOLVED = (Plot(_to_be_checked, 100),)


# Over


def _start(stage: Stage) -> datetime:
    """Somewhen in a week, several at a time, so that the engine looks at them together."""
    return stage.curtain - LONG_AGO + stage.rng.choice(STARTS)


def _confirmed(stage: Stage) -> Life:
    at = _start(stage)
    yield from _begins(stage, at, file=stage.rng.random() < 0.15)
    yield from _talk(stage, at + HOUR, at + 6 * HOUR)
    yield at + 6 * HOUR
    stage.resolves()
    yield at + 20 * HOUR
    stage.confirms()


def _left_alone(stage: Stage) -> Life:
    """Resolved, and closed by the quiet."""
    at = _start(stage)
    yield from _begins(stage, at)
    yield from _talk(stage, at + HOUR, at + 7 * HOUR)
    yield at + 7 * HOUR
    stage.resolves()


def _waited(stage: Stage) -> Life:
    at = _start(stage)
    yield from _begins(stage, at)
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
    yield from _begins(stage, at)
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
    yield from _begins(stage, at, details=True)
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
    yield from _begins(stage, at)
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
    yield from _begins(stage, at, details=True)
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
    yield from _begins(stage, at, details=True)
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
