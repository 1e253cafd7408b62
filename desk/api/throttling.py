"""How often a token may ask: counted in Redis over stretches of time, or here while it is away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock

import redis
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications import quickredis

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a stretch of so many seconds."""

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a stretch after a request; ``reset`` in seconds from now."""

    limit: int
    used: int
    reset: int

    @property
    def is_spent(self) -> bool:
        return self.used > self.limit

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "RateLimit-Reset": str(self.reset),
        }


class Here:
    """Counts in this process, of the newest stretch alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stretch = 0
        self._counts: dict[str, int] = {}

    def add(self, who: str, stretch: int) -> int:
        with self._lock:
            if stretch != self._stretch:
                self._stretch, self._counts = stretch, {}
            self._counts[who] = self._counts.get(who, 0) + 1
            return self._counts[who]


here = Here()


def count(*, who: str, now: datetime) -> Allowance:
    """Count a request. Never raises for Redis: without it each process counts for itself."""
    rate = rate_of(settings.HELPDESK_API_RATE)
    second = int(now.timestamp())
    stretch = second // rate.seconds
    used = _in_redis(f"helpdesk:rate:{who}:{stretch}", rate.seconds)
    if used is None:
        used = here.add(who, stretch)
    return Allowance(rate.requests, used, (stretch + 1) * rate.seconds - second)


def _in_redis(key: str, seconds: int) -> int | None:
    if quickredis.breaker.is_open:
        return None
    try:
        client = quickredis.client()
        used = int(client.incr(key))
        if used == 1:
            client.expire(key, 2 * seconds)
        return used
    except redis.RedisError as error:
        quickredis.breaker.trip()
        logger.warning("request_not_counted", why=error)
        return None


@lru_cache(maxsize=4)
def rate_of(text: str) -> Rate:
    """Read ``600/minute``."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ImproperlyConfigured(
            f"HELPDESK_API_RATE is {text!r}; write it as 600/minute (or second, hour, day)."
        )
    return Rate(int(found[1]), _SECONDS[found[2]])
