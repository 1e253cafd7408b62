"""Letters: sent once, or shown as uncertain; and none about what is over."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="letter-due",
        promise=_("A letter that is due goes out, or is tried again."),
        counts=_(
            "Letters that have been due for five minutes and that no worker has taken, though the"
            " outbox is not paused."
        ),
        severity=Severity.NOW,
        noun=Noun.LETTER,
        find=query(
            "SELECT id, about"
            " FROM notifications_outgoingemail"
            " WHERE next_attempt_at < %(late)s - interval '5 minutes' AND NOT EXISTS"
            " (SELECT 1 FROM notifications_outboxpause WHERE ended_at IS NULL"
            " OR ended_at > %(late)s - interval '5 minutes') ORDER BY next_attempt_at"
        ),
    ),
    Check(
        name="letter-leased",
        promise=_("No letter stays with a worker that is gone."),
        counts=_("Letters that are being sent, though their worker's time was over minutes ago."),
        severity=Severity.NOW,
        noun=Noun.LETTER,
        find=query(
            "SELECT id, about"
            " FROM notifications_outgoingemail WHERE state = 'sending'"
            " AND lease_until < %(late)s - interval '2 minutes' ORDER BY lease_until"
        ),
    ),
    Check(
        name="letter-once",
        promise=_("Each letter stands once, under one Message-ID of its own."),
        counts=_("Keys and Message-IDs under which more than one letter stands."),
        severity=Severity.NOW,
        noun=Noun.LETTER,
        find=query(
            "SELECT dedupe_key, NULL::text FROM notifications_outgoingemail"
            " GROUP BY dedupe_key HAVING count(*) > 1"
            " UNION ALL SELECT message_id, NULL::text FROM notifications_outgoingemail"
            " GROUP BY message_id HAVING count(*) > 1"
        ),
    ),
    Check(
        name="letter-repeated",
        promise=_(
            "A letter of which nobody knows whether it went out is sent once more, and no more, and"
            " is shown as uncertain."
        ),
        counts=_("Letters repeated more than once by themselves, or uncertain without a cause."),
        severity=Severity.TODAY,
        noun=Noun.LETTER,
        find=query(
            "SELECT id, about"
            " FROM notifications_outgoingemail m WHERE (leases_lost > 2 OR (state = 'uncertain'"
            " AND (leases_lost = 0 OR (leases_lost > 1 AND next_attempt_at IS NOT NULL))))"
            # What a restored backup left in doubt, a person may let go again.
            " AND NOT EXISTS (SELECT 1 FROM notifications_outboxpause p WHERE p.last_letter >= m.id)"
            " ORDER BY id"
        ),
    ),
    Check(
        name="letter-failed",
        promise=_("That a letter has failed is noted, so that its ticket and a lead are told."),
        counts=_("Letters that failed and of which no delivery event says so."),
        severity=Severity.NOW,
        noun=Noun.LETTER,
        find=query(
            "SELECT m.id, m.about FROM notifications_outgoingemail m WHERE m.state = 'failed'"
            " AND NOT EXISTS (SELECT 1 FROM notifications_deliveryevent e"
            " WHERE e.event_key = 'smtp:' || m.id || ':failed') ORDER BY m.id"
        ),
    ),
    Check(
        name="letter-merged",
        promise=_("What merged into a later letter goes out with it."),
        counts=_("Letters that merged into one which is withdrawn."),
        severity=Severity.NOW,
        noun=Noun.LETTER,
        find=query(
            "SELECT m.id, m.about"
            " FROM notifications_outgoingemail m"
            " JOIN notifications_outgoingemail goes ON goes.id = m.merged_into_id"
            " WHERE goes.state = 'withdrawn' ORDER BY m.id"
        ),
    ),
    Check(
        name="letter-recalled",
        promise=_(
            "Once an offer is answered, nobody is asked or reminded any more by a letter about it."
        ),
        counts=_(
            "Letters of offers, reminders and steps that were begun, or still wait, more than a"
            " minute after the answer."
        ),
        severity=Severity.TODAY,
        noun=Noun.LETTER,
        find=query(
            "SELECT m.id, e.ticket_id FROM escalation_handoff h"
            " JOIN escalation_escalation e ON e.id = h.escalation_id"
            " JOIN escalation_clock c ON c.handoff_id = h.id AND c.ended_at < %(now)s - %(race)s"
            " JOIN notifications_outgoingemail m ON m.about = 'ticket:' || e.ticket_id"
            " AND m.kind IN ('staff_offer', 'staff_reminder', 'staff_escalation_path')"
            " AND starts_with(m.dedupe_key, 'notice:HD-' || e.ticket_id || ':' || e.kind || ':'"
            " || e.number || ':' || h.number || ':')"
            " AND (m.next_attempt_at IS NOT NULL OR m.begun_at > c.ended_at + %(race)s)"
            " WHERE h.id > (SELECT max(id) FROM escalation_handoff) - %(newest)s / 10 ORDER BY m.id"
        ),
    ),
    Check(
        name="letter-closed",
        promise=_("Once a ticket is resolved or closed, nobody is warned of its times by letter."),
        counts=_(
            "Warnings queued before, and begun, or still waiting, more than a minute after it ended."
        ),
        severity=Severity.TODAY,
        noun=Noun.LETTER,
        find=query(
            "SELECT m.id, t.id FROM notifications_outgoingemail m"
            " JOIN tickets_ticket t ON m.about = 'ticket:' || t.id"
            " AND t.status IN ('resolved', 'closed') AND t.resolved_at < %(now)s - %(race)s"
            " WHERE m.kind IN ('staff_promise_warning', 'staff_clock_warned')"
            " AND m.queued_at < t.resolved_at"
            " AND (m.next_attempt_at IS NOT NULL OR m.begun_at > t.resolved_at + %(race)s)"
            " AND m.id > (SELECT max(id) FROM notifications_outgoingemail) - %(newest)s"
            " ORDER BY m.id"
        ),
    ),
    Check(
        name="receipt-taken",
        promise=_("What became of a letter comes back to its ticket."),
        counts=_("News of letters, more than an hour old, that no ticket has been told of."),
        severity=Severity.TODAY,
        noun=Noun.RECEIPT,
        find=query(
            "SELECT id, about"
            " FROM notifications_deliveryevent"
            " WHERE taken_at IS NULL AND at < %(late)s - interval '1 hour' ORDER BY id"
        ),
    ),
)
