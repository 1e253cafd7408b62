"""The files of a restore: beside their place until all of them are there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from helpdesk.backup.keeping import sync_folder

PREFIX = ".restoring-"


class Arriving:
    """Files on their way into a folder; it stays as it was unless ``stay`` is reached."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settled: list[Path] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Below the folder itself, which may be a volume of its own.
        self._beside = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._folder))
        self._held = os.open(self._beside, os.O_RDONLY | os.O_DIRECTORY)
        # Held while it is filled, so that the next restore knows whether anybody does.
        fcntl.flock(self._held, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for each in self._settled:
            shutil.rmtree(each, ignore_errors=True)
        shutil.rmtree(self._beside, ignore_errors=True)
        os.close(self._held)

    def put(self, name: str, content: Iterator[bytes]) -> None:
        """Write one file; its name is known to stay below the folder."""
        path = self._beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nothing is written over, and no link is followed, whatever the archive says.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "wb") as file:
            for data in content:
                file.write(data)

    def settle(self) -> None:
        """Have all of it on the disk, and in its place."""
        os.sync()
        for each in sorted(self._beside.iterdir()):
            place = self._folder / each.name
            with contextlib.suppress(OSError):
                place.rmdir()  # an empty folder may stand there; one with files makes the next fail
            each.rename(place)
            self._settled.append(place)
        sync_folder(self._folder)

    def stay(self) -> None:
        self._settled.clear()


def clear_left(folder: Path) -> None:
    """Remove what restores left that were killed."""
    for left in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            held = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(held)
