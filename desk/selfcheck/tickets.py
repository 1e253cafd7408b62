"""Tickets: what they are now is what their timeline says became of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="ticket-status",
        promise=_("A ticket's status is the one it came into last, by its timeline."),
        counts=_("Tickets, of the newest, with another status."),
        severity=Severity.TODAY,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || t.id, t.id FROM tickets_ticket t LEFT JOIN LATERAL"
            " (SELECT v.data->>'to' AS status FROM tickets_event v WHERE v.ticket_id = t.id"
            " AND v.kind = 'status_changed' ORDER BY v.id DESC LIMIT 1) AS last ON true"
            " WHERE t.id > (SELECT max(id) FROM tickets_ticket) - %(newest)s"
            " AND t.status <> coalesce(last.status, 'new') ORDER BY t.id"
        ),
    ),
)
