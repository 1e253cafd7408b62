"""The processes of an installation, started for a test: web, workers and beat as they are in life.

They work on the test's own database, which is why such a test asks for ``transactional_db``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern
from http.cookiejar import CookieJar
from itertools import count
from pathlib import Path
from socket import create_server
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import psutil
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.cache import cache
from django.db import connection

from helpdesk.processes import commands
from tests.pages.desk import Markup
from tests.servers import Servers

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40.0
"""Seconds a test waits for what should happen within a few; the machine may be busy."""

T = TypeVar("T")


def eventually(look: Callable[[], T | None], *, what: str, seconds: float = PATIENCE) -> T:
    """Wait until ``look`` finds something true, and give it; fails saying what never came."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            pytest.fail(f"Waited {seconds:.0f} s in vain for {what}; last seen: {found!r}")
        time.sleep(0.1)


def crowd() -> float:
    """How much longer everything takes at present, since others use the machine; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


#: Below those that the kernel gives to whoever asks for any; another process begins elsewhere.
_ports = count(10_000 + os.getpid() * 1_009 % 20_000, 4)


def free_port() -> int:
    """A port that nobody listens on, nor on the three after it, and that nobody else is given."""
    for port in _ports:
        with suppress(OSError), ExitStack() as held:
            for one in range(port, port + 4):
                held.enter_context(closing(create_server(("127.0.0.1", one))))
            return port
    raise AssertionError("there is always another one")


class Mailbox:
    """A real SMTP server; keeps what it accepts, and answers as ``answers`` says."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        #: Given an envelope, an SMTP reply such as ``550 no such mailbox``; empty accepts.
        self.answers: Callable[[Envelope], str] = lambda _envelope: ""
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def close(self) -> None:
        self._controller.stop()

    async def handle_DATA(  # noqa: N802  # aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        refusal = self.answers(envelope)
        if refusal:
            return refusal
        content = envelope.content
        assert isinstance(content, bytes)
        letter = BytesParser(policy=modern).parsebytes(content)
        letter.replace_header("Message-ID", str(letter["Message-ID"]).strip())
        letter["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.letters.append(letter)
        return "250 kept"

    def to(self, address: str) -> list[EmailMessage]:
        """What was accepted for an address, in the order it came."""
        return [letter for letter in self.letters if letter["X-Envelope-To"] == address]

    def waits_for(self, address: str, subject: str) -> EmailMessage:
        """The first letter for an address whose subject holds these words."""
        return eventually(
            lambda: next(
                (letter for letter in self.to(address) if subject in str(letter["Subject"])), None
            ),
            what=f"“{subject}” to {address} (there: {[str(m['Subject']) for m in self.to(address)]})",
        )


def text_of(letter: EmailMessage) -> str:
    """The plain text of a letter."""
    body = letter.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


class Visitor:
    """Somebody at a browser: keeps cookies, follows redirects, fills in forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self._token = ""

    def get(self, path: str) -> str:
        return self._open(Request(self._address(path)))  # noqa: S310  # our own server

    def post(self, path: str, **fields: Any) -> str:
        """Send a form from the page that was last shown."""
        data = urlencode({"csrfmiddlewaretoken": self._token, **fields}, doseq=True).encode()
        return self._open(
            Request(self._address(path), data=data, headers={"Referer": self.base})  # noqa: S310
        )

    def sign_in(self, email: str, password: str) -> str:
        self.get("/accounts/login/")
        return self.post("/accounts/login/", login=email, password=password)

    def _address(self, path: str) -> str:
        return path if path.startswith("http") else f"{self.base}{path}"

    def _open(self, request: Request) -> str:
        try:
            with self._opener.open(request, timeout=30) as response:
                page: str = response.read().decode()
        except urllib.error.HTTPError as error:
            page = error.read().decode(errors="replace")
            pytest.fail(f"{request.get_method()} {request.full_url}: {error.code}\n{page[:4000]}")
        for tag, attributes in Markup(page).elements:
            if tag == "input" and attributes.get("name") == "csrfmiddlewaretoken":
                self._token = attributes["value"]
        return page


@dataclass
class Installation:
    """Processes by name, on this test's database and Redis, with an SMTP server to write to."""

    folder: Path
    mailbox: Mailbox
    environment: dict[str, str]
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    #: Other queues than their own, for a test that stands between.
    queues: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *names: str) -> None:
        """Start some of web, engine, mail, beat; the web server answers when this returns.

        ``engine2`` is a second engine, with a node name of its own, ``beat2`` a second beat with a
        timetable of its own; ``run_engine`` is the command that sweeps without Celery.
        """
        for name in names:
            kind = name.rstrip("0123456789")
            log = (self.folder / f"{name}.log").open("ab")
            if kind == "run_engine":
                command = [sys.executable, "manage.py", "run_engine"]
            else:
                number = int(name.removeprefix(kind) or 0)
                known = commands(port=self.port + number, data_dir=self.folder)[kind]
                command = [self.queues.get(word, word) for word in known]
            self.running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if "web" in names:
            eventually(self._answers, what="the web server")

    def kill(self, name: str) -> None:
        """kill -9, the worker and its children at once."""
        process = self.running.pop(name)
        victims = [psutil.Process(process.pid)]
        victims += victims[0].children(recursive=True)
        for victim in victims:
            victim.kill()
        process.wait()

    def stop(self) -> None:
        """Ask every process to end, and see that each does."""
        for process in self.running.values():
            process.terminate()
        for name, process in self.running.items():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                pytest.fail(f"{name} did not end within 30 s of SIGTERM\n{self.log(name)}")
        self.running.clear()

    def manage(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run a management command; gives what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def visitor(self) -> Visitor:
        return Visitor(self.url)

    def _answers(self) -> bool:
        try:
            Visitor(self.url).get("/accounts/login/")
        except OSError:
            return False
        return True


def _database_url(servers: Servers) -> str:
    """The address of the database this test's own ORM works on."""
    url = urlsplit(servers.database_url)
    return urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))


@pytest.fixture
def installation(
    transactional_db: None, servers: Servers, redis_client: object, tmp_path: Path
) -> Iterator[Installation]:
    """An installation whose processes a test starts; they are stopped when it ends."""
    mailbox = Mailbox()
    port = free_port()
    settings: Mapping[str, str] = {
        "DATABASE_URL": _database_url(servers),
        "EMAIL_URL": mailbox.url,
        "EMAIL_TIMEOUT": "5",
        "HELPDESK_BASE_URL": f"http://127.0.0.1:{port}",
        "HELPDESK_DATA_DIR": os.environ["HELPDESK_DATA_DIR"],
        "HELPDESK_ENGINE_INTERVAL": "0.5",
        "HELPDESK_MAIL_INTERVAL": "0.5",
        # Only the machine is slow: no mail here is made to take long.
        "HELPDESK_MAIL_LIMITS": "deadline=60",
        "PORT": str(port),
    }
    made = Installation(
        folder=tmp_path,
        mailbox=mailbox,
        environment={**servers.environment, **settings},
        port=port,
    )
    try:
        yield made
    finally:
        made.stop()
        mailbox.close()
        # Its table is no model's, so that nobody empties it: what counts here would count on.
        cache.clear()
