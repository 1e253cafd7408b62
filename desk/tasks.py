"""The bell that has the desk forget what it need not remember."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from desk.api import idempotency


@shared_task
def forget_requests() -> None:
    """Forget requests of the API that are too old to come again."""
    while idempotency.purge(now=timezone.now()) == idempotency.PURGED_AT_ONCE:
        pass
