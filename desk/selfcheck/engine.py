"""What the engine owes: nothing that is due is skipped, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import connection
from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Look, Noun, Row, Severity, query
from escalation import review
from escalation.cases import load
from escalation.models import Relook
from tickets.models import Ticket

BATCH = 100

_UNNOTICED = """
    SELECT EXISTS (
        SELECT 1 FROM staff_calendarversion v WHERE v.number > 1
            AND NOT EXISTS (SELECT 1 FROM escalation_relook r WHERE r.calendar_version_id = v.id))
"""
_SOME_TICKETS = """
    SELECT id FROM tickets_ticket
    WHERE status <> 'closed' AND review_error = ''
        AND (review_at IS NULL OR review_at > %(settled)s)
    ORDER BY hashint8extended(id, %(seed)s) LIMIT %(sample)s
"""


def _next_looks(look: Look) -> Iterator[Row]:
    """Tickets that a look would find owed something now, or something earlier than planned."""
    with connection.cursor() as cursor:
        cursor.execute(_UNNOTICED)
        [walk_to_come] = cursor.fetchone()
        if walk_to_come or Relook.objects.pending().exists():
            return  # a walk over all of them is just bringing that about
        cursor.execute(_SOME_TICKETS, look.parameters)
        ids = iter([pk for (pk,) in cursor.fetchall()])
    while part := list(islice(ids, BATCH)):
        tickets = list(
            Ticket.objects.filter(pk__in=part).select_related(
                "team__tier", "requester", "organization__plan", "category", "assignee"
            )
        )
        for pk in sorted(_otherwise(tickets, look)):
            yield Row(f"HD-{pk}", pk)


def _otherwise(tickets: Sequence[Ticket], look: Look) -> set[int]:
    planned = {ticket.pk: (ticket.review_at, ticket.sla_due_at) for ticket in tickets}
    ledger, to_close = review.work_out(cases=load(tickets=tickets, now=look.now), now=look.now)
    found = {
        ticket.pk
        for ticket in tickets
        if (ticket.review_at, ticket.sla_due_at) != planned[ticket.pk]
    }
    return found.union(ledger.touched(), to_close)


CHECKS = (
    Check(
        name="review-due",
        promise=_("No ticket waits for the engine longer than two of its intervals."),
        counts=_("Tickets whose next look has been due for longer."),
        severity=Severity.NOW,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || id, id FROM tickets_ticket WHERE review_at < %(late)s"
            " AND review_attempts = 0 ORDER BY review_at"
        ),
    ),
    Check(
        name="review-failed",
        promise=_("The engine can look at every ticket."),
        counts=_("Tickets at which its last look failed, and which it tries again ever later."),
        severity=Severity.NOW,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || id, id FROM tickets_ticket"
            " WHERE review_attempts > 0 OR review_error <> '' ORDER BY id"
        ),
    ),
    Check(
        name="next-look",
        promise=_("Whatever a ticket is owed, its next look comes in time for it."),
        counts=_(
            "Open and resolved tickets, some of them drawn anew each day, for which the engine would"
            " find something owed now or an earlier next look than is planned."
        ),
        severity=Severity.NOW,
        noun=Noun.TICKET,
        find=_next_looks,
    ),
    Check(
        name="relook-done",
        promise=_("A policy that was published, or hours that were changed, reach every ticket."),
        counts=_("Walks over the tickets that were begun more than an hour ago and are not done."),
        severity=Severity.TODAY,
        noun=Noun.RELOOK,
        find=query(
            "SELECT id, NULL FROM escalation_relook"
            " WHERE done_at IS NULL AND created_at < %(now)s - interval '1 hour' ORDER BY id"
        ),
    ),
    Check(
        name="follow-up-fired",
        promise=_("A reminder that is due is given."),
        counts=_("Follow-ups that are due, open, and have reminded nobody of it."),
        severity=Severity.NOW,
        noun=Noun.FOLLOW_UP,
        find=query(
            "SELECT id, ticket_id FROM tickets_followup WHERE due_at < %(late)s"
            " AND done_at IS NULL AND dropped_at IS NULL AND (fired_at IS NULL OR every <> '')"
            " ORDER BY due_at"
        ),
    ),
    Check(
        name="snooze-woken",
        promise=_("A snoozed ticket comes back in sight when its time has come."),
        counts=_("Snoozes that are over and still hide their ticket."),
        severity=Severity.TODAY,
        noun=Noun.SNOOZE,
        find=query(
            "SELECT id, ticket_id FROM tickets_snooze WHERE woken_at IS NULL AND until < %(late)s"
            " ORDER BY until"
        ),
    ),
    Check(
        name="notice-once",
        promise=_("Nobody is reminded of the same thing twice."),
        counts=_("Notices that stand twice under one key."),
        severity=Severity.TODAY,
        noun=Noun.NOTICE,
        find=query(
            "SELECT dedupe_key, NULL::bigint FROM notifications_notification"
            " GROUP BY dedupe_key HAVING count(*) > 1 ORDER BY dedupe_key"
        ),
    ),
)
