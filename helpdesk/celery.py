"""The Celery app and the whole timetable.

PostgreSQL holds every timer; Celery only says "look now". So losing all of Redis costs one
interval, and a task that runs twice finds nothing left to do.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import warnings
from typing import Any
from urllib.parse import parse_qs, urlsplit

import celery.app.amqp
import celery.apps.worker
import kombu
import structlog
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init, worker_shutting_down
from celery.worker import state
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import receiver
from django_structlog.celery.signals import (
    bind_extra_task_metadata,
    modify_context_before_task_publish,
)
from django_structlog.celery.steps import DjangoStructLogInitStep

from helpdesk import logs
from helpdesk.supervisor import tie_to_parent
from notifications import closingtime, openingtime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis address (it knows ``redis+socket://`` where redis-py has
    ``unix://``).
    """
    url = urlsplit(redis_url)
    if url.scheme != "unix":
        return redis_url
    number = parse_qs(url.query).get("db", ["0"])[0]
    return f"redis+socket://{url.path}?virtual_host={number}"


#: A task not acknowledged for so many seconds is given to another worker. The same in the three
#: places that Celery's documentation names, or the longest wins.
VISIBILITY_TIMEOUT = 300

BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_TIMEOUT,
    # Without these two a task lost with its worker came back after five timeouts.
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 10,
    "socket_keepalive": True,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "health_check_interval": 25,
}

try:
    PRODUCTION = settings.PRODUCTION
except ImproperlyConfigured as error:
    # A line for each thing to set; where that was found out helps nobody who sets it.
    sys.exit(str(error))
#: Seconds that a worker's children have for what they do when it is asked to end; then they are
#: interrupted as if a task's soft time limit had come. Whoever stops it waits half a minute at least.
LAST_SECONDS = 20.0

if not PRODUCTION:
    # On a machine of one's own it would be the first eight lines that root reads.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")

#: Seconds at most between two attempts to find a broker that is away.
LONGEST_WAIT_FOR_BROKER = 2


class _Connection(kombu.Connection):
    """Kombu's, which would let half a minute pass between two attempts once it has waited long.

    Workers are to be back within an interval of the broker's return, however long it was away.
    """

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        options.setdefault("interval_max", LONGEST_WAIT_FOR_BROKER)
        return super().ensure_connection(*args, **options)


class _AMQP(celery.app.amqp.AMQP):
    Connection = _Connection


app = Celery("helpdesk", amqp=_AMQP)
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL),
    broker_transport_options=BROKER_TRANSPORT_OPTIONS,
    result_backend_transport_options={"visibility_timeout": VISIBILITY_TIMEOUT},
    visibility_timeout=VISIBILITY_TIMEOUT,
    broker_connection_retry_on_startup=True,
    # Celery's hundred attempts end after three quarters of an hour, and the worker with them.
    broker_connection_max_retries=None,
    task_ignore_result=True,
    task_acks_late=True,
    # With acks_late alone, the task of a killed child is not run again for minutes.
    task_reject_on_worker_lost=True,
    task_time_limit=60,
    task_soft_time_limit=45,
    task_default_queue="default",
    # Slow SMTP must not take the engine's children, so mail has a worker of its own.
    task_routes={
        "escalation.tasks.*": {"queue": "engine"},
        # And so have webhooks: their receivers may hang, and they tell when mail does.
        settings.HELPDESK_WEBHOOK_TASK: {"queue": "webhooks"},
        "notifications.tasks.*": {"queue": "mail"},
    },
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    beat_max_loop_interval=1,
    beat_schedule={
        "look at what is due": {
            "task": settings.HELPDESK_REVIEW_TASK,
            "schedule": settings.HELPDESK_ENGINE_INTERVAL,
            "options": {"queue": "engine", "expires": settings.HELPDESK_ENGINE_INTERVAL},
        },
        "send letters": {
            "task": settings.HELPDESK_MAIL_TASK,
            "schedule": settings.HELPDESK_MAIL_INTERVAL,
            "options": {"queue": "mail", "expires": settings.HELPDESK_MAIL_INTERVAL},
        },
        "tell webhooks": {
            "task": settings.HELPDESK_WEBHOOK_TASK,
            "schedule": settings.HELPDESK_WEBHOOK_INTERVAL,
            "options": {"queue": "webhooks", "expires": settings.HELPDESK_WEBHOOK_INTERVAL},
        },
        # It looks whether the day has come; the day itself stands in the database.
        "check oneself": {
            "task": settings.HELPDESK_CHECK_TASK,
            "schedule": 300.0,
            "options": {"queue": "default", "expires": 300.0},
        },
        "keep training up": {
            "task": "training.tasks.keep_up",
            "schedule": 300.0,
            "options": {"queue": "default", "expires": 300.0},
        },
        "forget requests of the API": {
            "task": "desk.tasks.forget_requests",
            "schedule": 3600.0,
            "options": {"queue": "default", "expires": 3600.0},
        },
    },
)
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def log_like_everything_else(loglevel: int, **_: object) -> None:
    """Celery's own lines go where all others go; ``--loglevel`` says which of them."""
    logs.apply(settings.LOGGING)
    if PRODUCTION:
        # It would be the one line that no program can read.
        celery.apps.worker.safe_say = logs.say_at_once  # type: ignore[attr-defined]
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(max(loglevel, logging.root.level))


@receiver(modify_context_before_task_publish)
def hand_on_who_rang(context: dict[str, Any], **_: object) -> None:
    """A task is about whatever is due: of the request that rang for it, it inherits the id alone."""
    for name in context.keys() - {"request_id", "parent_task_id"}:
        del context[name]


@receiver(bind_extra_task_metadata)
def name_the_task(task: Any, **_: object) -> None:
    """What is logged while a task runs says which, beside its id."""
    structlog.contextvars.bind_contextvars(task=task.name)


@worker_init.connect
def begin(**_: object) -> None:
    """Before there are children, which have what is loaded by now in common."""
    openingtime.begin()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A child whose worker was killed would wait for ever; have the kernel end it, too."""
    tie_to_parent(signal.SIGKILL, os.getppid())


@worker_shutting_down.connect
def end_soon(**_: object) -> None:
    """Have every child finish the piece it is at, and interrupt whoever hangs."""
    closingtime.say()
    last_call = threading.Timer(LAST_SECONDS, interrupt)
    last_call.daemon = True
    last_call.start()


def interrupt() -> None:
    """Raise ``SoftTimeLimitExceeded`` in every child that still has a task."""
    for request in tuple(state.active_requests):
        # A thread of ours cannot be interrupted, and what it does has deadlines of its own.
        if request.worker_pid and request.worker_pid != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(request.worker_pid, signal.SIGUSR1)
