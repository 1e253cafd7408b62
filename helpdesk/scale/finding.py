"""What tickets are found by: said once for each text that can be said, and joined for each ticket.

Search's triggers do the same, message by message; here every text is in thousands of messages.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from django.db.backends.utils import CursorWrapper

from helpdesk.scale.words import Text

TABLE = "tickets_searchentry"
#: What a ticket is found by stands there.
READ = ("tickets_ticket", "tickets_message", "tickets_detail", "tickets_attachment")
STEP = 10_000


def prepare(cursor: CursorWrapper, texts: Sequence[Text]) -> bool:
    """Take apart everything that can be said; False where there is no search."""
    cursor.execute("SELECT to_regprocedure('tickets_search_head(bigint)')")
    if cursor.fetchone()[0] is None:
        return False
    cursor.execute(
        """
        CREATE TEMP TABLE scale_text (number integer PRIMARY KEY, text text) ON COMMIT DROP;
        CREATE TEMP TABLE scale_found (
            ticket_id bigint, touched_at timestamptz, said integer[]
        ) ON COMMIT DROP;
        CREATE AGGREGATE pg_temp.scale_joined (tsvector) (
            sfunc = tsvector_concat, stype = tsvector
        );
        """
    )
    lines = "".join(f"{text.number}\t{text.plain}\n" for text in texts)
    cursor.copy_expert("COPY scale_text FROM STDIN", io.BytesIO(lines.encode()))
    cursor.execute(
        """
        CREATE TEMP TABLE scale_said ON COMMIT DROP AS
        SELECT number, to_tsvector('pg_catalog.simple', words) AS talk, length(words) + 1 AS length
        FROM scale_text, tickets_search_words(text) AS words;
        ALTER TABLE scale_said ADD PRIMARY KEY (number);
        ANALYZE scale_said;
        """
    )
    return True


def take(cursor: CursorWrapper, lines: bytes) -> None:
    """Remember what was said on some tickets."""
    cursor.copy_expert("COPY scale_found FROM STDIN", io.BytesIO(lines), 1 << 20)


def index(cursor: CursorWrapper, say: Callable[[str], None]) -> None:
    """Write the entries of all of them."""
    cursor.execute("CREATE INDEX ON scale_found (ticket_id); ANALYZE scale_found")
    cursor.execute("SELECT min(ticket_id), max(ticket_id) FROM scale_found")
    first, last = cursor.fetchone()
    for start in range(first or 0, (last or -1) + 1, STEP):
        cursor.execute(
            """
            INSERT INTO tickets_searchentry (ticket_id, doc, length, touched_at)
            WITH said AS MATERIALIZED (
                SELECT f.ticket_id, f.touched_at, sum(t.length) AS length,
                    pg_temp.scale_joined(t.talk ORDER BY each.place) AS talk
                FROM scale_found f, unnest(f.said) WITH ORDINALITY AS each (number, place)
                JOIN scale_said t USING (number)
                WHERE f.ticket_id BETWEEN %s AND %s
                GROUP BY f.ticket_id, f.touched_at
            )
            SELECT ticket_id, tickets_search_head(ticket_id) || talk, length, touched_at
            FROM said ORDER BY ticket_id
            """,
            [start, start + STEP - 1],
        )
        say(f"{min(start + STEP - 1, last) - first + 1} tickets indexed for search")
