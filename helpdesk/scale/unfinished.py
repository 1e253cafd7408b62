"""The lives of tickets that are open at the curtain, in every state a ticket can be in."""

from __future__ import annotations

from datetime import timedelta

from escalation.models.escalation import Kind
from helpdesk.scale.lives import HOUR, MINUTE, Life, Plot, begins, talk
from helpdesk.scale.stage import Stage
from tickets.models.ticket import Status


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
    yield from begins(stage, at)
    yield from talk(stage, at + HOUR, at + 11 * HOUR)
    yield at + 12 * HOUR
    stage.notes()


def _answered_again(stage: Stage) -> Life:
    """The customer wrote last."""
    yield from begins(stage, stage.ago(hours=7))
    yield from talk(stage, stage.ago(hours=6), stage.ago(hours=1))
    yield stage.ago(minutes=25)
    stage.writes()


def _waiting(stage: Stage) -> Life:
    at = stage.ago(days=stage.rng.choice((2, 6, 13, 20)))
    yield from begins(stage, at)
    yield from talk(stage, at + 20 * MINUTE, at + 19 * HOUR)
    yield at + 20 * HOUR
    stage.replies(Status.WAITING)


def _long_conversation(stage: Stage) -> Life:
    """Thirty messages, by which pages are measured."""
    stage.rounds = 14
    at = stage.ago(days=3)
    yield from begins(stage, at, details=True, file=True)
    yield from talk(stage, at + 20 * MINUTE, at + 6 * HOUR)
    yield at + 6 * HOUR
    stage.replies(Status.WAITING)


def _on_hold(stage: Stage) -> Life:
    at = stage.ago(days=9)
    yield from begins(stage, at)
    yield from talk(stage, at + HOUR, at + 3 * HOUR)
    yield at + 3 * HOUR
    stage.notes()
    stage.becomes(Status.ON_HOLD)


def _snoozed(stage: Stage) -> Life:
    at = stage.ago(days=2)
    yield from begins(stage, at)
    yield at + HOUR
    stage.replies(Status.WAITING)
    stage.snoozes(until=stage.curtain + timedelta(days=3))


def _offered(stage: Stage) -> Life:
    yield from begins(stage, stage.ago(hours=3), details=True)
    yield stage.ago(minutes=1)
    stage.escalates()


def _accepted(stage: Stage) -> Life:
    yield from begins(stage, stage.ago(hours=8), details=True)
    yield stage.ago(hours=6)
    stage.escalates()
    yield stage.ago(hours=5)
    stage.accepts()
    yield stage.ago(hours=2)
    stage.replies()


def _promised_anew(stage: Stage) -> Life:
    """The time the customer was told is over; they were told another."""
    yield from begins(stage, stage.ago(hours=30), details=True)
    yield stage.ago(hours=29)
    stage.escalates()
    yield stage.ago(hours=28, minutes=30)
    stage.accepts()
    yield stage.ago(hours=3)
    stage.says_when(due=stage.curtain + 9 * HOUR)


def _came_back(stage: Stage) -> Life:
    yield from begins(stage, stage.ago(hours=9))
    yield stage.ago(hours=8)
    stage.escalates()
    yield stage.ago(hours=7)
    stage.declines()


def _waits_while_escalated(stage: Stage) -> Life:
    yield from begins(stage, stage.ago(hours=30), details=True)
    yield stage.ago(hours=29)
    stage.escalates()
    yield stage.ago(hours=28, minutes=30)
    stage.accepts()
    yield stage.ago(hours=28)
    stage.replies(Status.WAITING)


def _asked_for_more(stage: Stage) -> Life:
    """A hierarchical escalation, where the policy grants what the customer asks for."""
    yield from begins(stage, stage.ago(hours=12))
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
    yield from begins(stage, at)
    yield from talk(stage, at + HOUR, at + 20 * HOUR)
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


def waits_too_long(stage: Stage) -> Life:
    """A P1 that nobody has answered for a quarter of an hour, and nobody has looked at since."""
    yield stage.ago(minutes=20)
    stage.opens(details=True)
    stage.takes()


DUE = (Plot(waits_too_long, 100, (1, 1)),)
