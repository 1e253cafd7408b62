"""The mail worker's bell."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications import delivery
from notifications.ring import silence


@shared_task
def send_due() -> None:
    """Send the letters that are due; rung after a commit, and by beat."""
    silence(settings.HELPDESK_MAIL_TASK)
    delivery.send_due(clock=timezone.now, lease=timedelta(seconds=settings.HELPDESK_MAIL_LEASE))
