"""How lines are logged: in production a JSON object each, in development for the eye.

Our own modules log with structlog, libraries with the standard library; both end in one handler.
Lines go to standard output, but for management commands, whose standard output is their answer:
theirs go to standard error.
"""

from __future__ import annotations

import contextlib
import json
import logging
import logging.config
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from helpdesk.redaction import Redaction

#: Whose lines ``LOG_LEVEL=DEBUG`` lets through; what libraries say then quotes what they handle.
OURS = ("desk", "escalation", "helpdesk", "notifications", "staff", "tickets", "django_structlog")
_QUIET: Mapping[str, str] = {
    # Each request has its line (``requestlog.py``), and these would name its address.
    "django.request": "CRITICAL",
    "django.security.csrf": "CRITICAL",
    # Each task has its lines, and these would quote what it raised.
    "celery.app.trace": "CRITICAL",
    "celery.worker.strategy": "WARNING",
    # A bell that nobody heard in time expires, which is how bells work.
    "celery.worker.request": "WARNING",
    # "Sending due task", every few seconds.
    "celery.beat": "WARNING",
    # Where Redis is, once a child.
    "celery.worker.consumer.connection": "WARNING",
}
_TICKET = "ticket:"
_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _name_the_ticket(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Apps below tickets know it by a word only: ``about="ticket:1042"`` is HD-1042."""
    about = event.get("about")
    if isinstance(about, str) and about.startswith(_TICKET):
        del event["about"]
        event["ticket"] = f"HD-{about.removeprefix(_TICKET)}"
    return event


def _first_things_first(_logger: object, _method: str, event: EventDict) -> EventDict:
    """For whoever reads them with no more than their eyes."""
    first = {name: event[name] for name in ("timestamp", "level", "event") if name in event}
    return first | dict(event)


_BEFORE: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    _name_the_ticket,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    _STAMP,
)


def configuration(*, production: bool, level: str, secrets: Collection[str]) -> dict[str, Any]:
    """The ``LOGGING`` of an installation; ``secrets`` are struck out wherever they would stand."""
    libraries = max(logging.getLevelNamesMapping()[level], logging.INFO)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _BEFORE,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *(_as_json(secrets) if production else _for_the_eye()),
                ],
            }
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": _stream(),
            }
        },
        "root": {"handlers": ["console"], "level": libraries},
        "loggers": {
            **{name: {"level": level} for name in OURS},
            **({name: {"level": least} for name, least in _QUIET.items()} if production else {}),
            # Django would write to the console and to admins by itself.
            "django": {"handlers": [], "level": libraries, "propagate": True},
        },
    }


def apply(configured: dict[str, Any]) -> None:
    """Make logging and structlog as ``LOGGING`` says; Django's ``LOGGING_CONFIG``."""
    logging.config.dictConfig(configured)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_BEFORE,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def say_at_once(message: str, stream: TextIO | None = None) -> None:
    """A line of Celery's from within a signal handler, where no lock may be taken."""
    line = {"level": "info", "event": message.strip(), "logger": "celery.apps.worker"}
    stamped = dict(_STAMP(None, "info", line))
    with contextlib.suppress(OSError, ValueError):
        os.write(
            (stream or sys.stdout).fileno(),
            f"{json.dumps(_first_things_first(None, 'info', stamped))}\n".encode(),
        )


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Only what goes wrong: thousands of tickets that a command makes up are no news."""
    levels = {name: logging.getLogger(name).level for name in OURS}
    for name in OURS:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _as_json(secrets: Collection[str]) -> list[Processor]:
    return [
        Redaction(secrets),
        _first_things_first,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _for_the_eye() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=_stream_is_a_terminal(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _stream() -> str:
    command = Path(sys.argv[0]).name == "manage.py"
    return "ext://sys.stderr" if command else "ext://sys.stdout"


def _stream_is_a_terminal() -> bool:
    stream = sys.stderr if _stream().endswith("stderr") else sys.stdout
    return stream is not None and stream.isatty()
