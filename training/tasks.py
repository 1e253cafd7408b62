"""What time brings about in training, looked for every few minutes."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from training import enrolling, reminding, reviewdates


@shared_task
def keep_up() -> None:
    """Enrol who joined, who changed, and whose completion is about to expire; remind
    who is late, and of what grows stale."""
    now = timezone.now()
    enrolling.enrol_everywhere(now=now)
    reminding.remind(now=now)
    reviewdates.remind_of_stale(now=now)
