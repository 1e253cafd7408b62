"""gunicorn's configuration: ``gunicorn -c python:helpdesk.webserver helpdesk.wsgi``, and in ``manage.py up``.

The names in lower case are gunicorn's own settings and hooks. Its lines go where all others go, and in
production a request leaves one: what gunicorn measured together with what ``requestlog.py`` found out.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from gunicorn import glogging

from helpdesk import declared, logs
from helpdesk.health import tally
from helpdesk.requestlog import FOUND

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Leaves both of gunicorn's logs to the handler that all other lines go through."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.apply(settings.LOGGING)
        for one in (self.error_log, self.access_log):
            one.handlers.clear()
            one.propagate = True
        # As much as ``LOG_LEVEL`` lets through, like all others.
        self.access_log.setLevel(logging.NOTSET)
        self._line: structlog.stdlib.BoundLogger = structlog.get_logger("gunicorn.access")

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """A line for a request, without its address, its headers and whoever sent it."""
        if not self.access_log_enabled:
            return
        found = environ.get(FOUND)
        # What asks after our health every few seconds is answered before anything is found out.
        level = (
            logging.DEBUG if found is None and str(resp.status).startswith("2") else logging.INFO
        )
        self._line.log(
            level,
            "request",
            method=environ.get("REQUEST_METHOD"),
            status=int(str(resp.status).split(None, 1)[0]),
            bytes=getattr(resp, "sent", None),
            duration_ms=round(request_time / timedelta(milliseconds=1), 1),
            **(found or {}),
        )


try:
    _env = settings.ENVIRONMENT
except ImproperlyConfigured as error:
    sys.exit(str(error))

bind = [f"127.0.0.1:{settings.PORT}"]
workers = _env[declared.WEB_CONCURRENCY]
threads = _env[declared.WEB_THREADS]
loglevel = _env[declared.LOG_LEVEL].lower()
accesslog = "-" if settings.PRODUCTION else None
logger_class = Logger
# Longer than a page may take, shorter than a container gets to end.
graceful_timeout = 25
worker_class = "helpdesk.webworker.Worker"
# Longer than proxies keep idle connections to us (a minute, mostly), so that never we are the ones who
# close one on which they are just sending. It costs a descriptor and no thread.
keepalive = 75
# A file that is touched every second belongs into memory.
_MEMORY = Path("/dev/shm")  # noqa: S108  # gunicorn makes its file there for itself alone
worker_tmp_dir = str(_MEMORY) if _MEMORY.is_dir() else None
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Before any worker is there, and before anything counts."""
    os.environ[tally.VARIABLE] = str(tally.folder_of(os.getpid()))


def child_exit(_server: Any, worker: Any) -> None:
    """Keep what a worker has counted that has ended, however that came."""
    if (counted := tally.current()) is not None:
        tally.inherit(counted[0], worker.pid)


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    counted = tally.current()
    if counted is not None and counted[1] == os.getpid():
        shutil.rmtree(counted[0], ignore_errors=True)
