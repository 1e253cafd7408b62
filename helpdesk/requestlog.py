"""What a request leaves in the log: its id, route, ticket, user and outcome, never its address.

An address may hold a key from a letter or what somebody searches for, so that the route stands for
it: ``tickets/<str:reference>/``. The id is taken from ``X-Request-ID`` where a proxy sets a
well-formed one, is made otherwise, and is answered in the same header. The web server's access line
(``webserver.py``) takes up what is found out here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

HEADER = "X-Request-ID"
#: Where the access line finds what was found out about a request.
FOUND = "helpdesk.log"
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_TICKET = re.compile(r"HD-[1-9][0-9]{0,11}")

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class RequestLogMiddleware(RequestMiddleware):
    """Stands first, so that everything that is logged of a request carries its id."""

    def prepare(self, request: HttpRequest) -> None:
        structlog.contextvars.clear_contextvars()
        given = request.headers.get(HEADER, "")
        request_id = given if _WELL_FORMED.fullmatch(given) else str(uuid4())
        structlog.contextvars.bind_contextvars(request_id=request_id)
        request.META[FOUND] = {"request_id": request_id}
        logger.debug("request_started", method=request.method)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        found = _found(request)
        request.META[FOUND] = found
        response[HEADER] = found["request_id"]
        super().handle_response(request, response)

    def process_view(
        self,
        request: HttpRequest,
        _view: Callable[..., HttpResponse],
        _positional: tuple[Any, ...],
        _named: Mapping[str, Any],
    ) -> None:
        """Now the address is read: what is logged from here on says which ticket it is about."""
        structlog.contextvars.bind_contextvars(**_found(request))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """By its id, and only where somebody else has asked already who it is."""
        structlog.contextvars.bind_contextvars(**_found(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {_found(request).get('route', '?')}"


def _found(request: HttpRequest) -> dict[str, Any]:
    """What is known about a request by now, as it is logged."""
    # What breaks before this middleware has begun is told without an id.
    found: dict[str, Any] = dict(request.META.get(FOUND, {}))
    if (match := request.resolver_match) is not None:
        found["route"] = f"/{match.route}"
        # A page's address names a ticket by its reference, the API's by its number.
        named = match.kwargs.get("reference") or f"HD-{match.kwargs.get('ticket')}"
        if _TICKET.fullmatch(str(named)):
            found["ticket"] = str(named)
    if (user_id := _user_id(request)) is not None:
        found["user_id"] = user_id
    return found


def _user_id(request: HttpRequest) -> int | None:
    """Whoever signed in, or whose token it is; asking for it here would cost every request a query."""
    # Of a session, and of a token; a user is a promise to look until somebody asks.
    for known in (getattr(request, "_cached_user", None), request.__dict__.get("user")):
        pk = known.__dict__.get("id") if known is not None else None
        if isinstance(pk, int):
            return pk
    return None
