"""Settings: declared once, read from the environment or from files, and refused by name."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from helpdesk import declared, production, reference
from helpdesk.environment import Environment
from tests.processes import ROOT
from tests.runtime.composed import GIVEN

KEY = "Vd0Qk1-zq7N4mXw9bTr5Ls2Yc8Hj6Gf3Ap_UeRoIiWxDZzMnB0a"
COMPLETE = {
    "HELPDESK_ENV": "production",
    "HELPDESK_BASE_URL": "https://help.example",
    "HELPDESK_MAIL_DOMAIN": "help.test",
    "SECRET_KEY": KEY,
    "DATABASE_URL": "postgres://helpdesk:s7Kd93xQ@db/helpdesk",
    "REDIS_URL": "redis://redis:6379/0",
}
NOWHERE = Path("/nowhere/secret_key")


def read(**given: str) -> Environment:
    return Environment(given, settings=declared.SETTINGS, families=declared.FAMILIES)


def refused(development_key: Path = NOWHERE, /, **changed: str) -> list[str]:
    """What production says of complete settings with these changes; an empty one is left out."""
    env = read(**{**COMPLETE, **changed})
    env.require([each for each in declared.SETTINGS if each.required])
    return [*env.problems, *production.refusals(env, development_key=development_key)]


def test_the_reference_is_up_to_date() -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == reference.rendered(), "run: python -m helpdesk.reference"
    for setting in declared.SETTINGS:
        assert f"| `{setting.name}` |" in page


def test_nothing_is_read_from_the_environment_but_what_is_declared() -> None:
    known = {setting.name for setting in declared.SETTINGS}
    #: Of the system, of tools and of Django itself.
    known |= {"XDG_RUNTIME_DIR", "CHROMIUM", "DJANGO_SETTINGS_MODULE"}
    for app in ("desk", "escalation", "helpdesk", "notifications", "staff", "tickets"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                name = _read_by(node)
                assert name is None or name in known, f"{path}: {name}"
    text = (ROOT / "helpdesk/settings.py").read_text()
    assert text.count("os.environ") == 1, "handed over whole, to be read by declaration"
    assert len(text.splitlines()) < 400


def _read_by(node: ast.AST) -> str | None:
    """The variable that an expression like ``os.environ["X"]`` or ``os.getenv("X")`` names."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in (
        *("os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop"),
    ):
        named = node.args[0]
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
        named = node.slice
    else:
        return None
    return named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELPDESK_ENV", "prod"),
        ("PORT", "abc"),
        ("PORT", "0"),
        ("DEBUG", "perhaps"),
        ("HELPDESK_ENGINE_INTERVAL", "-1"),
        ("HELPDESK_ENGINE_INTERVAL", "nan"),
        ("HELPDESK_PROXIES", "-1"),
        ("HELPDESK_BASE_URL", "help.example.com"),
        ("HELPDESK_BASE_URL", "https://help.example.com/desk"),
        ("HELPDESK_BASE_URL", "https://help.example.com:port"),
        ("DATABASE_URL", "mysql://db/helpdesk"),
        ("REDIS_URL", "redis://"),
        ("EMAIL_URL", "mail.example.com:25"),
        ("EMAIL_BACKEND", "not a class"),
        ("DEFAULT_FROM_EMAIL", "Support"),
        ("HELPDESK_MAIL_DOMAIN", "https://example.com"),
        ("HELPDESK_REPLY_LOCALPART", "re+ply"),
        ("HELPDESK_MAIL_KEYS", "k1"),
        ("HELPDESK_MAIL_KEYS", "key-one:0123456789abcdef"),
        ("HELPDESK_MAIL_LIMITS", "deadlines=5"),
        ("HELPDESK_OUTGOING_ALLOW", "10.0.0.0/8,intranet"),
        ("HELPDESK_API_RATE", "600/fortnight"),
        ("LOG_LEVEL", "LOUD"),
        ("HELPDESK_METRICS_TOKEN", "short"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_line_that_names_it(name: str, value: str) -> None:
    [line] = read(**{name: value}).problems
    assert line.startswith(f"{name} must be: ")
    [setting] = [each for each in declared.SETTINGS if each.name == name]
    assert (f"not {value!r}" in line) is not setting.secret


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    env = read(SECRET_KEY_FILE=str(path), ANYMAIL_POSTMARK_SERVER_TOKEN_FILE=str(path), PORT="")
    assert env[declared.SECRET_KEY] == KEY
    assert env.families["ANYMAIL_"] == {"POSTMARK_SERVER_TOKEN": KEY}
    assert env[declared.PORT] == 8000, "what is empty is not set"
    assert env.problems == []


def test_a_file_that_gives_nothing_and_two_sources_for_one_setting_are_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for file, why in (
        (tmp_path / "empty", "is empty"),
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "binary", "no text"),
    ):
        [line] = read(SECRET_KEY_FILE=str(file)).problems
        assert line.startswith(f"SECRET_KEY_FILE names {file}")
        assert why in line
    (tmp_path / "key").write_text(KEY)
    for name in ("SECRET_KEY", "ANYMAIL_WEBHOOK_SECRET"):
        [line] = read(**{name: "value", f"{name}_FILE": str(tmp_path / "key")}).problems
        assert line == f"{name} and {name}_FILE are both set; give one of them."


def test_production_is_content_with_what_is_complete() -> None:
    assert refused() == []
    assert refused(HELPDESK_BASE_URL="http://127.0.0.1:8000") == []
    assert refused(HELPDESK_BASE_URL="http://helpdesk.localhost") == []
    assert refused(HELPDESK_BASE_URL="http://help.example", HELPDESK_PLAIN_HTTP="1") == []
    # A socket, or somebody who trusts us.
    assert refused(DATABASE_URL="postgres://helpdesk@%2Frun%2Fpostgresql/helpdesk") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("SECRET_KEY", each) for each in ("", "changeme", "x" * 60, KEY[:49], "ab" * 30)),
        ("SECRET_KEY", "django-insecure-" + KEY),
        ("SECRET_KEY", "changeme-" * 8),
        ("SECRET_KEY_FALLBACKS", "too-short"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgres://helpdesk:postgres@db/helpdesk"),
        ("DATABASE_URL", "postgres://helpdesk:CHANGEME@db/helpdesk"),
        ("DATABASE_PASSWORD", "password"),
        ("REDIS_URL", ""),
        ("REDIS_URL", "redis://:secret@redis:6379/0"),
        ("HELPDESK_BASE_URL", ""),
        ("HELPDESK_BASE_URL", "http://help.example"),
        ("HELPDESK_BASE_URL", "http://10.0.0.5"),
        ("HELPDESK_MAIL_DOMAIN", ""),
        ("HELPDESK_MAIL_DOMAIN", "brightquay.example"),
        ("HELPDESK_MAIL_KEYS", "k1:aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("HELPDESK_MAIL_KEYS", "k1:changeme"),
        ("DEBUG", "1"),
    ],
)
def test_production_refuses_what_is_missing_known_or_careless(name: str, value: str) -> None:
    lines = refused(**{name: value})
    assert len(lines) == 1
    assert name in lines[0]
    assert (
        len(value) < 8
        or name.startswith(("HELPDESK_BASE", "HELPDESK_MAIL_D"))
        or (value not in lines[0])
    ), "secrets stand in no message"


def test_production_refuses_the_key_that_development_made(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.write_text(KEY)
    [line] = refused(path)
    assert str(path) in line


def test_everything_that_is_wrong_is_said_at_once_and_by_every_process(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HELPDESK_ENV": "production",
        "HELPDESK_DATA_DIR": str(tmp_path),
        "SECRET_KEY": GIVEN["SECRET_KEY"][:20],
        "PORT": "abc",
        "DEBUG": "1",
    }
    python = [sys.executable, "-m"]
    for command in (
        [sys.executable, "manage.py", "migrate"],
        [*python, "gunicorn", "-c", "python:helpdesk.webserver", "helpdesk.wsgi"],
        [*python, "celery", "-A", "helpdesk", "worker"],
    ):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode != 0
        lines = done.stderr.strip().splitlines()
        starts = ["PORT", "HELPDESK_BASE_URL", "DATABASE_URL", "REDIS_URL", "HELPDESK_MAIL_DOMAIN"]
        starts += ["SECRET_KEY", "DEBUG"]
        assert [line.split(" ")[0] for line in lines] == starts, done.stderr


def test_what_is_secret_is_known_to_the_log(tmp_path: Path) -> None:
    env = read(
        **{
            **COMPLETE,
            "EMAIL_URL": "smtp+tls://user:p%40ss-of-mail@host:587",
            "HELPDESK_MAIL_KEYS": "k2:0123456789abcdefghij,k1:abcdefghij0123456789",
            "ANYMAIL_WEBHOOK_SECRET": "user:hook-secret",
        }
    )
    assert {KEY, "s7Kd93xQ", "p@ss-of-mail", "p%40ss-of-mail", "user:hook-secret"} <= env.secrets()
    assert {"0123456789abcdefghij", "abcdefghij0123456789"} <= env.secrets()


def test_problems_are_raised_together() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"(?s)PORT.*LOG_LEVEL"):
        read(PORT="x", LOG_LEVEL="x").insist()
