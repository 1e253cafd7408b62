"""Full text: which tickets the words of a search find, and which of them say it best.

The index is kept by the database (see ``tickets.models.search``); here is asked what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from psycopg2.errors import QueryCanceled

from tickets.models.ticket import TicketQuerySet

NEWEST = 1000
"""Of more matches than this, the newest are ranked: a word that common says little."""
PATIENCE = 4000
"""Milliseconds after which a search is given up."""

READ = 20_000
"""Characters of a message that are read for the line a search shows of it."""
SEARCHED = 60
"""Of a ticket's newest messages, so many are looked through for that line."""

_LEXEME = re.compile(r"'((?:[^']|'')+)'")
#: What a place weighs: what was said (D), details and files (C), the customer, reference and subject.
_WEIGHTS = "'{0.2, 0.4, 0.6, 1.0}'::real[]"
#: From 1, said just now, towards 0.3; half of the way down after ninety days.
_FRESH = (
    "(0.3 + 0.7 / (1 + greatest(0, extract(epoch FROM %s::timestamptz - e.touched_at))"
    " / 86400.0 / 90))"
)


class Term(Protocol):
    """A word of a search, or words that stand together; see ``desk.search.query``."""

    @property
    def text(self) -> str: ...
    @property
    def negated(self) -> bool: ...
    @property
    def exact(self) -> bool: ...
    @property
    def beginning(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of tickets, newest first; ``more`` says that there are others."""

    ids: list[int]
    more: bool


@dataclass(frozen=True, slots=True)
class Line:
    """What was said in a message, and by whom: ``customer``, ``reply`` or ``note``."""

    kind: str
    text: str


class TooBroad(Exception):
    """The search would have taken longer than anybody waits."""


@contextmanager
def bounded() -> Iterator[None]:
    """A transaction in which no search takes long, nor starts workers for what takes none.

    Raises ``TooBroad``.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                # What is asked for is in memory, or soon will be; but unpacking what stands in every
                # entry, whose cost the planner does not know, is never worth it.
                "SELECT set_config('max_parallel_workers_per_gather', '0', true),"
                " set_config('random_page_cost', '1.1', true),"
                " set_config('enable_seqscan', 'off', true),"
                " set_config('statement_timeout', %s, true)",
                [str(PATIENCE)],
            )
            yield
            # Whoever called within a transaction of theirs goes on with their own patience.
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooBroad from error
        raise


def newest(*, tickets: TicketQuerySet | None, terms: Sequence[Term], most: bool = False) -> Found:
    """The newest of these tickets that say all that is asked for and nothing that is not.

    ``None`` stands for every ticket. ``most`` says that they are most of all tickets: each match
    is then looked at from the newest on, until there are enough. One query.
    """
    asked, refused = _split(terms)
    source, order = "tickets_searchentry AS e", "e.touched_at DESC, e.ticket_id DESC"
    where: list[str] = []
    params: list[Any] = []
    if asked:
        # The index is asked first and for all, whatever the planner makes of words it has never
        # seen: reading entries from the newest on, until enough match, unpacks each of them.
        wanted = [_anywhere(term) for term in asked]
        wanted += [f"(!! {_anywhere(term)})" for term in refused]
        source = f"(SELECT * FROM hits AS e ORDER BY {order} OFFSET 0) AS e"  # noqa: S608
        params += [*_params(asked), *_params(refused)]
    elif refused:
        # Without a word to look up, the index would be read from end to end.
        where.append(f"NOT (e.doc @@ ({' || '.join(map(_anywhere, refused))}))")
        params += _params(refused)
    if tickets is not None:
        try:
            within, given = tickets.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            return Found([], more=False)
        if most:
            source += (
                f", LATERAL (SELECT 1 FROM ({within}) AS w (pk) WHERE w.pk = e.ticket_id OFFSET 0)"  # noqa: S608
                " AS among"
            )
            params = [*params, *given] if asked else [*given, *params]
        else:
            where.append(f"e.ticket_id IN ({within})")
            params += given
    hits = (
        "WITH hits AS MATERIALIZED (SELECT e.ticket_id, e.touched_at FROM tickets_searchentry AS e"  # noqa: S608
        f" WHERE e.doc @@ ({' && '.join(wanted)})) "
        if asked
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"{hits}SELECT e.ticket_id FROM {source} WHERE {' AND '.join(where) or 'true'}"  # noqa: S608
            f" ORDER BY {order} LIMIT {NEWEST + 1}",
            params,
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return Found(ids[:NEWEST], more=len(ids) > NEWEST)


def best(
    *, ids: Sequence[int], terms: Sequence[Term], now: datetime, first: int, last: int
) -> list[int]:
    """The numbers from place ``first`` to ``last`` of these: what says it best and latest first.

    One query; none without words, when the order stays as it is.
    """
    asked, _refused = _split(terms)
    if not asked or len(ids) < 2:
        return list(ids[first:last])
    # Any of the words, each for what it weighs: how far apart they stand says little.
    any_of = " || ".join(map(_query, asked))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.ticket_id FROM tickets_searchentry AS e"  # noqa: S608  # our own pieces
            " WHERE e.ticket_id = ANY (%s)"
            f" ORDER BY (ts_rank({_WEIGHTS}, e.doc, {any_of}) + 0.01) * {_FRESH} DESC,"
            " e.touched_at DESC, e.ticket_id DESC OFFSET %s LIMIT %s",
            [list(ids), *_params(asked), now, first, last - first],
        )
        return [pk for (pk,) in cursor.fetchall()]


def lexemes(terms: Sequence[Term]) -> list[list[str]]:
    """For each word that is asked for, the forms or parts it is looked up by. One query."""
    asked, _refused = _split(terms)
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN exact THEN phraseto_tsquery('pg_catalog.simple',"
            " tickets_search_words(asked)) ELSE tickets_search_query(asked, beginning) END::text"
            " FROM unnest(%s::text[], %s::boolean[], %s::boolean[])"
            " WITH ORDINALITY AS term (asked, beginning, exact, place) ORDER BY place",
            [
                [term.text for term in asked],
                [term.beginning for term in asked],
                [term.exact for term in asked],
            ],
        )
        return [_LEXEME.findall(query) for (query,) in cursor.fetchall()]


def telling(*, ids: Sequence[int], lexemes: Sequence[Sequence[str]]) -> dict[int, Line]:
    """Of each ticket the message that says most of the words, or else the newest. One query."""
    parts = [f"%{part}%" for alternatives in lexemes for part in _shortest(alternatives)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (m.ticket_id) m.ticket_id, m.kind, left(m.text, %s)"
            " FROM unnest(%s::bigint[]) AS t (id)"
            " JOIN LATERAL (SELECT * FROM tickets_message WHERE ticket_id = t.id"
            " ORDER BY created_at DESC, id DESC LIMIT %s) AS m ON true"
            " ORDER BY m.ticket_id, (SELECT count(*) FROM unnest(%s::text[]) AS part"
            " WHERE tickets_search_words(left(m.text, %s)) LIKE part) DESC,"
            " m.created_at DESC, m.id DESC",
            [READ, list(ids), SEARCHED, parts, READ],
        )
        return {pk: Line(kind, text) for pk, kind, text in cursor.fetchall()}


def _shortest(alternatives: Sequence[str]) -> list[str]:
    """The forms of a word begin alike, mostly; the parts of a phrase are looked for one by one."""
    return [
        word
        for word in alternatives
        if not any(word != other and word.startswith(other) for other in alternatives)
    ]


def _split(terms: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    return [t for t in terms if not t.negated], [t for t in terms if t.negated]


def _anywhere(term: Term) -> str:
    return f"tickets_search_anywhere({_query(term)})"


def _query(term: Term) -> str:
    if term.exact:
        return "phraseto_tsquery('pg_catalog.simple', tickets_search_words(%s))"
    return "tickets_search_query(%s, %s)"


def _params(terms: Sequence[Term]) -> list[Any]:
    return [
        value
        for term in terms
        for value in ([term.text] if term.exact else [term.text, term.beginning])
    ]
