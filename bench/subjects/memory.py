"""What a worker of the engine takes while it works."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from django.conf import settings

from bench import figures
from bench.figures import Figure
from helpdesk.celery import app
from helpdesk.processes import commands
from tickets.models import Ticket

if TYPE_CHECKING:
    from bench.desk import Desk

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60.0


def worker(desk: Desk, put_off: list[int]) -> Figure:
    """The most memory any process of a Celery worker takes while it escalates these tickets."""
    from bench.subjects.engine import put_on

    put_on(put_off)
    process = subprocess.Popen(
        commands(port=os.getpid(), data_dir=Path(os.environ["HELPDESK_DATA_DIR"]))["engine"],
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
    )
    try:
        app.send_task(settings.HELPDESK_REVIEW_TASK, queue="engine")
        peaks = [_peak(process.pid)]
        until = time.monotonic() + PATIENCE
        while (
            time.monotonic() < until
            and Ticket.objects.filter(pk__in=put_off, review_at__lte=desk.as_of).exists()
        ):
            time.sleep(0.2)
            peaks.append(_peak(process.pid))
        time.sleep(1)
        peaks.append(_peak(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)
    return figures.of("engine worker", desk.size, [max(peaks)], "MiB", memory=max(peaks))


def _peak(pid: int) -> float:
    """The largest resident memory of a process or one of its children, in MiB."""
    found = 0.0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found = max(found, each.memory_info().rss / 2**20)
    return found
