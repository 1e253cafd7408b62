"""How often a visitor may do what costs us or somebody else's mailbox something."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest


@transaction.atomic
def is_too_often(what: str, who: str, *, at_most: int, within: timedelta, now: datetime) -> bool:
    """Whether somebody has done a thing ``at_most`` times in this stretch of time; counts it if not.

    Stretches follow one another, so that at their border twice as much may pass.
    """
    length = int(within.total_seconds())
    stretch = int(now.timestamp()) // length
    key = f"often:{what}:{stretch}:{sha256(who.lower().encode('utf-8', 'replace')).hexdigest()}"
    with connection.cursor() as cursor:
        # The cache reads and writes in two statements; whoever counts the same waits between.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    count: int = cache.get(key, 0)
    if count >= at_most:
        return True
    cache.set(key, count + 1, length)
    return False


def address_of(request: HttpRequest) -> str:
    """The network address a visitor comes from, as far as it can be believed.

    Each reverse proxy of ours appends one to ``X-Forwarded-For``; what stands before those is
    the visitor's own word.
    """
    proxies: int = settings.HELPDESK_PROXIES
    heard = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(heard) >= proxies and heard[-proxies]:
        return heard[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))
