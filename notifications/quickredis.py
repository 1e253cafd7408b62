"""Redis for what must not wait for it: short timeouts, and a breaker while it does not answer.

What is kept there may be lost at any moment. Whoever asks first looks whether the breaker is open
and trips it on an error, so that of all callers one waits two tenths of a second, once in five.
"""

from __future__ import annotations

from functools import lru_cache
from time import monotonic

import redis
from django.conf import settings

#: Seconds for which Redis is left alone after it failed to answer.
BREAK_SECONDS = 5.0
_TIMEOUT = 0.2


class Breaker:
    """Remembers that something does not answer, so that the next callers need not wait."""

    def __init__(self) -> None:
        self._closed_from = 0.0

    @property
    def is_open(self) -> bool:
        return monotonic() < self._closed_from

    def trip(self) -> None:
        self._closed_from = monotonic() + BREAK_SECONDS

    def reset(self) -> None:
        self._closed_from = 0.0


breaker = Breaker()


def client() -> redis.Redis:
    """The client of this process for ``REDIS_URL``."""
    return _connected(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _connected(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry_on_timeout=False,
        health_check_interval=0,
    )
