"""The web server as it runs in production, and clients that ask it and cost little themselves."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server

import psutil

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
PATIENCE = 60.0


@dataclass(slots=True)
class Server:
    """gunicorn with its workers, on a port of its own."""

    port: int
    process: psutil.Process
    #: The most memory any worker has been seen with, in MiB.
    peak: float = 0.0
    _clients: list[Client] = field(default_factory=list)

    def client(self, headers: Mapping[str, str]) -> Client:
        return Client(self, headers)

    def look(self) -> float:
        """Notice how much memory the workers take; the most so far."""
        with suppress(psutil.NoSuchProcess):
            for worker in self.process.children():
                self.peak = max(self.peak, worker.memory_info().rss / 2**20)
        return self.peak


class Client:
    """One kept-open connection, as a browser or a program holds it."""

    def __init__(self, server: Server, headers: Mapping[str, str]) -> None:
        self._server = server
        self._headers = dict(headers)
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def get(self, path: str) -> bytes:
        """The body of a page; raises ``RuntimeError`` for anything but 200."""
        return self.ask("GET", path, None, 200)

    def ask(self, method: str, path: str, body: bytes | None, expected: int) -> bytes:
        headers = (
            self._headers
            if body is None
            else {
                **self._headers,
                "Content-Type": "application/json",
            }
        )
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server closes connections that it has kept for long enough.
            self._connection.close()
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        said = response.read()
        if response.status != expected:
            raise RuntimeError(f"{method} {path}: {response.status} {said[:300]!r}")
        return said

    def close(self) -> None:
        self._connection.close()


@contextmanager
def server() -> Iterator[Server]:
    """gunicorn with two workers and production's settings, on the installation's database."""
    with closing(create_server(("127.0.0.1", 0))) as listener:
        port = int(listener.getsockname()[1])
    folder = Path(os.environ["HELPDESK_DATA_DIR"])
    environment = {
        **os.environ,
        "HELPDESK_ENV": "production",
        "HELPDESK_BASE_URL": f"http://127.0.0.1:{port}",
        "HELPDESK_MAIL_DOMAIN": "bench.test",
        "HELPDESK_STATIC_ROOT": str(folder / "static"),
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        "WEB_THREADS": "2",
    }
    if not (folder / "static").exists():
        manage = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(manage, cwd=ROOT, env=environment, check=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:helpdesk.webserver", "helpdesk.wsgi"],
        cwd=ROOT,
        env=environment,
        # Standard output is for the figures.
        stdout=sys.stderr,
    )
    running = Server(port, psutil.Process(process.pid))
    try:
        _wait(running)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)


def cookie_of(email: str) -> dict[str, str]:
    """What a browser sends when this person is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from staff.models import User

    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


def _wait(running: Server) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        client = running.client({})
        try:
            client.ask("GET", "/healthz", None, 200)
        except (OSError, RuntimeError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
        finally:
            client.close()
    raise RuntimeError("The web server did not start.")
