"""A backup: one snapshot of the database, and every file that a row in it names.

The database comes first. Files are written once, before the row that names them, and not changed
afterwards: whatever the snapshot names is there, unless it was deleted meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Collate

from helpdesk import __version__
from helpdesk.backup import manifest, tools
from helpdesk.backup.archive import FILES, Writer, is_safe
from tickets.models import Attachment
from training.models import LessonVideo

#: Rows that a restored installation does without: whoever was signed in signs in again.
LEFT_OUT = ("django_session", "django_cache")
#: As fast as the disk of a small machine, and a few percent larger than the default.
COMPRESSION = "gzip:3"
#: Names of files that are not there, in the manifest.
_TOLD = 100


class NotMade(Exception):
    """The backup could not be made; the message says why."""


@dataclass
class Made:
    """What a backup holds."""

    manifest: dict[str, Any] = field(default_factory=dict)
    seal: str = ""
    size: int = 0
    #: Files that rows name and that were not there, or are not what their row says.
    wrong: list[str] = field(default_factory=list)


def make(out: IO[bytes]) -> Made:
    """Write a backup. Raises ``NotMade``, ``tools.NoTools``, ``OSError``; what is written is void
    then.
    """
    server = tools.server_major()
    client = tools.find(at_least=server)
    made = Made()
    with transaction.atomic():
        snapshot, at, schema = _snapshot()
        writer = Writer(out, at=at)
        dumped = _database(client, writer, snapshot=snapshot, schema=schema)
        counted = manifest.counts()
        applied = manifest.migrations()
        count, size = _files(writer, made)
    made.manifest = {
        "release": __version__,
        "made_at": at.isoformat(),
        "schema": schema,
        "postgresql": server,
        "pg_dump": client.major,
        "migrations": applied,
        "counts": counted,
        "database": {"size": dumped},
        "files": {"count": count, "size": size, "wrong": made.wrong[:_TOLD]},
        "settings": manifest.told_settings(),
        "keys": manifest.keys(),
    }
    made.seal = writer.finish(made.manifest)
    made.size = writer.size
    return made


def _snapshot() -> tuple[str, datetime, str]:
    """Begin a snapshot that pg_dump can join; gives its id, its moment and the schema."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # It waits while pg_dump and whoever takes the archive are at work.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot(), now(), current_schema()")
        snapshot, at, schema = cursor.fetchone()
    return snapshot, at, schema


def _database(client: tools.Tools, writer: Writer, *, snapshot: str, schema: str) -> int:
    command, environment = tools.connected(
        client.program("pg_dump"),
        *("--format=custom", f"--compress={COMPRESSION}", f"--snapshot={snapshot}"),
        *("--no-owner", "--no-privileges", f"--schema={schema}", "--no-password"),
        *(f"--exclude-table-data={schema}.{table}" for table in LEFT_OUT),
    )
    with tempfile.TemporaryFile() as said:
        dump = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        try:
            assert dump.stdout is not None
            size = writer.add_database(dump.stdout)
        except BaseException:
            dump.kill()
            raise
        finally:
            dump.wait()
            if dump.stdout is not None:
                dump.stdout.close()
        if dump.returncode:
            said.seek(0)
            raise NotMade(f"pg_dump failed: {said.read(2000).decode(errors='replace').strip()}")
    return size


def _files(writer: Writer, made: Made) -> tuple[int, int]:
    """Write the files that the snapshot names; tells how many, and their bytes."""
    count = total = 0
    folder = Path(settings.MEDIA_ROOT)
    for name, size, digest in _named():
        found = _open(folder, name)
        if found is None:
            made.wrong.append(f"{name}: is not there")
            continue
        with found as file:
            status = os.fstat(file.fileno())
            try:
                summed = writer.copy(
                    f"{FILES}{name}", file, size=status.st_size, mtime=status.st_mtime
                )
            except EOFError:
                raise NotMade(f"{name} became shorter while it was read.") from None
        if (status.st_size, summed) != (size, digest):
            made.wrong.append(f"{name}: is not what its row says")
        count += 1
        total += status.st_size
    return count, total


def _named() -> Iterator[tuple[str, int, str]]:
    """Every file that a row names, once, in the order of its bytes; size and SHA-256 by the row."""
    # In an order of bytes as a whole, since the one folder comes before the other.
    rows = chain.from_iterable(
        found.order_by(Collate("file", "C"), "pk")
        .values_list("file", "size", "sha256")
        .iterator(chunk_size=2000)
        for found in (Attachment.objects.exclude(file=""), LessonVideo.objects.all())
    )
    last = ""
    for name, size, digest in rows:
        if name != last:
            yield name, size, bytes(digest).hex()
        last = name


def _open(folder: Path, name: str) -> IO[bytes] | None:
    if not is_safe(name):
        return None
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    return os.fdopen(handle, "rb")
