"""docker-compose.yml and the Dockerfile as they stand, and their commands as plain processes.

No container engine is needed: whoever wants to know what an installation does starts the very
command lines of the services, in the environment that compose would make for them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
import yaml

from helpdesk.processes import answers
from tests.processes import ROOT, Installation, eventually

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
WITH_FILES = yaml.safe_load((ROOT / "docker-compose.secrets.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("helpdesk:")}

#: What an operator puts into .env, and nothing else.
GIVEN = {
    "HELPDESK_BASE_URL": "https://help.example",
    "HELPDESK_MAIL_DOMAIN": "help.example",
    "SECRET_KEY": "fifty characters that nobody can guess, kept for good",
    "POSTGRES_PASSWORD": "letters8and9digits",
}


def instructions(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions with their arguments, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    found = []
    for line in lines:
        word, _space, rest = line.strip().partition(" ")
        if word:
            found.append((word, rest.strip()))
    return found


IMAGE = instructions((ROOT / "Dockerfile").read_text())
LAST_STAGE = IMAGE[max(at for at, (word, _rest) in enumerate(IMAGE) if word == "FROM") :]


def _filled(value: str, given: dict[str, str]) -> str:
    def fill(match: re.Match[str]) -> str:
        name, _colon, rest = match["inside"].partition(":")
        return given[name] if rest.startswith("?") else given.get(name) or rest.removeprefix("-")

    return re.sub(r"\$\{(?P<inside>[^}]+)\}", fill, value)


def environment(service: str, **more: str) -> dict[str, str]:
    """What compose would set in this service for whoever gave ``GIVEN``; ``more`` goes over it.

    Beside it stands only what a process cannot do without. In place of what no test has (hosts named
    postgres and redis, a folder /data), give ``DATABASE_URL``, ``DATABASE_PASSWORD``, ``REDIS_URL``
    and ``HELPDESK_DATA_DIR``.
    """
    found = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    for name, value in SERVICES[service]["environment"].items():
        filled = GIVEN.get(name) if value is None else _filled(str(value), GIVEN)
        if filled is not None:
            found[name] = filled
    return {**found, **more}


def command(service: str, *, port: int | None = None, folder: Path | None = None) -> list[str]:
    """The command line of a service, the image's own where it names none.

    ``port`` is where its web server listens instead of 8000, on loopback; ``folder`` stands for
    the container's /tmp.
    """
    own = SERVICES[service].get("command")
    if own is None:
        own = json.loads(dict(LAST_STAGE)["CMD"])
    return _here(shlex.split(own) if isinstance(own, str) else list(own), port, folder)


def health_check(service: str, *, port: int, folder: Path) -> list[str]:
    """The command by which a container engine asks how a service is."""
    own = SERVICES[service].get("healthcheck")
    if own is None:
        asked: list[str] = json.loads(dict(LAST_STAGE)["HEALTHCHECK"].partition("CMD")[2])
    elif own["test"][0] == "CMD-SHELL":
        asked = ["sh", "-c", own["test"][1].replace("$$", "$")]
    else:
        asked = own["test"][1:]
    return _here(asked, port, folder)


def _here(words: list[str], port: int | None, folder: Path | None) -> list[str]:
    if port is not None:
        words = [re.sub(r"(?:0\.0\.0\.0|127\.0\.0\.1):8000", f"127.0.0.1:{port}", w) for w in words]
    if folder is not None:
        words = [word.replace("/tmp", str(folder)) for word in words]
    return words


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages' files as the image holds them."""
    folder = tmp_path_factory.mktemp("static")
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env=environment("web", HELPDESK_DATA_DIR=str(folder), HELPDESK_STATIC_ROOT=str(folder)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@dataclass
class Deployment:
    """Services of docker-compose.yml as plain processes, on a test's database and Redis."""

    installation: Installation
    collected: Path
    #: Settings over those that compose would make.
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        ours = self.installation
        named = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "HELPDESK_DATA_DIR")
        return environment(
            service,
            **{name: ours.environment[name] for name in named},
            **{
                "DATABASE_PASSWORD": "",
                "HELPDESK_BASE_URL": ours.url,
                "HELPDESK_ENGINE_INTERVAL": "0.5",
                "HELPDESK_MAIL_INTERVAL": "0.5",
                "HELPDESK_MAIL_LIMITS": "deadline=60",
                "HELPDESK_STATIC_ROOT": str(self.collected),
                "WEB_CONCURRENCY": "1",
                **self.settings,
            },
        )

    def start(self, *services: str) -> None:
        """Start services; each writes to ``SERVICE.log`` and ``SERVICE.err`` in the installation's
        folder.
        """
        ours = self.installation
        for name in services:
            out, err = (ours.folder / f"{name}.{kind}" for kind in ("log", "err"))
            with out.open("ab") as log, err.open("ab") as errors:
                ours.running[name] = subprocess.Popen(
                    command(name, port=ours.port, folder=ours.folder),
                    cwd=ROOT,
                    env=self.environment(name),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=errors,
                    start_new_session=True,
                )
        if "web" in services:
            eventually(lambda: answers(f"{ours.url}/accounts/login/"), what="the web server")

    def is_well(self, service: str) -> bool:
        """What the service's health check finds."""
        ours = self.installation
        done = subprocess.run(
            health_check(service, port=ours.port, folder=ours.folder),
            cwd=ROOT,
            env={**self.environment(service), "HOSTNAME": gethostname()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        return done.returncode == 0

    def manage(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a management command as ``docker compose exec -T web`` would."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment("web"),
            input=stdin,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done


@pytest.fixture
def deployment(installation: Installation, collected: Path) -> Deployment:
    """An installation with production's settings and the compose file's commands."""
    return Deployment(installation, collected)
