"""A PostgreSQL and a Redis of the test run's own, and Django pointed at them.

Importing this module starts them (in the controller under xdist; its workers inherit the
addresses), so that it must be imported before anything that needs Django: the conftest at the top
does that. Each worker has a database of its own (pytest-django) and a Redis database of its own.
Whatever the environment says about DATABASE_URL, a test never touches it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
import redis

from helpdesk.embedded import Hold
from tests import migrated

ADDRESSES = "HELPDESK_TEST_SERVERS"
TEMPLATE = "to_copy"


@dataclass(frozen=True)
class Servers:
    """Where the test run's servers are; for tests that start processes of ours."""

    #: Of the server's default database, which has all tables and nothing in them; the tests' own is ``settings.DATABASES``.
    database_url: str
    #: This worker's Redis database.
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process of ours needs to work on the same servers."""
        return {**os.environ, "DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def _start() -> Servers:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        made = Path(tempfile.mkdtemp(prefix="hdt-", dir="/tmp"))
        # Callbacks run last first: the servers stop, then their folder goes.
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        # As root the servers run as another user, who must be able to walk through.
        made.chmod(0o711)
        migrated.copy(made / "embedded/postgres")
        hold = Hold(made, durable=False)
        atexit.register(hold.release)
        _make_template(hold)
        os.environ[ADDRESSES] = f"{made} {hold.database_url} {hold.redis_url}"
    folder, database_url, redis_url = os.environ[ADDRESSES].split(" ")
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    servers = Servers(
        database_url=database_url, redis_url=redis_url.replace("?db=0", f"?db={number}")
    )
    # What the person at the keyboard has set must not leak into what is tested.
    for name in list(os.environ):
        if name.startswith(("HELPDESK_", "EMAIL_", "ANYMAIL_")) and name != ADDRESSES:
            del os.environ[name]
    os.environ.update(
        DJANGO_SETTINGS_MODULE="helpdesk.settings",
        DATABASE_URL=servers.database_url,
        REDIS_URL=servers.redis_url,
        SECRET_KEY="only-for-tests",
        # Playwright keeps an event loop in the worker's thread from its first test on; the ORM
        # is used between its calls, and by whatever tests follow.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
        HELPDESK_DATA_DIR=str(Path(folder) / (worker or "main")),
    )
    return servers


def _make_template(hold: Hold) -> None:
    """What each worker's database begins as: a copy that nobody visits, or it could not be copied."""
    connection = psycopg2.connect(host=str(hold.sockets), user="helpdesk", dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE {migrated.NAME}")
    connection.close()


SERVERS = _start()

import django  # noqa: E402  # the settings are read from the environment made above
from django.conf import settings  # noqa: E402

django.setup()
settings.PASSWORD_HASHERS = ["tests.passwords.Once"]
settings.DATABASES["default"]["TEST"]["TEMPLATE"] = TEMPLATE


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The servers of this test run."""
    return SERVERS


@pytest.fixture
def redis_client(servers: Servers) -> Iterator[redis.Redis]:
    """A client of this worker's Redis database, which is empty before and after."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
        yield client
        client.flushdb()
