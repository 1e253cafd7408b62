"""Promises: the times customers were told are watched, and never pass unnoticed."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="promise-broken",
        promise=_("A promise whose time has passed is marked as broken, and people are told."),
        counts=_("Promises that are open though their time has passed."),
        severity=Severity.NOW,
        noun=Noun.PROMISE,
        find=query(
            "SELECT id, ticket_id FROM escalation_promise WHERE state = 'open' AND due_at < %(late)s"
            " ORDER BY due_at"
        ),
    ),
    Check(
        name="promise-watched",
        promise=_("The engine looks at a ticket before what was promised on it is due."),
        counts=_("Open promises whose ticket is looked at later, or never."),
        severity=Severity.NOW,
        noun=Noun.PROMISE,
        find=query(
            "SELECT p.id, p.ticket_id FROM escalation_promise p"
            " JOIN tickets_ticket t ON t.id = p.ticket_id WHERE p.state = 'open'"
            " AND (t.review_at IS NULL OR (t.review_at > p.due_at AND t.review_at > %(settled)s))"
            " ORDER BY p.due_at"
        ),
    ),
    Check(
        name="promise-letter",
        promise=_(
            "Every promise was told to the customer by a letter that has gone, or goes, out."
        ),
        counts=_("Promises that stand, without a letter or with one that was withdrawn."),
        severity=Severity.NOW,
        noun=Noun.PROMISE,
        find=query(
            "SELECT p.id, p.ticket_id FROM escalation_promise p"
            " LEFT JOIN notifications_outgoingemail m ON m.id = p.email_id"
            " LEFT JOIN notifications_outgoingemail goes ON goes.id = m.merged_into_id"
            " WHERE p.state IN ('open', 'suspended')"
            " AND (m.id IS NULL OR coalesce(goes.state, m.state) = 'withdrawn') ORDER BY p.id"
        ),
    ),
    Check(
        name="promise-told",
        promise=_("Every promise stands on its ticket's timeline, numbered without a gap."),
        counts=_("Promises without their event, or out of their order."),
        severity=Severity.TODAY,
        noun=Noun.PROMISE,
        find=query(
            "SELECT p.id, p.ticket_id FROM (SELECT *, row_number() OVER"
            " (PARTITION BY ticket_id ORDER BY number) AS place FROM escalation_promise) AS p"
            " WHERE p.id > (SELECT max(id) FROM escalation_promise) - %(newest)s / 10"
            " AND (p.number <> p.place OR NOT EXISTS (SELECT 1 FROM tickets_event v"
            " WHERE v.ticket_id = p.ticket_id AND v.kind IN ('promised', 'promise_restored')"
            " AND v.data->>'number' = p.number::text)) ORDER BY p.id"
        ),
    ),
    Check(
        name="promise-ended",
        promise=_("What is said to be kept was kept in time; what was replaced has a newer time."),
        counts=_("Promises whose end does not agree with their times."),
        severity=Severity.TODAY,
        noun=Noun.PROMISE,
        find=query(
            "SELECT p.id, p.ticket_id FROM escalation_promise p WHERE"
            " (p.state = 'kept' AND p.ended_at > p.due_at)"
            " OR (p.state = 'broken') <> (p.broken_at IS NOT NULL)"
            " OR (p.state IN ('open', 'suspended')) <> (p.ended_at IS NULL)"
            " OR (p.state = 'replaced' AND NOT EXISTS (SELECT 1 FROM escalation_promise later"
            " WHERE later.ticket_id = p.ticket_id AND later.number > p.number)) ORDER BY p.id"
        ),
    ),
    Check(
        name="promise-untold",
        promise=_(
            "When the letter with a promise bounced, somebody is to tell the customer otherwise."
        ),
        counts=_("Promises the customer does not know of, for which no follow-up was made."),
        severity=Severity.NOW,
        noun=Noun.PROMISE,
        find=query(
            "SELECT p.id, p.ticket_id FROM escalation_promise p"
            " JOIN tickets_ticket t ON t.id = p.ticket_id AND t.status <> 'closed'"
            " WHERE p.not_told_since IS NOT NULL AND p.state IN ('open', 'suspended', 'broken')"
            " AND (t.review_at IS NULL OR t.review_at > %(settled)s)"
            " AND NOT EXISTS (SELECT 1 FROM tickets_followup f WHERE f.ticket_id = p.ticket_id"
            " AND f.kind IN ('not_told', 'phone')) ORDER BY p.id"
        ),
    ),
)
