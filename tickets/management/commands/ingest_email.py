"""``manage.py ingest_email``: the door for mail from a mail server, a file or a folder."""

from __future__ import annotations

import json
import mailbox
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure
from django.utils import timezone

from tickets.inbound.ingest import ingest
from tickets.inbound.reader import limits
from tickets.inbound.storing import NotAccepted

#: EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and tries again.
TRY_AGAIN = 75


class Command(BaseCommand):
    help = (
        "Take in raw e-mails and print one JSON line for each: source, outcome (created, appended,"
        " duplicate, ignored, suspended, quarantined), ticket and reason. Ends with 75 if a"
        " message could not even be stored, so that a mail server tries again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths",
            nargs="*",
            default=["-"],
            metavar="FILE|DIR|-",
            help="A message; a folder of messages; an .mbox file; - for one on standard input.",
        )
        parser.add_argument(
            "--mailbox", default="", help="The address the messages were delivered to."
        )
        parser.add_argument(
            "--envelope-from",
            default=None,
            metavar="ADDRESS",
            help="The SMTP sender, empty for the null return path; left out where unknown.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = True
        for path in options["paths"] or ["-"]:
            for source, raw in self._messages(path):
                kept &= self._take(
                    source, raw, mailbox=options["mailbox"], sender=options["envelope_from"]
                )
        if not kept:
            raise CommandError("Not everything could be stored.", returncode=TRY_AGAIN)

    def _take(self, source: str, raw: bytes | OSError, *, mailbox: str, sender: str | None) -> bool:
        """Whether it is stored now, whatever became of it."""
        if isinstance(raw, OSError):
            self.stderr.write(f"{source}: {raw.strerror or raw}")
            return False
        try:
            outcome = ingest(
                raw=raw, source=source, mailbox=mailbox, envelope_from=sender, now=timezone.now()
            )
        except (DatabaseFailure, NotAccepted) as error:
            self.stderr.write(f"{source}: could not be stored: {error}")
            return False
        line = {
            "source": source,
            "outcome": outcome.outcome,
            "ticket": outcome.ticket,
            "reason": outcome.reason,
        }
        self.stdout.write(json.dumps(line))
        self.stdout.flush()
        return True

    def _messages(self, path: str) -> Iterator[tuple[str, bytes | OSError]]:
        """Each message with what it is called, one in memory at a time."""
        # One byte more than is kept shows that it is too much.
        most = limits().accepted + 1
        if path == "-":
            yield "-", sys.stdin.buffer.read(most)
            return
        for file in self._files(Path(path)):
            try:
                if file.suffix == ".mbox":
                    yield from _in_mbox(file)
                else:
                    with file.open("rb") as stream:
                        raw = stream.read(most)
                    yield str(file), raw
            except OSError as error:
                yield str(file), error

    def _files(self, path: Path) -> Iterator[Path]:
        if not path.is_dir():
            yield path
            return
        for file in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.is_file() and not hidden:
                yield file


def _in_mbox(file: Path) -> Iterator[tuple[str, bytes]]:
    box = mailbox.mbox(str(file), create=False)
    try:
        for key in box.iterkeys():
            yield f"{file}#{key}", box.get_bytes(key)
    except mailbox.NoSuchMailboxError as error:
        raise FileNotFoundError(2, "No such file", str(file)) from error
    finally:
        box.close()
