"""What the database knows beyond readiness, for ``/metrics``.

Bounded like ``figures``: every count stops somewhere, and how many tickets there are in all is
estimated by what PostgreSQL keeps for its planner. All that is counted is one statement: as many as
there are counts would take twice as long, most of it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from helpdesk.health.figures import MOST, short_of_patience
from tickets.models import Ticket
from tickets.models.ticket import ENDED, Status

#: Up to so many unfinished tickets are counted: a few milliseconds on an index alone.
COUNTED_TICKETS = 20_000
#: Open escalations, the oldest first, of which it is looked up which tier they are with.
COUNTED_ESCALATIONS = 2_000


def _of_each_webhook(state: str) -> str:
    """Messages in a state: every index on it begins with the webhook."""
    return (
        "notifications_webhook hook CROSS JOIN LATERAL"
        " (SELECT FROM notifications_webhookdelivery"
        f" WHERE webhook_id = hook.id AND state = '{state}' LIMIT {MOST}) message"
    )


#: By metric and the value of its label, the rows that are counted. Each has an index of its own.
COUNTED: Mapping[tuple[str, str], str] = {
    ("letters", "waiting"): "notifications_outgoingemail WHERE next_attempt_at < '9999-01-01'",
    ("letters", "withheld"): "notifications_outgoingemail WHERE next_attempt_at >= '9999-01-01'",
    ("letters", "sending"): "notifications_outgoingemail WHERE state = 'sending'",
    ("letters", "uncertain"): "notifications_outgoingemail"
    " WHERE state = 'uncertain' AND next_attempt_at IS NULL",
    ("letters", "failed"): "notifications_outgoingemail WHERE state = 'failed'",
    ("mail_in", "stored"): "tickets_inboundemail WHERE outcome = 'stored'",
    ("mail_in", "suspended"): "tickets_inboundemail WHERE outcome = 'suspended'",
    ("mail_in", "quarantined"): "tickets_inboundemail WHERE outcome = 'quarantined'",
    ("webhook_messages", "waiting"): "notifications_webhookdelivery WHERE next_at IS NOT NULL",
    ("webhook_messages", "sending"): _of_each_webhook("sending"),
    ("webhook_messages", "failed"): _of_each_webhook("failed"),
    ("webhooks", "active"): "notifications_webhook WHERE is_active AND failing_since IS NULL",
    ("webhooks", "failing"): "notifications_webhook WHERE is_active AND failing_since IS NOT NULL",
    ("webhooks", "off"): "notifications_webhook WHERE NOT is_active",
    ("escalations_open", ""): "escalation_escalation"
    " WHERE state IN ('offered', 'accepted', 'returned')",
    ("offers", ""): "escalation_handoff WHERE outcome = 'pending'",
    ("offers_overdue", ""): "escalation_handoff WHERE outcome = 'pending' AND accept_by < now()",
    ("promises", "open"): "escalation_promise WHERE state = 'open'",
    # Of those that live, which the index knows: what is looked through is bounded as well.
    ("promises", "suspended"): "(SELECT state FROM escalation_promise"
    f" WHERE state IN ('open', 'suspended') LIMIT {MOST}) live WHERE state = 'suspended'",
    ("promises_overdue", ""): "escalation_promise WHERE state = 'open' AND due_at < now()",
    ("relooks", ""): "escalation_relook WHERE done_at IS NULL",
}
#: By metric, a value of its own.
_SINGLE: Mapping[str, str] = {
    "offers_oldest": "SELECT min(accept_by) FROM (SELECT accept_by FROM escalation_handoff"
    f" WHERE outcome = 'pending' LIMIT {MOST}) pending",
    "mail_in_oldest": "SELECT min(received_at) FROM tickets_inboundemail WHERE outcome = 'stored'",
    "relook_tickets": "SELECT coalesce(sum(last_id - cursor), 0) FROM escalation_relook"
    " WHERE done_at IS NULL",
    "edition": "SELECT token::text FROM staff_edition",
}
_EVERYTHING = "SELECT clock_timestamp(), " + ", ".join(
    [
        *(
            f"(SELECT count(*) FROM (SELECT FROM {rows} LIMIT {MOST}) counted)"
            for rows in COUNTED.values()
        ),
        *(f"({each})" for each in _SINGLE.values()),
    ]
)
_ESCALATIONS = f"""
SELECT found.state, staff_tier.number, count(*)
FROM (
    SELECT escalation.state, (
        SELECT handoff.to_team_id FROM escalation_handoff handoff
        WHERE handoff.escalation_id = escalation.id ORDER BY handoff.number DESC LIMIT 1
    ) AS team_id
    FROM escalation_escalation escalation
    WHERE escalation.state IN ('offered', 'accepted', 'returned')
    ORDER BY escalation.opened_at, escalation.id LIMIT {COUNTED_ESCALATIONS}
) found
LEFT JOIN staff_team ON staff_team.id = found.team_id
LEFT JOIN staff_tier ON staff_tier.id = staff_team.tier_id
GROUP BY found.state, staff_tier.number
ORDER BY found.state, staff_tier.number
"""
#: Rows of the table and of the index of unfinished tickets, and how the statuses are spread.
_STATISTICS = """
SELECT tickets.reltuples, unfinished.reltuples,
       spread.most_common_vals::text::text[], spread.most_common_freqs
FROM pg_class unfinished, pg_class tickets
LEFT JOIN pg_stats spread
    ON spread.schemaname = current_schema()
    AND spread.tablename = 'tickets_ticket' AND spread.attname = 'status'
WHERE tickets.oid = 'tickets_ticket'::regclass AND unfinished.oid = 'ticket_open_by_due'::regclass
"""
_SERVER = """
SELECT numbackends, xact_commit, xact_rollback, deadlocks, blks_read, blks_hit,
       pg_database_size(datid)
FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Tickets:
    """By status; ``estimated`` says whether the unfinished ones are, as the others always are."""

    by_status: Mapping[str, float]
    estimated: bool


@dataclass(frozen=True, slots=True)
class Server:
    """What PostgreSQL counts of our database since its statistics began."""

    connections: int
    commits: int
    rollbacks: int
    deadlocks: int
    blocks_read: int
    blocks_hit: int
    size: int


@dataclass(frozen=True, slots=True)
class Gauges:
    """Everything, at one moment of the database's."""

    now: datetime
    #: By metric and label, as in ``COUNTED``.
    counted: Mapping[tuple[str, str], int]
    #: By state and tier; no tier where nobody was asked yet.
    escalations: Mapping[tuple[str, int | None], int]
    #: The earliest time by which a hand-off that waits should have been accepted.
    offers_oldest: datetime | None
    #: When the oldest mail came that is stored and not read.
    mail_in_oldest: datetime | None
    relook_tickets: int
    #: The start of its token; see ``staff.editions``.
    edition: str
    tickets: Tickets
    server: Server


def read() -> Gauges:
    """Read every gauge. Raises ``django.db.Error``, also where migrations are missing."""
    with short_of_patience():
        [(now, *values)] = _rows(_EVERYTHING)
        single = dict(zip(_SINGLE, values[len(COUNTED) :], strict=True))
        return Gauges(
            now=now,
            counted=dict(zip(COUNTED, values, strict=False)),
            escalations={(state, tier): count for state, tier, count in _rows(_ESCALATIONS)},
            offers_oldest=single["offers_oldest"],
            mail_in_oldest=single["mail_in_oldest"],
            relook_tickets=int(single["relook_tickets"]),
            edition=(single["edition"] or "")[:8],
            tickets=_tickets(),
            server=Server(*_rows(_SERVER)[0]),
        )


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _tickets() -> Tickets:
    """How many tickets there are: counted where that is cheap, else as the planner sees them."""
    [(total, unfinished, statuses, shares)] = _rows(_STATISTICS)
    by_status = {
        status: round(share * total)
        for status, share in zip(statuses or (), shares or (), strict=True)
    }
    if unfinished > COUNTED_TICKETS:
        return Tickets(by_status, estimated=True)
    # Statistics may be old, or none yet; what is counted in their stead is bounded all the same.
    rows = Ticket.objects.unfinished().order_by().values("status")[: 2 * COUNTED_TICKETS]
    counted = rows.aggregate(
        **{
            status: Count("status", filter=Q(status=status))
            for status in Status.values
            if status not in ENDED
        }
    )
    return Tickets({**by_status, **counted}, estimated=False)
