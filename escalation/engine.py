"""One turn of the engine: news from below, then what is due, then what may be looked at again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from escalation import relooking, review
from notifications import closingtime, ring
from tickets import deliveries
from tickets.models import Ticket


def turn(*, clock: Callable[[], datetime], chunk: int = relooking.CHUNK) -> int:
    """Do everything there is to do by ``clock``; returns how many due tickets were reviewed.

    What is due goes before every step of a walk over tickets that are only looked at again. A
    turn that takes too long leaves the rest to the next one, and rings for it.
    """
    began = clock()
    deliveries.take_in(now=began)
    looked = review.sweep(clock=clock)
    relooking.notice_calendars(now=clock())
    while relooking.step(now=clock(), chunk=chunk):
        if clock() - began > review.SLICE or closingtime.said():
            ring.ring(settings.HELPDESK_REVIEW_TASK, "engine")
            break
        if Ticket.objects.due_for_review(clock()).exists():
            looked += review.sweep(clock=clock)
    return looked
