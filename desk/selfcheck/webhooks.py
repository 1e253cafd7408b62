"""Webhooks: what programs are to be told waits in rows, and is told."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="webhook-told",
        promise=_("What a webhook is to be told is sent, or tried again, while it is on."),
        counts=_(
            "Webhooks with a message that has been due for a quarter of an hour, in which nothing was"
            " tried; and those that are off and have messages waiting."
        ),
        severity=Severity.TODAY,
        noun=Noun.WEBHOOK,
        find=query(
            "SELECT w.id, NULL::bigint FROM notifications_webhook w JOIN LATERAL"
            " (SELECT min(next_at) AS due_at FROM notifications_webhookdelivery d"
            " WHERE d.webhook_id = w.id AND d.next_at IS NOT NULL) AS oldest ON true"
            " WHERE (NOT w.is_active AND oldest.due_at IS NOT NULL)"
            " OR (oldest.due_at < %(late)s - interval '15 minutes' AND NOT EXISTS"
            " (SELECT 1 FROM notifications_outboxpause WHERE ended_at IS NULL"
            " OR ended_at > %(late)s - interval '15 minutes') AND NOT EXISTS"
            " (SELECT 1 FROM notifications_webhookdelivery d"
            " JOIN notifications_webhookattempt a ON a.delivery_id = d.id"
            " WHERE d.webhook_id = w.id AND a.at > oldest.due_at)) ORDER BY w.id"
        ),
    ),
    Check(
        name="webhook-leased",
        promise=_("No message to a webhook stays with a worker that is gone."),
        counts=_("Messages that are being sent, though their worker's time was over minutes ago."),
        severity=Severity.TODAY,
        noun=Noun.DELIVERY,
        find=query(
            "SELECT id, about FROM notifications_webhookdelivery WHERE state = 'sending'"
            " AND lease_until < %(late)s - interval '2 minutes' ORDER BY id"
        ),
    ),
)
