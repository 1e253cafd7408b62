"""Loading: copies what is cast into the tables, with foreign keys and indexes made anew afterwards.

Checking each of millions of rows by itself takes most of the time; checked together they take
seconds. All of it is one transaction: either every ticket stands, with every constraint in force, or
none does.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from helpdesk.scale import finding
from helpdesk.scale.casting import FOUND, Chunk
from helpdesk.scale.rehearsal import Table
from helpdesk.scale.words import Text

AHEAD = 3
"""Chunks that are cast while one is copied."""

Say = Callable[[str], None]


def next_ids(tables: Sequence[Table]) -> dict[str, int]:
    """What each table's next row is called."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}")  # noqa: S608
            found[table.name] = int(cursor.fetchone()[0])
    return found


def copy(
    *,
    tables: Sequence[Table],
    texts: Sequence[Text],
    chunks: Iterable[Chunk],
    ids: dict[str, int],
    say: Say,
) -> dict[str, int]:
    """Copy all chunks; tells how many rows each table got. ``ids`` are the next ones afterwards."""
    before = dict(ids)
    columns: dict[str, str] = {
        table.name: ", ".join(f'"{each}"' for each in table.columns) for table in tables
    }
    names = [table.name for table in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")
        beside = [finding.TABLE] if _exists(cursor, finding.TABLE) else []
        with _bare(cursor, beside, say):
            with _bare(cursor, names, say):
                # What stands in a new file from the start, nobody has to look at again: no vacuum.
                fresh = _emptied(cursor, [*names, *beside])
                findable = finding.prepare(cursor, texts)
                done = 0
                for chunk in _ahead(chunks):
                    found = chunk.lines.pop(FOUND)
                    if findable:
                        finding.take(cursor, found)
                    for name, lines in chunk.lines.items():
                        cursor.copy_expert(
                            f"COPY {name} ({columns[name]}) FROM STDIN (FREEZE {name in fresh})",
                            io.BytesIO(lines),
                            1 << 20,
                        )
                    done += chunk.tickets
                    if done % 20_000 < chunk.tickets:
                        say(f"{done} tickets copied")
            if findable:
                cursor.execute(f"ANALYZE {', '.join(finding.READ)}")
                finding.index(cursor, say)
        for name in names:
            if ids[name] > before[name]:
                cursor.execute(f"ALTER TABLE {name} ALTER COLUMN id RESTART WITH {ids[name]}")
    return {name: ids[name] - before[name] for name in names if ids[name] > before[name]}


def tidy(names: Sequence[str]) -> None:
    """What autovacuum would do in the next hour, now."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(names)}")


def _ahead(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Cast the next ones while the database is busy with one."""
    queue: Queue[Chunk | BaseException | None] = Queue(AHEAD)

    def cast() -> None:
        try:
            for chunk in chunks:
                queue.put(chunk)
        except BaseException as error:  # it is raised again where it is waited for
            queue.put(error)
        else:
            queue.put(None)

    thread = threading.Thread(target=cast, daemon=True)
    thread.start()
    while (got := queue.get()) is not None:
        if isinstance(got, BaseException):
            raise got
        yield got


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that is taken off a table, and how it is put on again."""

    off: str
    on: str


@contextmanager
def _bare(cursor: CursorWrapper, names: Sequence[str], say: Say) -> Iterator[None]:
    """Without triggers, foreign keys and indexes; with all of them again afterwards."""
    for name in names:
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    parts = [*_foreign_keys(cursor, names), *_indexes(cursor, names)]
    for part in parts:
        cursor.execute(part.off)
    yield
    for number, part in enumerate(reversed(parts)):
        cursor.execute(part.on)
        if number % 40 == 39:
            say(f"{number + 1} of {len(parts)} indexes and foreign keys made")
    for name in names:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _foreign_keys(cursor: CursorWrapper, names: Sequence[str]) -> list[_Part]:
    cursor.execute(
        "SELECT conrelid::regclass, quote_ident(conname), pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY (%s::regclass[]) ORDER BY oid",
        [list(names)],
    )
    return [
        _Part(
            off=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
            on=f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}",
        )
        for table, name, definition in cursor.fetchall()
    ]


def _indexes(cursor: CursorWrapper, names: Sequence[str]) -> list[_Part]:
    """Those of tables that are still small; the primary keys stay."""
    cursor.execute(
        "SELECT i.indexrelid::regclass, pg_get_indexdef(i.indexrelid),"
        " i.indrelid::regclass, quote_ident(c.conname), pg_get_constraintdef(c.oid)"
        " FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid"
        "   AND c.contype = 'u'"
        " WHERE i.indrelid = ANY (%s::regclass[]) AND NOT i.indisprimary"
        "   AND pg_relation_size(i.indrelid) < 256 * 1024 * 1024 ORDER BY i.indexrelid",
        [list(names)],
    )
    return [
        _Part(
            off=f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",
            on=f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}",
        )
        if constraint
        else _Part(off=f"DROP INDEX {index}", on=made)
        for index, made, table, constraint, definition in cursor.fetchall()
    ]


def _emptied(cursor: CursorWrapper, names: Sequence[str]) -> frozenset[str]:
    """The tables that are empty, emptied by this transaction; none where others would be, too."""
    # Postgres refuses where a table that stays refers to one of these, were it empty or not.
    cursor.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid = ANY (%s::regclass[]) AND NOT conrelid = ANY (%s::regclass[]))",
        [list(names), list(names)],
    )
    if cursor.fetchone()[0]:
        return frozenset()
    empty = []
    for name in names:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name})")  # noqa: S608
        if not cursor.fetchone()[0]:
            empty.append(name)
    if empty:
        cursor.execute(f"TRUNCATE {', '.join(empty)}")
    return frozenset(empty)


def _exists(cursor: CursorWrapper, name: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    return bool(cursor.fetchone()[0])


def beside() -> list[str]:
    """Tables that grew without being copied into."""
    with connection.cursor() as cursor:
        names = (finding.TABLE, "tickets_contact", "tickets_organization")
        return [name for name in names if _exists(cursor, name)]
