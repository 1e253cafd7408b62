"""Escalations: whose they are, what they carry, and that what they did stands as it happened."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import SAMPLE, Check, Look, Noun, Row, Severity, query
from escalation import paths
from escalation.cases import load
from escalation.models import Handoff
from escalation.models.escalation import State
from tickets.models import Ticket

BATCH = 100
OFFERS = 10 * SAMPLE
"""Offers whose path is worked out, unless the check is deep: the oldest."""


def _missing_steps(look: Look) -> Iterator[Row]:
    """Offers of which a step of the path is due and has not been taken."""
    offers = (
        Handoff.objects.pending()
        .filter(escalation__ticket__review_attempts=0)
        .order_by("offered_at", "pk")
        .values_list("escalation__ticket", flat=True)
    )
    ids = iter(dict.fromkeys(offers if look.deep else offers[:OFFERS]))
    while part := list(islice(ids, BATCH)):
        tickets = list(
            Ticket.objects.filter(pk__in=part).select_related(
                "team__tier", "requester", "organization__plan", "category", "assignee"
            )
        )
        for case in load(tickets=tickets, now=look.now):
            for escalation in case.open_escalations:
                if escalation.state != State.OFFERED:
                    continue
                handoff = case.current(escalation)
                upcoming = paths.next_step(case=case, handoff=handoff)
                if upcoming is not None and upcoming[2] < look.late:
                    yield Row(str(handoff.pk), case.ticket.pk)


CHECKS = (
    Check(
        name="escalation-once",
        promise=_("A ticket has at most one open escalation of each kind."),
        counts=_("Tickets with more."),
        severity=Severity.NOW,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || ticket_id, ticket_id FROM escalation_escalation"
            " WHERE state IN ('offered', 'accepted', 'returned')"
            " GROUP BY ticket_id, kind HAVING count(*) > 1 ORDER BY ticket_id"
        ),
    ),
    Check(
        name="escalation-holds",
        promise=_(
            "A ticket cannot be resolved or closed while an escalation is open, and only then."
        ),
        counts=_("Tickets that are held without an open escalation, or have one and are not held."),
        severity=Severity.NOW,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || t.id, t.id FROM tickets_ticket t WHERE t.held AND NOT EXISTS"
            " (SELECT 1 FROM escalation_escalation e WHERE e.ticket_id = t.id"
            " AND e.state IN ('offered', 'accepted', 'returned'))"
            " UNION SELECT 'HD-' || t.id, t.id FROM escalation_escalation e"
            " JOIN tickets_ticket t ON t.id = e.ticket_id"
            " WHERE e.state IN ('offered', 'accepted', 'returned') AND NOT t.held"
        ),
    ),
    Check(
        name="escalation-stands",
        promise=_("An escalation is where its last hand-off is: offered, accepted, or come back."),
        counts=_("Escalations whose state and whose last hand-off say different things."),
        severity=Severity.NOW,
        noun=Noun.ESCALATION,
        find=query(
            "SELECT e.id, e.ticket_id FROM escalation_escalation e"
            " LEFT JOIN escalation_handoff h ON h.escalation_id = e.id AND h.number = e.hops"
            " WHERE h.id IS NULL"
            " OR (e.state = 'offered') <> (h.outcome = 'pending')"
            " OR (e.state = 'accepted' AND h.outcome <> 'accepted')"
            " OR (e.state = 'returned' AND h.outcome NOT IN ('declined', 'sent_back'))"
            " OR (e.state = 'accepted') <> (e.owner_id IS NOT NULL"
            " AND e.state IN ('offered', 'accepted', 'returned')) ORDER BY e.id"
        ),
    ),
    Check(
        name="escalation-told",
        promise=_("What became of an escalation stands on its ticket's timeline, in its order."),
        counts=_("Escalations whose last event says another state than they have."),
        severity=Severity.TODAY,
        noun=Noun.ESCALATION,
        find=query(
            "SELECT e.id, e.ticket_id FROM escalation_escalation e LEFT JOIN LATERAL ("
            " SELECT v.kind FROM tickets_event v WHERE v.ticket_id = e.ticket_id AND ("
            " (v.kind IN ('escalated', 'offered') AND v.data->>'kind' = e.kind"
            " AND v.data->>'number' = e.number::text)"
            " OR (v.kind IN ('accepted', 'declined', 'sent_back', 'escalation_resolved', 'withdrawn',"
            " 'de_escalated') AND v.data->>'escalation' = e.id::text))"
            " ORDER BY v.id DESC LIMIT 1) AS last ON true"
            " WHERE e.id > (SELECT max(id) FROM escalation_escalation) - %(newest)s / 10"
            " AND CASE last.kind WHEN 'escalated' THEN 'offered' WHEN 'declined' THEN 'returned'"
            " WHEN 'sent_back' THEN 'returned' WHEN 'escalation_resolved' THEN 'resolved'"
            " ELSE last.kind END IS DISTINCT FROM e.state ORDER BY e.id"
        ),
    ),
    Check(
        name="escalation-watched",
        promise=_("Every escalation gives its assignee a reminder to see how it is going."),
        counts=_("Open escalations for which no such follow-up was ever made."),
        severity=Severity.TODAY,
        noun=Noun.ESCALATION,
        find=query(
            "SELECT e.id, e.ticket_id FROM escalation_escalation e"
            " WHERE e.state IN ('offered', 'accepted', 'returned') AND NOT EXISTS"
            " (SELECT 1 FROM tickets_followup f WHERE f.key ="
            " 'HD-' || e.ticket_id || ':' || e.kind || ':' || e.number || ':progress') ORDER BY e.id"
        ),
    ),
    Check(
        name="handoff-complete",
        promise=_(
            "Every hand-off has its package, a time to accept it by, and a path that ends with a"
            " person; an escalation's hand-offs are numbered without a gap."
        ),
        counts=_("Hand-offs that lack any of it, or stand out of their order."),
        severity=Severity.NOW,
        noun=Noun.HANDOFF,
        find=query(
            "SELECT h.id, e.ticket_id FROM (SELECT *, row_number() OVER"
            " (PARTITION BY escalation_id ORDER BY number) AS place FROM escalation_handoff"
            " WHERE escalation_id > (SELECT max(id) FROM escalation_escalation) - %(newest)s / 10)"
            " AS h JOIN escalation_escalation e ON e.id = h.escalation_id"
            " WHERE h.package = '{}' OR h.path = '[]' OR h.accept_by < h.offered_at"
            " OR h.number <> h.place OR h.number > e.hops ORDER BY h.id"
        ),
    ),
    Check(
        name="handoff-clock",
        promise=_(
            "A clock runs for every offer until it is answered, to the time it is to be accepted by."
        ),
        counts=_(
            "Hand-offs without their clock, or with one that runs when it should not, or not when it should."
        ),
        severity=Severity.NOW,
        noun=Noun.HANDOFF,
        find=query(
            "SELECT h.id, e.ticket_id FROM escalation_handoff h"
            " JOIN escalation_escalation e ON e.id = h.escalation_id"
            " LEFT JOIN escalation_clock c ON c.handoff_id = h.id WHERE c.id IS NULL"
            " OR (h.outcome = 'pending') <> (c.state = 'running')"
            " OR (h.outcome = 'pending' AND c.due_at IS DISTINCT FROM h.accept_by) ORDER BY h.id"
        ),
    ),
    Check(
        name="handoff-reaches",
        promise=_("An offer reaches somebody."),
        counts=_("Offers of which nobody was told."),
        severity=Severity.NOW,
        noun=Noun.HANDOFF,
        find=query(
            "SELECT h.id, e.ticket_id FROM escalation_handoff h"
            " JOIN escalation_escalation e ON e.id = h.escalation_id"
            " WHERE h.outcome = 'pending' AND NOT EXISTS"
            " (SELECT 1 FROM notifications_notification n WHERE n.about = 'ticket:' || e.ticket_id"
            " AND starts_with(n.dedupe_key, 'HD-' || e.ticket_id || ':' || e.kind || ':' || e.number"
            " || ':' || h.number || ':offered')) ORDER BY h.id"
        ),
    ),
    Check(
        name="step-taken",
        promise=_("While nobody accepts, each step of the path is taken when it is due."),
        counts=_("Offers with a step that is due and was not taken."),
        severity=Severity.NOW,
        noun=Noun.HANDOFF,
        find=_missing_steps,
    ),
    Check(
        name="step-once",
        promise=_(
            "Each step of a path is taken once, in its turn, and none after the offer is answered."
        ),
        counts=_(
            "Hand-offs with a step twice, a gap, one that the path has not, or one taken later."
        ),
        severity=Severity.TODAY,
        noun=Noun.HANDOFF,
        find=query(
            "SELECT h.id, e.ticket_id FROM escalation_step s"
            " JOIN escalation_handoff h ON h.id = s.handoff_id"
            " JOIN escalation_escalation e ON e.id = h.escalation_id"
            " LEFT JOIN escalation_clock c ON c.handoff_id = h.id"
            " GROUP BY h.id, e.ticket_id"
            " HAVING count(*) <> max(s.number) OR count(DISTINCT s.number) <> count(*)"
            " OR max(s.number) > jsonb_array_length(h.path) OR min(s.fired_at) < h.offered_at"
            " OR max(s.fired_at) > max(c.ended_at) + %(race)s ORDER BY h.id"
        ),
    ),
)
