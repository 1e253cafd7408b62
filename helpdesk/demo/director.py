"""The director: plays the stories in the order of time, with the engine running between.

What falls due between two acts — warnings, path steps, reminders, letters — happens at the
moment it falls due, as it would have in life: before every act the review and the mail
worker look, with the moment of the play as their clock. Letters are captured, never sent.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable
from datetime import datetime
from functools import partial

from django.db.models import Min

from escalation import review
from helpdesk.demo.stage import Stage
from notifications import delivery
from notifications.models import OutgoingEmail
from tickets.models import Ticket

Story = Generator[datetime, None, None]
"""Tells when it goes on, then acts on the stage."""

LOOKS_AT_ONE_MOMENT = 20
"""After so many looks without the time moving on, something is never done."""


class Stuck(RuntimeError):
    """The engine did not come to rest, or could not review a ticket."""


def play(*, stage: Stage, stories: Iterable[Callable[[Stage], Story]]) -> None:
    """Play stories up to the curtain; raises ``Stuck`` where the engine fails at one."""
    queue: list[tuple[datetime, int, Story]] = []
    for order, story in enumerate(stories):
        told = story(stage)
        heapq.heappush(queue, (next(told), order, told))
    while queue:
        at, order, told = heapq.heappop(queue)
        _run_engine(stage, until=at)
        stage.at = at
        if (following := next(told, None)) is not None:
            assert at <= following <= stage.curtain, "a story goes forward, up to the curtain"
            heapq.heappush(queue, (following, order, told))
    _run_engine(stage, until=stage.curtain)
    stage.at = stage.curtain
    if failed := Ticket.objects.exclude(review_error="").first():
        raise Stuck(f"{failed.reference} could not be reviewed: {failed.review_error}")


def _run_engine(stage: Stage, *, until: datetime) -> None:
    looks = 0
    while True:
        review_at, mail_at = _due()
        due = min((at for at in (review_at, mail_at) if at is not None), default=None)
        if due is None or due > until:
            return
        now = max(stage.at, due)
        looks = looks + 1 if now == stage.at else 0
        if looks > LOOKS_AT_ONE_MOMENT:
            raise Stuck(f"The engine does not come to rest at {now:%Y-%m-%d %H:%M:%S}.")
        stage.at = now
        clock = partial(_stopped_at, now)
        if review_at is not None and review_at <= now:
            review.sweep(clock=clock)
        else:
            delivery.send_due(clock=clock, capture=True)


def _due() -> tuple[datetime | None, datetime | None]:
    """When the review, and when the mail worker, has to look next."""
    return (
        Ticket.objects.aggregate(at=Min("review_at"))["at"],
        OutgoingEmail.objects.aggregate(at=Min("next_attempt_at"))["at"],
    )


def _stopped_at(moment: datetime) -> datetime:
    return moment
