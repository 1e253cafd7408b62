"""Search: whatever is said can be found, from the moment it is said."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="search-complete",
        promise=_("Every ticket can be found by the search."),
        counts=_("Tickets without an entry, and entries without a ticket."),
        severity=Severity.TODAY,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || coalesce(t.id, e.ticket_id), t.id FROM tickets_ticket t"
            " FULL JOIN tickets_searchentry e ON e.ticket_id = t.id"
            " WHERE t.id IS NULL OR e.ticket_id IS NULL"
        ),
    ),
    Check(
        name="search-true",
        promise=_("A ticket is found by what stands on it, and by nothing else."),
        counts=_("Tickets, some of them drawn anew each day, whose entry holds other words."),
        severity=Severity.TODAY,
        noun=Noun.TICKET,
        find=query(
            "SELECT 'HD-' || e.ticket_id, e.ticket_id FROM (SELECT ticket_id"
            " FROM tickets_searchentry ORDER BY hashint8extended(ticket_id, %(seed)s)"
            " LIMIT %(sample)s) AS drawn JOIN tickets_searchentry e USING (ticket_id)"
            " CROSS JOIN LATERAL (SELECT tickets_search_talk(e.ticket_id) AS words OFFSET 0) AS said"
            " WHERE e.touched_at <> tickets_search_touched(e.ticket_id)"
            " OR strip(e.doc) <> strip(tickets_search_head(e.ticket_id)"
            " || to_tsvector('pg_catalog.simple', left(said.words, 200000)))"
        ),
    ),
)
