"""Databases that earlier releases left behind are migrated, and their work goes on."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests.servers import Servers

HERE = Path(__file__).parent
DUMPS = sorted(HERE.glob("*.sql.gz"))

#: A notice was a row for each of its readers, whose key ended with them.
TOLD_IN_0_1_0 = """
    SELECT dedupe_key, user_id, read_at IS NOT NULL FROM notifications_notification
    ORDER BY dedupe_key COLLATE "C"
"""
TOLD = """
    SELECT dedupe_key || ':' || reader, reader, EXISTS (
        SELECT FROM notifications_notificationreading
        WHERE notification_id = notice.id AND user_id = reader)
    FROM notifications_notification AS notice, unnest(readers) AS reader
    ORDER BY (dedupe_key || ':' || reader) COLLATE "C"
"""


@pytest.fixture
def left_behind(servers: Servers, tmp_path: Path) -> Iterator[Callable[[Path], dict[str, str]]]:
    """Loads a dump into a database of its own; gives the environment of an installation on it."""
    made: list[str] = []

    def load(dump: Path) -> dict[str, str]:
        name = f"left_behind_{tmp_path.name}_{len(made)}".lower()
        made.append(name)
        _execute(servers.database_url, f'CREATE DATABASE "{name}"')
        url = urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))
        _execute(url, gzip.decompress(dump.read_bytes()).decode())
        return {
            **servers.environment,
            "DATABASE_URL": url,
            "HELPDESK_DATA_DIR": str(tmp_path / "var"),
        }

    yield load
    for name in made:
        _execute(servers.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def test_there_is_a_dump_of_every_release_that_could_be_upgraded() -> None:
    assert DUMPS


@pytest.mark.slow
@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.name.removesuffix(".sql.gz"))
def test_a_release_is_migrated_and_its_work_goes_on(
    dump: Path, left_behind: Callable[[Path], dict[str, str]]
) -> None:
    environment = left_behind(dump)
    told = _told(environment["DATABASE_URL"])

    _manage(environment, "migrate", "--no-input")
    assert _told(environment["DATABASE_URL"]) == told
    _manage(environment, "setup")
    # The times in the dump have passed: whatever was owed since is done now, once.
    _manage(environment, "run_engine", "--once")

    explained = json.loads(_manage(environment, "explain", "HD-1042", "--json"))
    assert explained["ticket"] == "HD-1042"
    assert "nothing" in _manage(environment, "seed_demo"), "the demo is known as the demo"
    failed, due = _counts(environment["DATABASE_URL"])
    assert (failed, due) == (0, 0)


def _counts(url: str) -> tuple[int, int]:
    with closing(psycopg2.connect(_dsn(url))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE review_error <> ''),"
            " count(*) FILTER (WHERE review_at < now() - interval '1 minute') FROM tickets_ticket"
        )
        failed, due = cursor.fetchone() or (None, None)
    return failed, due


def _told(url: str) -> list[tuple[str, int, bool]]:
    """Which notices were made for whom, by key, and which of them were read."""
    with closing(psycopg2.connect(_dsn(url))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM information_schema.columns"
            " WHERE table_name = 'notifications_notification' AND column_name = 'readers'"
        )
        for_many = cursor.fetchone() is not None
        cursor.execute(TOLD if for_many else TOLD_IN_0_1_0)
        return cursor.fetchall()


def _execute(url: str, statements: str) -> None:
    with closing(psycopg2.connect(_dsn(url))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statements)


def _dsn(url: str) -> str:
    """libpq knows the scheme under its long name only in part of its versions."""
    return url.replace("postgres://", "postgresql://", 1)


def _manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=HERE.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
