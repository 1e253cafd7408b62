"""The ring after a commit: "look now", said to a worker through Redis.

A ring carries no data, and nothing depends on it: every worker looks by itself once an interval,
so with Redis away only that interval is lost. Therefore nothing here raises, and nothing waits
longer than two tenths of a second, and that only once in five.
"""

from __future__ import annotations

from functools import partial

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction

from notifications.quickredis import breaker, client

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Seconds in which a second ring for the same task is not passed on, unless it was silenced.
RING_LASTS_MS = 1000


def ring(task_name: str, queue: str) -> bool:
    """Tell a worker of this queue to run this task now; says whether a task was sent.

    The key in Redis absorbs a flurry of rings. It is set by a client with short timeouts before
    Celery is asked, since Celery's own client blocks for seconds when Redis is away.
    """
    if breaker.is_open:
        return False
    try:
        if not client().set(_key(task_name), 1, nx=True, px=RING_LASTS_MS):
            return False
        current_app.send_task(
            task_name,
            queue=queue,
            expires=max(settings.HELPDESK_ENGINE_INTERVAL, RING_LASTS_MS / 1000),
            retry=False,
            ignore_result=True,
        )
    except Exception as error:  # whatever a broker can raise, the commit it follows stands
        breaker.trip()
        logger.warning("ring_failed", rung=task_name, why=error)
        return False
    return True


def ring_after_commit(task_name: str, queue: str) -> None:
    """Ring once the transaction is committed, or at once outside of one."""
    transaction.on_commit(partial(ring, task_name, queue), robust=True)


def silence(task_name: str) -> None:
    """Let the next ring through: called by the task itself before it looks for the first time.

    What is committed after this is rung for again; what was committed before is about to be seen.
    """
    if breaker.is_open:
        return
    try:
        client().delete(_key(task_name))
    except redis.RedisError as error:
        breaker.trip()
        logger.warning("ring_not_silenced", rung=task_name, why=error)


def _key(task_name: str) -> str:
    return f"helpdesk:ring:{task_name}"
