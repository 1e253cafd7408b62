"""The image and the compose file: read as they stand, and their values tried on the settings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest

from helpdesk import declared
from helpdesk.celery import app
from tests.processes import ROOT
from tests.runtime.composed import (
    COMPOSE,
    GIVEN,
    IMAGE,
    LAST_STAGE,
    OURS,
    SERVICES,
    WITH_FILES,
    command,
    environment,
)

DECLARED = {setting.name: setting for setting in declared.SETTINGS}
REQUIRED = {name for name, setting in DECLARED.items() if setting.required}
#: Declared, but not for whoever runs containers: the image or the compose file settles them.
SETTLED = {"DEBUG", "HELPDESK_DATA_DIR", "HELPDESK_DEMO", "HELPDESK_STATIC_ROOT", "PORT"}


def test_every_process_of_an_installation_has_a_service() -> None:
    assert set(SERVICES) == {
        *("prepare", "web", "web2", "engine", "mail", "webhooks", "beat", "postgres", "redis"),
    }
    assert {one["build"] for one in OURS.values()} == {"."}
    assert len({one["image"] for one in OURS.values()}) == 1


def test_the_image_is_named_for_the_release() -> None:
    [release] = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())
    assert SERVICES["web"]["image"] == f"helpdesk:{release}"
    assert json.loads((ROOT / "package.json").read_text())["version"] == release
    assert f"## {release}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_queue_has_a_worker_and_every_timetable_a_beat() -> None:
    lines = {name: command(name) for name in OURS}
    consumed = {
        queue
        for words in lines.values()
        for word, following in pairwise(words)
        if word == "-Q"
        for queue in following.split(",")
    }
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    assert consumed == routed | {app.conf.task_default_queue}
    assert "beat" in lines["beat"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_lasting_service_is_watched_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    if name == "prepare":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    if name in ("web", "web2"):
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
    assert list(published) == ["web", "web2"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert published["web"] != published["web2"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_can_take_the_whole_machine_or_fill_its_disk_with_lines(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[0-9]+[mg]", service["mem_limit"])
    assert service["pids_limit"] <= 300
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_the_compose_file_exists_and_every_one_can_be_given(name: str) -> None:
    named = set(OURS[name]["environment"])
    assert named - set(DECLARED) == set(), "settings that helpdesk/declared.py does not know"
    assert set(DECLARED) - named == SETTLED
    [more] = OURS[name]["env_file"]
    assert more["required"] is False


@pytest.mark.parametrize("name", OURS)
def test_secrets_can_come_from_files_instead(name: str) -> None:
    service = WITH_FILES["services"][name]
    for variable, path in service["environment"].items():
        setting = DECLARED[variable.removesuffix("_FILE")]
        assert setting.secret
        assert variable.endswith("_FILE")
        assert path.removeprefix("/run/secrets/") in service["secrets"]
    assert set(service["secrets"]) <= set(WITH_FILES["secrets"])
    database = WITH_FILES["services"]["postgres"]
    path = service["environment"]["DATABASE_PASSWORD_FILE"]
    assert database["environment"] == {"POSTGRES_PASSWORD_FILE": path}


def test_production_starts_on_what_an_operator_gives_or_on_the_same_in_files(
    tmp_path: Path,
) -> None:
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    given = environment("web", HELPDESK_DATA_DIR=str(tmp_path))
    done = subprocess.run(check, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout

    values = {"SECRET_KEY": "SECRET_KEY", "DATABASE_PASSWORD": "POSTGRES_PASSWORD"}
    by_file = dict(given)
    for name, source in values.items():
        path = tmp_path / name
        path.write_text(f"{GIVEN[source]}\n")
        del by_file[name]
        by_file[f"{name}_FILE"] = str(path)
    show = "from django.conf import settings as s; print(s.SECRET_KEY, s.DATABASES['default']['PASSWORD'])"
    run = [sys.executable, "manage.py", "shell", "--no-imports", "-v0", "-c", show]
    done = subprocess.run(run, cwd=ROOT, env=by_file, capture_output=True, text=True)
    assert done.stdout.strip() == f"{GIVEN['SECRET_KEY']} {GIVEN['POSTGRES_PASSWORD']}", done.stderr


def test_the_pages_files_can_be_built_and_hold_nothing_unused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env=environment("web", HELPDESK_DATA_DIR=str(tmp_path), HELPDESK_STATIC_ROOT=str(tmp_path)),
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


def test_the_image_can_back_up_the_database_that_it_runs_with() -> None:
    [server] = re.findall(r"postgres:(\d+)", SERVICES["postgres"]["image"])
    froms = [rest for word, rest in IMAGE if word == "FROM"]
    # Of the same Debian as the image, whose libraries the programs then find.
    assert f"postgres:{server}-bookworm AS postgresql" in froms
    assert froms[-1] == "python:3.11-slim-bookworm AS helpdesk"
    copied = dict(rest.rsplit(" ", 1) for word, rest in LAST_STAGE if word == "COPY")
    assert copied["--from=postgresql /client"] == f"/usr/lib/postgresql/{server}"


def test_every_package_and_nothing_private_goes_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    admitted = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    for needed in (*packages, "locale", "templates", "static", "manage.py"):
        assert needed in admitted
    for private in (".env", ".git", "var", "tests", "node_modules", ".venv"):
        assert not any(fnmatch(private, pattern) for pattern in admitted)
