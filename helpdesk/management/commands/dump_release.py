import gzip
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.backup import tools


class Command(BaseCommand):
    help = (
        "Writes the database as gzipped SQL, such as a release leaves behind; kept under"
        " tests/upgrade/, it shows that later releases can migrate it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to write, such as 0.1.0.sql.gz")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            client = tools.find(at_least=tools.server_major())
        except tools.NoTools as error:
            raise CommandError(str(error)) from None
        command, environment = tools.connected(
            client.program("pg_dump"),
            *("--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"),
            # Whoever was signed in on this machine is no part of a release.
            *("--exclude-table-data=django_session", "--exclude-table-data=django_cache"),
        )
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode:
            raise CommandError(done.stderr.decode().strip())
        # psql's own commands are left out, so that any client can load it.
        lines = [line for line in done.stdout.splitlines(True) if not line.startswith(b"\\")]
        # No time in the header: the same database gives the same file.
        options["file"].write_bytes(gzip.compress(b"".join(lines), mtime=0))
        self.stdout.write(f"{options['file']}: {options['file'].stat().st_size:,} bytes")
