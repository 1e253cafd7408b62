"""``Idempotency-Key``: a request that is sent again, or twenty times at once, has one effect.

The key's row is written before the work and in its transaction: whoever sends the same key
meanwhile waits in PostgreSQL for that transaction to end, and then finds the answer, or does the
work itself where it was not done. Only what was done is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from desk.api.problems import KEY_REUSED, Problem, invalid
from desk.models import IdempotentRequest
from staff.models import ApiToken

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 200
REMEMBERED = timedelta(hours=24)
#: Rows of old keys that are thrown away at once, so that no lock is held for long.
PURGED_AT_ONCE = 5_000

#: A key that is old enough to be forgotten is taken over as if it were new.
_TAKE = """
    INSERT INTO desk_idempotentrequest AS known (token_id, key, fingerprint, status, body, location, created_at)
    VALUES (%s, %s, %s, 0, '', '', %s)
    ON CONFLICT (token_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = 0, body = '', location = '', created_at = excluded.created_at
    WHERE known.created_at <= %s
    RETURNING id
"""


def once(
    *,
    request: HttpRequest,
    token: ApiToken | None,
    body: bytes,
    now: datetime,
    work: Callable[[], Response],
) -> HttpResponseBase:
    """Do the work in a transaction of its own, or give the answer it had before.

    Raises whatever the work raises, and ``Problem`` for a key that came with another request.
    """
    key = request.headers.get(HEADER)
    with transaction.atomic():
        if key is None or token is None:
            return work()
        if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
            raise invalid(
                HEADER, _("Send 1 to %(longest)s printable characters.") % {"longest": LONGEST}
            )
        fingerprint = _fingerprint(request, body)
        taken = _take(token, key, fingerprint, now)
        if taken is None:
            return _again(token, key, fingerprint)
        answer = work()
        IdempotentRequest.objects.filter(pk=taken).update(
            status=answer.status_code,
            body=JSONRenderer().render(answer.data).decode() if answer.data is not None else "",
            location=answer.headers.get("Location", ""),
        )
        return answer


def purge(*, now: datetime) -> int:
    """Forget what is older than a day; says how many, at most ``PURGED_AT_ONCE``."""
    old = IdempotentRequest.objects.filter(created_at__lte=now - REMEMBERED)
    doomed = list(old.order_by("created_at").values_list("pk", flat=True)[:PURGED_AT_ONCE])
    # Asked again: a key may have been taken over since.
    return old.filter(pk__in=doomed).delete()[0]


def _take(token: ApiToken, key: str, fingerprint: bytes, now: datetime) -> int | None:
    """The new row's id; None where the key is known. Waits for whoever is writing it."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [token.pk, key, fingerprint, now, now - REMEMBERED])
        row = cursor.fetchone()
    return int(row[0]) if row is not None else None


def _again(token: ApiToken, key: str, fingerprint: bytes) -> HttpResponse:
    known = IdempotentRequest.objects.get(token=token, key=key)
    if bytes(known.fingerprint) != fingerprint:
        raise Problem(
            KEY_REUSED,
            _("This key came with another request before. Send a new one for what is new."),
        )
    answer = HttpResponse(known.body, status=known.status, content_type="application/json")
    answer.headers[REPLAYED] = "true"
    if known.location:
        answer.headers["Location"] = known.location
    return answer


def _fingerprint(request: HttpRequest, body: bytes) -> bytes:
    asked = json.dumps([request.method, request.path])
    return sha256(asked.encode() + b"\n" + body).digest()
