from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.backup import folder, manifest, restoring
from helpdesk.backup.archive import Damaged
from helpdesk.backup.loading import MaybeLoaded, NotLoaded
from helpdesk.backup.manifest import Unfit
from helpdesk.backup.restoring import NotEmpty
from helpdesk.backup.tools import NoTools


class Command(BaseCommand):
    help = (
        "Restores a backup into an empty installation: database and files, or nothing. Letters and"
        " webhooks are paused until somebody lets them go (manage.py outbox). See docs/backup.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("archive", type=Path, help="a file that manage.py backup has written")
        parser.add_argument(
            "--check",
            action="store_true",
            help="only verify the archive, every byte of it; nothing is touched",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        path: Path = options["archive"]
        try:
            with path.open("rb") as file:
                if not options["check"]:
                    folder.clear_left(Path(settings.MEDIA_ROOT))
                    restoring.refuse_unless_empty()
                told = restoring.verify(file)
                self.stdout.write(_sentence(path, told))
                for warning in manifest.warnings(told):
                    self.stderr.write(f"warning: {warning}")
                if options["check"]:
                    return
                pause = restoring.restore(
                    file, told=told, now=timezone.now(), say=self.stdout.write
                )
        except Damaged as error:
            raise CommandError(f"{path} is not whole, and nothing was touched. {error}") from None
        except (Unfit, NotEmpty, NotLoaded, NoTools) as error:
            raise CommandError(str(error)) from None
        except MaybeLoaded as error:
            raise CommandError(
                f"{error}\nThe connection was lost at the very end. If `manage.py outbox status` says"
                f" that it is paused, the backup is restored; else remove {settings.MEDIA_ROOT}"
                " and restore again."
            ) from None
        except OSError as error:
            raise CommandError(f"{error.filename or path}: {error.strerror}") from None
        self.stdout.write(
            f"Nothing is sent before somebody says so: see {settings.HELPDESK_BASE_URL}/mail/pause/"
            f" or `manage.py outbox status`. What waited at {pause.copied_at:%Y-%m-%d %H:%M} UTC may"
            " have been sent since, by the installation this was made of."
        )


def _sentence(path: Path, told: dict[str, Any]) -> str:
    counts, files = told["counts"], told["files"]
    wrong = f", {len(files['wrong'])} of them not as they should be" if files["wrong"] else ""
    return (
        f"{path} is whole: made at {told['made_at']} by release {told['release']};"
        f" {counts['tickets']:,} tickets, {counts['letters']:,} letters, {files['count']:,} files"
        f"{wrong}."
    )
