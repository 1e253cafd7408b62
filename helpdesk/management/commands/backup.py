from __future__ import annotations

import errno
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.backup import keeping, making
from helpdesk.backup.making import Made, NotMade
from helpdesk.backup.tools import NoTools
from staff.bounds import between

MOST_KEPT = 10_000
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Command(BaseCommand):
    help = (
        "Writes database and files into one archive, while everything runs. It holds all that"
        " customers wrote, unencrypted, but neither SECRET_KEY nor HELPDESK_MAIL_KEYS: keep those"
        " apart. See docs/backup.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "path",
            nargs="?",
            help=(
                "a new file, a folder that gets one named for the time (default:"
                " HELPDESK_DATA_DIR/backups), or - for the standard output"
            ),
        )
        parser.add_argument(
            "--keep",
            type=between(int, 1, MOST_KEPT),
            metavar="N",
            help="remove all but the newest N archives of the folder, once this one is whole",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        keep = options["keep"]
        path, folder = _place(options["path"])
        if keep is not None and folder is None:
            raise CommandError("--keep is of a folder of archives.", returncode=2)
        try:
            if path is None:
                made = making.make(sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with keeping.kept(path) as file:
                    made = making.make(file)
        except (NotMade, NoTools, keeping.InTheWay) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(_why(error, path)) from None
        self._tell(made, path)
        if folder is not None and keep is not None:
            for old in keeping.thin_out(folder, keep=keep):
                self.stdout.write(f"{old} was removed.")

    def _tell(self, made: Made, path: Path | None) -> None:
        for wrong in made.wrong:
            self.stderr.write(f"warning: {wrong}")
        counts, files = made.manifest["counts"], made.manifest["files"]
        said = (
            f"{path or 'standard output'}: {made.size:,} bytes, {counts['tickets']:,} tickets,"
            f" {files['count']:,} files, sha256 {made.seal}"
        )
        (self.stderr if path is None else self.stdout).write(said)


def _place(given: str | None) -> tuple[Path | None, Path | None]:
    """The file to write, none for the standard output; and the folder, where one was given."""
    if given == "-":
        return None, None
    folder = Path(given or settings.HELPDESK_DATA_DIR / "backups")
    if given is None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(_why(error, folder)) from None
    if folder.is_dir():
        return folder / keeping.name_at(timezone.now()), folder
    return folder, None


def _why(error: OSError, path: Path | None) -> str:
    where = path.parent if path is not None else "the standard output"
    if path is None:
        # It cannot be flushed any more, which Python would try at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno in _FULL:
        return f"There is no room in {where}: no backup was made, and nothing of it is left."
    return f"{error.filename or where}: {error.strerror}; no backup was made."
