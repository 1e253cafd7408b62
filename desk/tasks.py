"""The bells that have the desk forget what it need not remember, and check itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from desk.api import idempotency
from desk.selfcheck import keeping
from escalation.tasks import database_clock


@shared_task
def forget_requests() -> None:
    """Forget requests of the API that are too old to come again."""
    while idempotency.purge(now=timezone.now()) == idempotency.PURGED_AT_ONCE:
        pass


@shared_task
def check() -> None:
    """Make the self-check that was asked for, or whose day has come; rung by beat, and by a page."""
    keeping.make_due(clock=database_clock)
