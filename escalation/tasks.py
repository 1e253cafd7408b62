"""The engine's bell."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.db import connection

from escalation import engine


@shared_task
def sweep() -> None:
    """A turn of the engine; rung by beat, and after a commit."""
    engine.turn(clock=database_clock)


def database_clock() -> datetime:
    """The database's own time: the one clock that all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [now] = cursor.fetchone()
    assert isinstance(now, datetime)
    return now
