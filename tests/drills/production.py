"""An installation in production: the services of docker-compose.yml as plain processes.

No container engine is needed. Each runs the very command line of its service, in the environment
that compose would make, with PostgreSQL and Redis on TCP and nothing of the test run's own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.processes import ROOT, Mailbox, eventually, free_port
from tests.runtime.composed import GIVEN, SERVICES, command, environment

WORKERS = tuple(name for name, one in SERVICES.items() if "-Q" in str(one.get("command", "")))
ADDRESS = GIVEN["HELPDESK_BASE_URL"]
DOMAIN = GIVEN["HELPDESK_MAIL_DOMAIN"]
GONE_WITHIN = 30.0
"""Seconds from SIGTERM until nothing is left of a process."""


@dataclass
class Host:
    """A machine with services of an installation: a name, a data folder, and its processes."""

    name: str
    folder: Path
    settings: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    #: Seconds each took to be gone, of all that were asked to end.
    took: list[tuple[str, float]] = field(default_factory=list)

    def start(self, *names: str) -> None:
        """Start services; ``web2`` is a second ``web``, on a port of its own."""
        for name in names:
            service = name.rstrip("0123456789")
            words = [
                word.replace("%h", self.name)
                for word in command(service, port=self.port(name), folder=self.folder / name)
            ]
            (self.folder / name).mkdir(exist_ok=True)
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    words,
                    cwd=ROOT,
                    env=self.environment(service),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def environment(self, service: str) -> dict[str, str]:
        return environment(service, **self.settings, HELPDESK_DATA_DIR=str(self.folder / "data"))

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def is_ready(self, name: str) -> bool:
        """As a proxy asks, without any header."""
        return self.answer(name, "/readyz")[0] == 200

    def answer(self, name: str, path: str) -> tuple[int, str]:
        """What a web server answers who asks it directly; 0 where nobody listens."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port(name)}{path}", timeout=30
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
        except OSError as error:
            return 0, str(error)

    def all_ready(self, *names: str) -> None:
        """Wait until web servers are ready and workers take tasks."""
        for name in names:
            if name in WORKERS:
                eventually(partial(self._takes_tasks, name), what=f"{name} on {self.name}")
            elif name != "beat":
                eventually(partial(self.is_ready, name), what=f"{name} on {self.name}")

    def _takes_tasks(self, name: str) -> bool:
        return " ready." in self._log(name)

    def stop(self, *names: str) -> None:
        """SIGTERM to each at once; everything they started must be gone in time."""
        leaving = {name: self.running.pop(name) for name in names}
        families = {name: _family(process) for name, process in leaving.items()}
        asked = time.monotonic()
        for process in leaving.values():
            process.send_signal(signal.SIGTERM)
        late = []
        for name, process in leaving.items():
            left = max(0.0, asked + GONE_WITHIN - time.monotonic())
            _gone, alive = psutil.wait_procs(families[name], timeout=left)
            self.took.append((name, time.monotonic() - asked))
            for survivor in alive:
                survivor.kill()
            process.wait()
            if alive:
                late.append(f"{name} did not end within 30 s of SIGTERM\n{self.log(name)}")
            (self.folder / f"{name}.log").rename(self.folder / f"{name}.log.{asked:.3f}")
        assert not late, "\n".join(late)

    def restart(self, *names: str) -> None:
        for name in names:
            self.stop(name)
            self.start(name)
            self.all_ready(name)

    def lost(self) -> None:
        """The whole machine, at once and without a word."""
        everybody = [each for process in self.running.values() for each in _family(process)]
        for victim in everybody:
            victim.suspend()
        for victim in everybody:
            victim.kill()
        for process in self.running.values():
            process.wait()
        self.running.clear()

    def manage(self, *arguments: str, stdin: bytes = b"") -> str:
        """A management command, as ``docker compose exec -T web`` runs it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment("web"),
            input=stdin,
            capture_output=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def prepare(self) -> None:
        """What the service of that name does."""
        done = subprocess.run(
            command("prepare"),
            cwd=ROOT,
            env=self.environment("prepare"),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def log(self, name: str) -> str:
        """Its last words, since it was started last."""
        return self._log(name)[-6000:]

    def _log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    first = psutil.Process(process.pid)
    return [first, *first.children(recursive=True)]


@dataclass
class Production:
    """What all hosts of an installation share."""

    folder: Path
    settings: dict[str, str]
    mailbox: Mailbox
    hosts: dict[str, Host] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        return self.settings["DATABASE_URL"]

    def host(self, name: str = "one") -> Host:
        if name not in self.hosts:
            folder = self.folder / name
            (folder / "data").mkdir(parents=True)
            self.hosts[name] = Host(name, folder, self.settings)
        return self.hosts[name]

    def close(self) -> None:
        problems = []
        for host in self.hosts.values():
            try:
                host.stop(*host.running)
            except AssertionError as late:
                problems.append(str(late))
        if problems:
            pytest.fail("\n".join(problems))
