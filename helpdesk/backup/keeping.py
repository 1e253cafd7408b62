"""Where an archive is kept: under its name only when it is whole and on the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

PREFIX, SUFFIX, PART = "helpdesk-", ".tar", ".part"
_NAME = re.compile(rf"{PREFIX}[0-9]{{8}}T[0-9]{{6}}Z{re.escape(SUFFIX)}")


class InTheWay(Exception):
    """There is something of that name already."""


def name_at(at: datetime) -> str:
    """An archive's name in a folder of them; in the order of time."""
    return f"{PREFIX}{at:%Y%m%dT%H%M%SZ}{SUFFIX}"


@contextlib.contextmanager
def kept(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, for its owner alone, that gets its name if nothing is raised.

    What earlier writers left that were killed goes first. Raises ``InTheWay``, ``OSError``.
    """
    if path.exists():
        raise InTheWay(f"{path} is there already.")
    _sweep(path.parent)
    handle, made = tempfile.mkstemp(prefix=f".{PREFIX}", suffix=PART, dir=path.parent)
    part = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            # Held while it is written, so that others know whether its writer lives.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(file.fileno())
            # Not rename, which would take the place of one that was quicker.
            os.link(part, path)
    except FileExistsError:
        raise InTheWay(f"{path} is there already.") from None
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def thin_out(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest archives of a folder; gives those that went."""
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    old = found[:-keep] if keep else []
    for path in old:
        path.unlink()
    return old


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    for left in folder.glob(f".{PREFIX}*{PART}"):
        with contextlib.suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
