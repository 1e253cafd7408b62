"""What the API answers when it does not do what was asked: problems, as RFC 9457 has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from escalation.authority import NotAllowed, WrongState
from tickets.errors import Refused, Stale

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its address never changes, programs may tell kinds apart by it."""

    slug: str
    status: int
    title: LazyText

    @property
    def type(self) -> str:
        return f"/api/docs/#{self.slug}"


MALFORMED = Kind("malformed", 400, gettext_lazy("The request cannot be read."))
INVALID = Kind("invalid", 400, gettext_lazy("Something in the request is not as it should be."))
UNAUTHORIZED = Kind("unauthorized", 401, gettext_lazy("A valid token is needed."))
MISSING_SCOPE = Kind("missing-scope", 403, gettext_lazy("The token lacks a scope."))
NOT_ALLOWED = Kind("not-allowed", 403, gettext_lazy("Somebody else has to do this."))
NOT_FOUND = Kind("not-found", 404, gettext_lazy("There is nothing here."))
METHOD = Kind("method-not-allowed", 405, gettext_lazy("This address knows other methods."))
NOT_ACCEPTABLE = Kind("not-acceptable", 406, gettext_lazy("The answer would be JSON."))
STALE = Kind("stale", 409, gettext_lazy("It was changed meanwhile."))
WRONG_STATE = Kind("wrong-state", 409, gettext_lazy("It is no longer where this could be done."))
TOO_LARGE = Kind("too-large", 413, gettext_lazy("The request is too large."))
MEDIA_TYPE = Kind("unsupported-media-type", 415, gettext_lazy("The body has to be JSON."))
REFUSED = Kind("refused", 422, gettext_lazy("This cannot be done."))
KEY_REUSED = Kind("key-reused", 422, gettext_lazy("This Idempotency-Key was used otherwise."))
THROTTLED = Kind("throttled", 429, gettext_lazy("Too many requests."))
BROKEN = Kind("broken", 500, gettext_lazy("Something broke on our side."))

KINDS: Sequence[Kind] = (
    MALFORMED,
    INVALID,
    UNAUTHORIZED,
    MISSING_SCOPE,
    NOT_ALLOWED,
    NOT_FOUND,
    METHOD,
    NOT_ACCEPTABLE,
    STALE,
    WRONG_STATE,
    TOO_LARGE,
    MEDIA_TYPE,
    REFUSED,
    KEY_REUSED,
    THROTTLED,
    BROKEN,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: its path (``attachments.0.name``), a code, and words."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """Raised where something is asked that is not done; becomes the answer."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.more = more

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": self.kind.type,
            "title": str(self.kind.title),
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.faults:
            body["errors"] = [
                {"field": fault.field, "code": fault.code, "message": fault.message}
                for fault in self.faults
            ]
        return body | self.more

    def response(self) -> Response:
        return Response(
            self.body,
            status=self.kind.status,
            headers=self.headers,
            content_type=CONTENT_TYPE,
        )

    def rendered(self) -> bytes:
        """The body for whoever answers outside of an API view."""
        rendered: bytes = JSONRenderer().render(self.body)
        return rendered


def invalid(field: str, message: str, *, code: str = "invalid") -> Problem:
    """One field of a request is not as it should be."""
    return Problem(INVALID, message, faults=[Fault(field, code, message)])


def not_found() -> Problem:
    return Problem(NOT_FOUND, _("There is nothing here, or nothing you may see."))


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Give the answer for whatever an operation raised; None for what nobody foresaw."""
    problem = problem_of(error)
    return problem.response() if problem is not None else None


def problem_of(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return _refused(error)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return not_found()
    if isinstance(error, PermissionDenied):
        return Problem(NOT_ALLOWED, str(NOT_ALLOWED.title))
    if isinstance(error, RequestDataTooBig):
        return Problem(TOO_LARGE, str(TOO_LARGE.title))
    return None


def _refused(error: Refused) -> Problem:
    if isinstance(error, Stale):
        kind, code = STALE, "stale"
    elif isinstance(error, WrongState):
        kind, code = WRONG_STATE, "wrong_state"
    elif isinstance(error, NotAllowed):
        kind, code = NOT_ALLOWED, "not_allowed"
    else:
        kind, code = REFUSED, "refused"
    faults = [Fault(error.field, code, str(error))] if error.field else []
    return Problem(kind, str(error), faults=faults)


def _of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        faults = tuple(_flat(error.detail))
        return Problem(INVALID, _sentence(faults), faults=faults)
    kinds: Mapping[int, Kind] = {
        400: MALFORMED,
        401: UNAUTHORIZED,
        403: NOT_ALLOWED,
        404: NOT_FOUND,
        405: METHOD,
        406: NOT_ACCEPTABLE,
        413: TOO_LARGE,
        415: MEDIA_TYPE,
        429: THROTTLED,
    }
    kind = kinds.get(error.status_code, BROKEN)
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(header)
    return Problem(kind, str(error.detail), headers=headers)


def _sentence(faults: Sequence[Fault]) -> str:
    if not faults:
        return str(INVALID.title)
    first = faults[0]
    return f"{first.field}: {first.message}" if first.field else first.message


def _flat(detail: Any, path: str = "") -> Iterator[Fault]:
    """The framework's nested lists and mappings, one fault each."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            inner_path = path if name == "non_field_errors" else _join(path, str(name))
            yield from _flat(inner, inner_path)
    elif isinstance(detail, list | tuple):
        for number, inner in enumerate(detail):
            if isinstance(inner, Mapping | list | tuple):
                yield from _flat(inner, _join(path, str(number)))
            else:
                yield from _flat(inner, path)
    else:
        yield Fault(path, str(getattr(detail, "code", None) or "invalid"), str(detail))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
