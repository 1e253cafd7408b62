"""What becomes of a ticket: a life says when it goes on, and acts on its stage."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.scale.stage import Stage

Life = Generator[datetime, None, None]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plot:
    """A life, how many of a hundred of its sort live it, and how urgent it is."""

    tell: Callable[[Stage], Life]
    share: float
    #: Impact and urgency that it takes; any where there are none.
    levels: tuple[int, int] | None = None
    escalates: bool = False


def talk(stage: Stage, since: datetime, until: datetime) -> Life:
    """So many more rounds of question and answer, spread over this time."""
    gap = (until - since) / (2 * stage.rounds + 1)
    for number in range(stage.rounds):
        yield since + gap * (2 * number)
        stage.writes()
        yield since + gap * (2 * number + 1)
        stage.replies()


def begins(stage: Stage, at: datetime, **opening: bool) -> Life:
    """Opened, taken and answered after ten minutes."""
    yield at
    stage.opens(**opening)
    yield at + 10 * MINUTE
    stage.takes()
    stage.replies()
