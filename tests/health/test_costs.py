"""What a look costs the database: a fixed number of statements, each by an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from helpdesk.health import figures, gauges

LARGE = (
    "tickets_ticket",
    "tickets_inboundemail",
    "notifications_outgoingemail",
    "notifications_webhookdelivery",
    "escalation_escalation",
    "escalation_handoff",
    "escalation_promise",
)


def statements(look: Callable[[], object]) -> list[str]:
    """What a look asks on its own connection, once it has asked before."""
    made: list[Any] = []

    def listen(connection: Any, **_more: object) -> None:
        connection.force_debug_cursor = True
        made.append(connection)

    look()
    connection_created.connect(listen)
    try:
        look()
    finally:
        connection_created.disconnect(listen)
    [used] = made
    assert used.connection is None, "it is closed"
    said = [str(query["sql"]).strip() for query in used.queries_log]
    return [each for each in said if each.startswith(("SELECT", "SET"))]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("look", "count"),
    [(lambda: figures.look(clock=timezone.now), 10), (gauges.read, 6)],
    ids=["readiness", "gauges"],
)
def test_a_look_asks_a_fixed_number_of_statements_and_walks_through_no_large_table(
    look: Callable[[], object], count: int
) -> None:
    asked = statements(look)

    assert len(asked) == count, "\n".join(asked)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for statement in asked:
            if statement.startswith("SET"):
                continue
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for [line] in cursor.fetchall())
            for table in LARGE:
                assert f"Seq Scan on {table}" not in plan, f"{statement}\n{plan}"
        cursor.execute("RESET enable_seqscan")
