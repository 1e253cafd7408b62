"""What every address of the API does before and after its own work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from desk.api import bodies, idempotency, listing, throttling
from desk.api.authentication import BearerAuthentication
from desk.api.fields import Shape
from desk.api.operations import Kind, Operation, operation_of
from desk.api.problems import (
    METHOD,
    MISSING_SCOPE,
    NOT_ACCEPTABLE,
    THROTTLED,
    Problem,
    handle,
)
from desk.api.schema import Schema
from desk.api.telling import shape
from staff.models import ApiToken, User

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Negotiation(BaseContentNegotiation):
    """JSON is what there is; ``Accept`` may ask for it in any of its usual ways."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        renderer = renderers[0]
        return renderer, renderer.media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]


class ApiView(APIView):
    """An address. Its methods are declared with ``operations.operation`` and get what they need
    from here: ``user``, ``now``, and ``sent``, the body as its shape read it.

    A method that writes runs in one transaction with the memory of its ``Idempotency-Key``, so
    that it happens once or, where it is refused, not at all.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = Negotiation
    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    schema = Schema()
    #: Under which heading the docs show it.
    tag: ClassVar[str] = ""

    sent: dict[str, Any]

    @property
    def user(self) -> User:
        """Who asks; the framework has seen to it that it is somebody."""
        user: User = self.request.user  # type: ignore[assignment]
        return user

    @property
    def token(self) -> ApiToken | None:
        return self.request.auth if isinstance(self.request.auth, ApiToken) else None

    @cached_property
    def now(self) -> datetime:
        """The request's one moment."""
        return timezone.now()

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return handle

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        response: HttpResponseBase
        try:
            self.initial(self.request)
            response = self._carry_out(self._operation)
        except Exception as error:
            response = self.handle_exception(error)
        return self.finalize_response(self.request, response, *args, **kwargs)  # type: ignore[arg-type]

    @property
    def _operation(self) -> Operation:
        found = operation_of(self, self.request.method or "")
        if found is None:
            raise Problem(
                METHOD,
                _("Allowed here: %(methods)s.") % {"methods": ", ".join(self.allowed_methods)},
            )
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, how often, in which language of the wire, and whether the token may."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(
            request
        )
        self.perform_authentication(request)
        if not isinstance(request.user, User):
            self.permission_denied(request)
        if self.token is not None:
            self._count(self.token)
        operation = self._operation
        _must_accept(request.META.get("HTTP_ACCEPT", ""), file=operation.file)
        if self.token is not None and operation.scope is not None:
            self._must_have(self.token, operation.scope)
        allowed = operation.listing.keys if operation.listing is not None else []
        listing.check_keys(request._request.GET, allowed)

    def _count(self, token: ApiToken) -> None:
        allowance = throttling.count(who=f"token:{token.pk}", now=self.now)
        self.headers.update(allowance.headers)
        if allowance.is_spent:
            raise Problem(
                THROTTLED,
                _("Again in %(seconds)s s.") % {"seconds": allowance.reset},
                headers={"Retry-After": str(allowance.reset)},
            )

    def _must_have(self, token: ApiToken, scope: str) -> None:
        if scope not in token.scopes:
            raise Problem(
                MISSING_SCOPE,
                _("This needs the scope %(scope)s.") % {"scope": scope},
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
                scope=str(scope),
            )

    def _carry_out(self, operation: Operation) -> HttpResponseBase:
        method = (self.request.method or "").lower()
        handler = getattr(self, method)
        if method.upper() not in _WRITES:
            answer: HttpResponseBase = handler(**self.kwargs)
            return answer
        request = self.request._request
        body = bodies.read(request, largest=operation.largest())
        said = bodies.parse(body, content_type=request.content_type or "")
        self.sent = self._read(operation, said)
        return idempotency.once(
            request=request,
            token=self.token,
            body=body,
            now=self.now,
            work=lambda: handler(**self.kwargs),
        )

    def _read(self, operation: Operation, said: Any) -> dict[str, Any]:
        data: dict[str, Any] = shape(operation.takes or Shape).run_validation(said)
        return data

    def answer(self, row: Any, *, location: str = "") -> Response:
        """A row in the shape its operation gives."""
        operation = self._operation
        assert operation.gives is not None
        headers = {"Location": location} if location else None
        return Response(_told(operation.gives, row), status=operation.status, headers=headers)

    def page(self, rows: QuerySet[Any]) -> Response:
        """The page of ``rows`` that was asked for, in the shape its operation gives."""
        found = self.rows(rows)
        return self.page_of(found, found.rows)

    def rows(self, rows: QuerySet[Any]) -> listing.Page[Any]:
        operation = self._operation
        assert operation.listing is not None
        request = self.request._request
        return listing.page(
            rows,
            operation.listing,
            query=request.GET.dict(),
            address=request.build_absolute_uri(request.path),
            user=self.user,
        )

    def page_of(self, found: listing.Page[Any], rows: Sequence[Any]) -> Response:
        """A page whose rows were given something before they are shown."""
        gives = self._operation.gives
        assert gives is not None
        return Response(
            {
                "next": found.next,
                "previous": found.previous,
                "results": [_told(gives, row) for row in rows],
            }
        )


def _told(gives: Kind, row: Any) -> Any:
    return shape(gives).to_representation(row)


def _must_accept(accept: str, *, file: bool) -> None:
    ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    known = {"*/*", "application/*", "application/json", "application/problem+json"}
    if file:
        known.add("application/octet-stream")
    if ranges and not known & set(ranges):
        raise Problem(NOT_ACCEPTABLE, _("The answer would be JSON; Accept has to allow it."))
