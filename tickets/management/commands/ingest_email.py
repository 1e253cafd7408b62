"""``manage.py ingest_email``: the door for mail from a mail server, a file or a folder."""

from __future__ import annotations

import json
import mailbox
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError as DatabaseFailure
from django.utils import timezone

from tickets.inbound.ingest import Outcome, ingest_all
from tickets.inbound.reader import limits
from tickets.inbound.storing import Arriving, NotAccepted

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
        self._kept = True
        with closing(ingest_all(mails=self._arriving(options), clock=timezone.now)) as taken:
            for mail, became in taken:
                self._tell(mail.source, became)
        if not self._kept:
            raise CommandError("Not everything could be stored.", returncode=TRY_AGAIN)

    def _arriving(self, options: dict[str, Any]) -> Iterator[Arriving]:
        for path in options["paths"] or ["-"]:
            for source, raw in self._messages(path):
                if isinstance(raw, OSError):
                    self._kept = False
                    self.stderr.write(f"{source}: {raw.strerror or raw}")
                else:
                    yield Arriving(
                        raw=raw,
                        source=source,
                        mailbox=options["mailbox"],
                        envelope_from=options["envelope_from"],
                    )

    def _tell(self, source: str, became: Outcome | NotAccepted | DatabaseFailure) -> None:
        if not isinstance(became, Outcome):
            self._kept = False
            self.stderr.write(f"{source}: could not be stored: {became}")
            return
        line = {
            "source": source,
            "outcome": became.outcome,
            "ticket": became.ticket,
            "reason": became.reason,
        }
        self.stdout.write(json.dumps(line))
        self.stdout.flush()

    def _messages(self, path: str) -> Iterator[tuple[str, bytes | OSError]]:
        """Each message with what it is called."""
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
