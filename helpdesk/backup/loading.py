"""The database of a restore: one transaction of psql, fed by pg_restore.

pg_restore alone could not do it: between its commit and a pause of the outbox, a worker would send.
So it writes its statements to a psql that has begun a transaction, and that is told to commit when
all has come; if anything ends before, the server rolls back.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Self

from django.db import connection

from helpdesk.backup import emptiness, manifest, tools

_READY = "helpdesk: everything has come"
_ENOUGH = 8
#: Lines of pg_restore's list that would make the schema, which is there.
_OF_SCHEMA = re.compile(r" SCHEMA - | - SCHEMA ")
#: Ids that were given out after the backup stand in letters that people have, and must not mean
#: something else: every sequence goes on after a gap of so many, or of a part of what there was.
GAP, SHARE = 1000, 20

_EMPTY = """
DO $$
DECLARE
    found text; each record;
BEGIN
    FOR each IN {tables} LOOP
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', each.relname);
    END LOOP;
    FOREACH found IN ARRAY ARRAY[{conditions}]::text[] LOOP
        EXECUTE found INTO each;
        IF each IS NOT NULL THEN
            RAISE EXCEPTION 'The installation is not empty any more: %', found;
        END IF;
    END LOOP;
    FOR each IN {tables} LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', each.relname);
    END LOOP;
    -- All names first: one that goes with another has none any more.
    FOREACH found IN ARRAY (
        SELECT coalesce(array_agg(p.oid::regprocedure::text), '{{}}') FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    ) LOOP
        EXECUTE 'DROP ROUTINE IF EXISTS ' || found || ' CASCADE';
    END LOOP;
END $$;
"""
_FINISH = """
SET search_path TO {schema};
SET client_min_messages = warning;
DO $$
DECLARE
    each record; counted bigint;
BEGIN
    FOR each IN
        SELECT * FROM (VALUES {counts}) AS said (name, rows)
    LOOP
        EXECUTE format('SELECT count(*) FROM %I', each.name) INTO counted;
        IF counted <> each.rows THEN
            RAISE EXCEPTION '% has % rows, and the backup had %', each.name, counted, each.rows;
        END IF;
    END LOOP;
    FOR each IN
        SELECT format('%I.%I', schemaname, sequencename) AS name, last_value AS last
        FROM pg_sequences
        WHERE schemaname = current_schema() AND last_value IS NOT NULL
          AND sequencename LIKE '%\\_id\\_seq' AND data_type = 'bigint'::regtype
    LOOP
        PERFORM setval(each.name::regclass, each.last + greatest({gap}, each.last / {share}));
    END LOOP;
END $$;
UPDATE staff_edition SET token = gen_random_uuid();
UPDATE notifications_outboxpause SET ended_at = now() WHERE ended_at IS NULL;
INSERT INTO notifications_outboxpause
    (began_at, cause, note, copied_at, last_letter, last_message)
SELECT now(), 'restore', '', :'made_at',
    (SELECT coalesce(max(id), 0) FROM notifications_outgoingemail),
    (SELECT coalesce(max(id), 0) FROM notifications_webhookdelivery);
-- A role that owns less than all is told so for each of the server's own tables.
SET client_min_messages = error;
ANALYZE;
\\warn {ready}
"""


class NotLoaded(Exception):
    """The database did not take the dump; the message says what it said. Nothing has changed."""


class MaybeLoaded(Exception):
    """The connection was lost at the very end: nobody knows whether it was committed."""


class Load:
    """A transaction that a dump is read into, part by part, and that ``commit`` ends well."""

    def __init__(self, client: tools.Tools, told: Mapping[str, Any]) -> None:
        self._client = client
        self._told = told
        self._restore: subprocess.Popen[bytes] | None = None
        self._committed = False

    def __enter__(self) -> Self:
        self._list = tempfile.NamedTemporaryFile("w", suffix=".list")
        self._said = tempfile.TemporaryFile()
        command, environment = tools.connected(
            self._client.program("psql"),
            *("--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null"),
            *("--set=ON_ERROR_STOP=1", f"--set=made_at={self._told['made_at']}"),
        )
        prologue = self._prologue()
        connection.close()
        self._psql = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._ear = _Ear(self._psql)
        self._write(prologue)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Before psql could read on, and only then its end of the pipe.
        for process in (self._psql, self._restore):
            if process is not None and process.poll() is None:
                process.kill()
        for process in (self._psql, self._restore):
            if process is not None:
                process.wait()
                for pipe in (process.stdin, process.stderr):
                    _close(pipe)
        self._list.close()
        self._said.close()

    def part(self, data: bytes) -> None:
        """Take the next part of the dump."""
        if self._restore is None:
            self._begin(data)
        assert self._restore is not None
        assert self._restore.stdin is not None
        try:
            self._restore.stdin.write(data)
        except BrokenPipeError:
            raise self._failure() from None

    def finish(self) -> None:
        """Have the database take all of it, and pause the outbox; nothing is committed yet."""
        if self._restore is None:
            raise NotLoaded("The archive has no dump of the database.")
        _close(self._restore.stdin)
        if self._restore.wait() != 0:
            raise self._failure()
        self._write(self._epilogue())
        if not self._ear.heard():
            raise self._failure()

    def commit(self) -> None:
        """Make it so. Raises ``MaybeLoaded`` where the server's answer was lost."""
        self._write("COMMIT;\n")
        _close(self._psql.stdin)
        if self._psql.wait() != 0:
            failure = self._failure()
            raise failure if "ERROR:" in str(failure) else MaybeLoaded(str(failure))

    def _begin(self, first: bytes) -> None:
        """Start pg_restore on what the first part says is in the dump, without the schema."""
        program = self._client.program("pg_restore")
        listed = subprocess.run(
            [program, "--list"], input=first, capture_output=True, env=tools.clean(), check=False
        )
        if listed.returncode:
            raise NotLoaded(f"pg_restore cannot read it: {listed.stderr.decode().strip()}")
        lines = listed.stdout.decode().splitlines(keepends=True)
        self._list.writelines(line for line in lines if not _OF_SCHEMA.search(line))
        self._list.flush()
        self._restore = subprocess.Popen(
            [
                *(program, "--file=-", "--no-owner", "--no-privileges", "--exit-on-error"),
                f"--use-list={self._list.name}",
            ],
            env=tools.clean(),
            stdin=subprocess.PIPE,
            stdout=self._psql.stdin,
            stderr=self._said,
        )

    def _prologue(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            [schema] = cursor.fetchone() or ("",)
            if schema != self._told["schema"]:
                raise NotLoaded(
                    f"Its tables are in the schema {self._told['schema']!r}, ours in {schema!r}."
                )
            cursor.execute(emptiness.TABLES)
            tables = [name for (name,) in cursor.fetchall()]
        conditions = ", ".join(_literal(each) for each in emptiness.conditions(iter(tables)))
        empty = _EMPTY.format(tables=emptiness.TABLES, conditions=conditions)
        return f"BEGIN;\nSET LOCAL client_min_messages = warning;\n{empty}"

    def _epilogue(self) -> str:
        counts = ", ".join(
            f"({_literal(manifest.COUNTED[word])}, {int(count)})"
            for word, count in self._told["counts"].items()
            if word in manifest.COUNTED
        )
        return _FINISH.format(
            schema=connection.ops.quote_name(self._told["schema"]),
            counts=counts,
            gap=GAP,
            share=SHARE,
            ready=_READY,
        )

    def _write(self, statements: str) -> None:
        assert self._psql.stdin is not None
        try:
            self._psql.stdin.write(statements.encode())
            self._psql.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _failure(self) -> NotLoaded:
        """What the programs said; psql, which speaks for the server, first."""
        self._psql.kill()
        self._psql.wait()
        if self._restore is not None:
            self._restore.kill()
            self._restore.wait()
        self._said.seek(0)
        restore = self._said.read(2000).decode(errors="replace").splitlines()
        said = "\n".join([*self._ear.lines()[:_ENOUGH], *restore[:_ENOUGH]])
        return NotLoaded(f"The database did not take it, and is as it was.\n{said}".strip())


class _Ear:
    """Reads what psql says besides results, so that it never waits to be heard."""

    def __init__(self, psql: subprocess.Popen[bytes]) -> None:
        self._lines: list[str] = []
        self._ready = threading.Event()
        self._found = False
        self._thread = threading.Thread(target=self._listen, args=(psql.stderr,), daemon=True)
        self._thread.start()

    def heard(self) -> bool:
        """Wait until psql has come to the end of what it was given, or has ended."""
        self._ready.wait()
        return self._found

    def lines(self) -> list[str]:
        self._thread.join(timeout=5)
        return self._lines

    def _listen(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            said = line.decode(errors="replace").rstrip()
            if said == _READY:
                self._found = True
                self._ready.set()
            elif said:
                self._lines.append(said)
        self._ready.set()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(BrokenPipeError):  # whoever read it has gone
            pipe.close()
