"""The bells of the mail worker and of the one that tells webhooks."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications import delivery, mailwatch, webhookdelivery
from notifications.ring import silence


@shared_task
def send_due() -> None:
    """Send the letters that are due; rung after a commit, and by beat."""
    silence(settings.HELPDESK_MAIL_TASK)
    delivery.send_due(clock=timezone.now, lease=timedelta(seconds=settings.HELPDESK_MAIL_LEASE))


@shared_task
def tell_webhooks() -> None:
    """Send the webhook messages that are due; rung after a commit, and by beat."""
    silence(settings.HELPDESK_WEBHOOK_TASK)
    mailwatch.look(now=timezone.now())
    webhookdelivery.send_due(clock=timezone.now)
    webhookdelivery.prune(now=timezone.now())
