"""The image and the compose file: read as they stand, and their values tried on the settings."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpdesk.celery import app
from tests.processes import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("helpdesk:")}
SETTINGS = (ROOT / "helpdesk/settings.py").read_text()
READ = set(re.findall(r'(?:env(?:\.\w+)?|_required)\(\s*"([A-Z_]+)"', SETTINGS))
REQUIRED = set(re.findall(r'_required\("([A-Z_]+)"\)', SETTINGS))

#: What an operator puts into .env, and nothing else.
GIVEN = {
    "HELPDESK_BASE_URL": "https://help.example",
    "HELPDESK_MAIL_DOMAIN": "example",
    "SECRET_KEY": "fifty characters that nobody can guess, kept for good",
    "POSTGRES_PASSWORD": "letters8and9digits",
}


def filled(value: str) -> str:
    """A value of the compose file as compose would fill it in."""

    def fill(match: re.Match[str]) -> str:
        name, _colon, rest = match["inside"].partition(":")
        return GIVEN[name] if rest.startswith("?") else GIVEN.get(name, rest.removeprefix("-"))

    return re.sub(r"\$\{(?P<inside>[^}]+)\}", fill, value)


def environment(service: dict[str, Any], **more: str) -> dict[str, str]:
    given = {name: filled(value) for name, value in service["environment"].items() if value}
    return {"PATH": os.environ["PATH"], **given, **more}


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


def test_every_process_of_an_installation_has_a_service() -> None:
    assert set(SERVICES) == {
        *("prepare", "web", "engine", "mail", "webhooks", "beat", "postgres", "redis"),
    }
    assert {one["build"] for one in OURS.values()} == {"."}
    assert len({one["image"] for one in OURS.values()}) == 1


def test_the_image_is_named_for_the_release() -> None:
    [release] = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())
    assert SERVICES["web"]["image"] == f"helpdesk:{release}"
    assert json.loads((ROOT / "package.json").read_text())["version"] == release
    assert f"## {release}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_queue_has_a_worker_and_every_timetable_a_beat() -> None:
    consumed = {
        queue
        for one in OURS.values()
        for word, following in zip(
            shlex.split(str(one.get("command", ""))),
            shlex.split(str(one.get("command", "")))[1:],
            strict=False,
        )
        if word == "-Q"
        for queue in following.split(",")
    }
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    assert consumed == routed | {app.conf.task_default_queue}
    assert " beat " in SERVICES["beat"]["command"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_lasting_service_is_watched_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name == "prepare":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    if name == "web":
        assert "HEALTHCHECK" in dict(LAST_STAGE)
    else:
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", OURS)
def test_ours_wait_for_what_they_need_and_can_do_little_harm(name: str) -> None:
    service = OURS[name]
    waits = {other: how["condition"] for other, how in service["depends_on"].items()}
    assert waits.pop("postgres") == waits.pop("redis") == "service_healthy"
    assert waits == ({} if name == "prepare" else {"prepare": "service_completed_successfully"})
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "user" not in service, "the image's own"


def test_data_outlives_the_containers_in_named_volumes() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
    assert SERVICES["postgres"]["volumes"]
    [kept] = [rest for word, rest in LAST_STAGE if word == "VOLUME"]
    assert all(f"files:{kept}" in one["volumes"] for one in OURS.values())


def test_only_the_web_server_is_published_and_only_on_loopback() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if one.get("ports")}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_the_compose_file_exists_and_every_required_one_is_there(
    name: str,
) -> None:
    named = set(OURS[name]["environment"])
    assert named - READ == set(), "settings that helpdesk/settings.py does not read"
    assert REQUIRED - named == set()


def test_production_starts_on_what_an_operator_gives_and_not_on_less(tmp_path: Path) -> None:
    complete = environment(SERVICES["web"], HELPDESK_DATA_DIR=str(tmp_path))
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
    assert subprocess.run(check, cwd=ROOT, env=complete, capture_output=True).returncode == 0
    for name in REQUIRED:
        less = {key: value for key, value in complete.items() if key != name}
        done = subprocess.run(check, cwd=ROOT, env=less, capture_output=True, text=True)
        assert done.returncode != 0
        assert f"{name} must be set" in done.stderr


def test_the_pages_files_can_be_built_and_hold_nothing_unused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env=environment(
            SERVICES["web"], HELPDESK_DATA_DIR=str(tmp_path), HELPDESK_STATIC_ROOT=str(tmp_path)
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    built = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    used = {
        match
        for page in (ROOT / "templates").rglob("*.html")
        for match in re.findall(r"""{% static ['"]([^'"]+)['"]""", page.read_text())
    }
    assert used - set(built) == set()
    brought = {path for path in built if path.startswith("vendor/")}
    assert used & brought
    assert len(brought) < 10, "only what pages use of the packages from npm"


def test_the_image_runs_as_nobody_in_particular_on_files_it_cannot_change() -> None:
    words = [word for word, _rest in LAST_STAGE]
    assert LAST_STAGE[words.index("USER")][1] == "helpdesk"
    assert words.index("USER") < words.index("CMD")
    copies = [rest for word, rest in LAST_STAGE if word == "COPY"]
    assert copies
    assert not [copy for copy in copies if "--chown" in copy]
    [environment] = [rest for word, rest in LAST_STAGE if word == "ENV"]
    assert "HELPDESK_ENV=production" in environment
    assert not re.search(r"SECRET|PASSWORD|KEY", environment)


def test_the_image_has_the_locked_requirements_and_the_translations() -> None:
    runs = "\n".join(rest for word, rest in IMAGE if word == "RUN")
    assert "--require-hashes -r requirements/base.txt" in runs
    assert "helpdesk.translations" in runs
    assert "npm ci --omit=dev" in runs
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(), "any registry will do"


def test_every_package_and_nothing_private_goes_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    admitted = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    for needed in (*packages, "locale", "templates", "static", "manage.py"):
        assert needed in admitted
    for private in (".env", ".git", "var", "tests", "node_modules", ".venv"):
        assert not any(fnmatch(private, pattern) for pattern in admitted)
