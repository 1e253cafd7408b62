"""What gunicorn's arbiter does for the metrics of its workers: ``-c python:helpdesk.gunicorn``.

Production's configuration, ``webserver.py``, has it as well.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from helpdesk.health import tally


def on_starting(_server: Any) -> None:
    """Before any worker is there, and before anything counts."""
    os.environ[tally.VARIABLE] = str(tally.folder_of(os.getpid()))


def child_exit(_server: Any, worker: Any) -> None:
    """A worker has ended, however that came."""
    if (counted := tally.current()) is not None:
        tally.inherit(counted[0], worker.pid)


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    counted = tally.current()
    if counted is not None and counted[1] == os.getpid():
        shutil.rmtree(counted[0], ignore_errors=True)
