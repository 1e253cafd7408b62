"""An installation on servers of its own, for benchmarks: thrown away when they are done."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from pathlib import Path
from secrets import token_hex


@contextmanager
def installation() -> Iterator[None]:
    """PostgreSQL and Redis as ``make run`` starts them, migrated and set up."""
    folder = Path(tempfile.mkdtemp(prefix="hdb-", dir="/tmp"))
    folder.chmod(0o711)
    from helpdesk.embedded import Hold

    hold = Hold(folder)
    try:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="helpdesk.settings",
            DATABASE_URL=hold.database_url,
            REDIS_URL=hold.redis_url,
            HELPDESK_DATA_DIR=str(folder),
            SECRET_KEY=token_hex(32),
            HELPDESK_METRICS_TOKEN=token_hex(16),
            # What is due waits for the measurement.
            HELPDESK_READY_LIMITS="reviews_warning=inf,reviews_failed=inf",
            LOG_LEVEL="ERROR",
            # Who measures asks more often than anybody may.
            HELPDESK_API_RATE="999999999/minute",
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("setup", verbosity=0, stdout=StringIO())
        yield
    finally:
        hold.release()
        shutil.rmtree(folder, ignore_errors=True)


def fill(*, tickets: int, due: int, seed: int = 1) -> tuple[datetime, float]:
    """Load so many tickets, 30 % of them open; tells as of when, and how many seconds it took."""
    from django.core.management import call_command

    out = StringIO()
    call_command(
        "load_scale",
        tickets=tickets,
        due=due / tickets,
        seed=seed,
        json=True,
        verbosity=0,
        stdout=out,
    )
    said = json.loads(out.getvalue())
    return datetime.fromisoformat(said["as_of"]), float(said["took"])
