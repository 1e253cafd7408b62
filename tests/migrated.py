"""A PostgreSQL with all tables in it, made once for a set of migrations and copied by who needs one.

To migrate an empty database takes seven seconds of processor time, to copy one that is a tenth of a
second. It is kept between runs, beside what pytest keeps; who runs first makes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg2

from helpdesk.embedded import Hold
from helpdesk.supervisor import lock

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / f".pytest_cache/migrated-{os.geteuid()}"
NAME = "helpdesk"
"""Of the database in it that has all tables."""


def copy(data: Path) -> None:
    """Put a copy in the place of a PostgreSQL's data, which is not there yet."""
    KEPT.mkdir(parents=True, exist_ok=True)
    alone = lock(KEPT / "lock", fcntl.LOCK_EX)
    try:
        made = KEPT / _edition()
        if not made.exists():
            _make(made)
        data.parent.mkdir(parents=True, exist_ok=True)
        _copy(made, data)
    finally:
        os.close(alone)


def _edition() -> str:
    """Names all that decides what is in it."""
    told = sha256()
    for path in _deciding():
        told.update(f"{path.relative_to(ROOT)}\0".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:16]


def _deciding() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*/migrations/*.py"))
    # Whose migrations and programs are installed.
    yield ROOT / "requirements/dev.txt"


def _make(made: Path) -> None:
    for other in KEPT.iterdir():
        if other.is_dir():
            shutil.rmtree(other)
    with tempfile.TemporaryDirectory(prefix="hdt-made-", dir="/tmp") as name:
        folder = Path(name)
        # As root the server runs as another user, who must be able to walk through.
        folder.chmod(0o711)
        hold = Hold(folder, durable=False)
        try:
            environment = {
                **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
                "DATABASE_URL": hold.database_url,
                "REDIS_URL": hold.redis_url,
                "HELPDESK_DATA_DIR": str(folder),
                "SECRET_KEY": "only-for-tests",
            }
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=ROOT,
                env=environment,
                check=True,
            )
            place = _place(hold)
        finally:
            hold.release()
        draft = made.with_suffix(".new")
        _copy(place, draft)
        draft.rename(made)
    if not place.is_relative_to(folder):
        shutil.rmtree(place.parent, ignore_errors=True)


def _place(hold: Hold) -> Path:
    """Where a server's data stands: not below its folder, where its account cannot reach that."""
    connection = psycopg2.connect(hold.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('data_directory')")
            [place] = cursor.fetchone() or ("",)
    finally:
        connection.close()
    return Path(place)


def _copy(source: Path, target: Path) -> None:
    """With owners and rights, which PostgreSQL looks at."""
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)
