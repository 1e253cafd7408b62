"""A restore: into an empty installation, all of it or nothing.

The archive is read twice. The first time nothing but to know that it is whole. The second time its
dump goes into one transaction and its files into a folder beside those that count; only when that
reading has ended well, too, the files get their place and the transaction is committed. A letter
that is in the dump cannot be claimed for a moment: the same transaction pauses the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from helpdesk.backup import archive, emptiness, manifest, tools
from helpdesk.backup.folder import Arriving
from helpdesk.backup.loading import Load, MaybeLoaded
from notifications import pausing
from notifications.models import OutboxPause


class NotEmpty(Exception):
    """There is something here already; the message says what."""


def verify(file: IO[bytes]) -> dict[str, Any]:
    """Read all of an archive; gives its manifest.

    Raises ``archive.Damaged``, and ``manifest.Unfit`` where this installation cannot go on with it.
    """
    told = archive.walk(file)
    manifest.check(told, server=tools.server_major())
    return told


def refuse_unless_empty() -> None:
    """Raises ``NotEmpty`` where tables hold rows, or the folder files."""
    found = [*emptiness.in_database(), *emptiness.in_folder(Path(settings.MEDIA_ROOT))]
    if found:
        raise NotEmpty(
            "A backup is restored into an empty installation only. Here are: " + "; ".join(found)
        )


def restore(
    file: IO[bytes], *, told: dict[str, Any], now: datetime, say: Callable[[str], None]
) -> OutboxPause:
    """Restore an archive that was verified; gives the pause in which its letters wait.

    Raises ``archive.Damaged``, ``loading.NotLoaded``, ``tools.NoTools``, ``OSError``: nothing has
    changed then.
    """
    client = tools.find(
        at_least=max(int(told["pg_dump"]), tools.server_major()),
        programs=("pg_restore", "psql"),
    )
    connection.close()
    with ExitStack() as stack:
        files = stack.enter_context(Arriving(Path(settings.MEDIA_ROOT)))
        load = stack.enter_context(Load(client, told))
        archive.walk(file, _Both(load, files))
        load.finish()
        files.settle()
        # From here on a power cut leaves files and no rows, which the next restore names.
        try:
            load.commit()
        except MaybeLoaded:
            files.stay()  # rows without files would be worse than files without rows
            raise
        files.stay()
    connection.close()
    ContentType.objects.clear_cache()
    say("Database and files are restored, and the outbox is paused.")
    prepare(say)
    return pausing.doubt(now=now)


def prepare(say: Callable[[str], None]) -> None:
    """Bring a database of an older release up to this one, as an upgrade does."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("setup", stdout=StringIO())
    say("The database is at this release.")


class _Both:
    """Takes an archive apart: parts of the dump to the database, files to their folder."""

    def __init__(self, load: Load, files: Arriving) -> None:
        self._load = load
        self._files = files

    def database(self, part: bytes) -> None:
        self._load.part(part)

    def file(self, name: str, content: Iterator[bytes]) -> None:
        self._files.put(name, content)
