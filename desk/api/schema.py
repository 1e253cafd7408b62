"""The schema of the API (OpenAPI 3), drawn from what the operations declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_object_type
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from desk.api.fields import Shape
from desk.api.listing import LIMIT, LONGEST_CURSOR, MOST, SEARCH, Filter, Listing
from desk.api.operations import Operation, operation_of
from desk.api.problems import CONTENT_TYPE, KINDS
from desk.search.query import LONGEST
from tickets.fulltext import NEWEST

#: What may be answered to any request, and what further to one with a body.
ALWAYS = (400, 401, 403, 404, 406, 429)
WITH_BODY = (409, 413, 415, 422)

_WORDS: Mapping[int, str] = {
    400: "The request cannot be read, or a field of it is wrong.",
    401: "No token, or one that is not valid.",
    403: "The token lacks the scope, or somebody else has to do this.",
    404: "There is nothing here, or nothing the token's person may see.",
    406: "Accept does not allow JSON.",
    409: "It was changed meanwhile, or is no longer where this could be done.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "It cannot be done, or the Idempotency-Key came with another request before.",
    429: "Too many requests in this stretch of time.",
}

#: What the web server refuses before anybody here has read it; it says so in a page of its own.
_BEFORE: Mapping[int, str] = {
    414: "The address is too long: 4094 characters at most, with its query.",
    431: "A header is too large.",
}


class FaultShape(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField(help_text="The field's path, such as attachments.0.name.")
    code = serializers.CharField(help_text="A word for programs.")
    message = serializers.CharField(help_text="A sentence for people.")


class ProblemShape(serializers.Serializer[Any]):
    """What was not done, and why (RFC 9457)."""

    type = serializers.ChoiceField(
        choices=[kind.type for kind in KINDS], help_text="The kind of problem; it never changes."
    )
    title = serializers.CharField(help_text="The kind in words.")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="What happened this time.")
    errors = FaultShape(many=True, required=False)  # type: ignore[assignment]
    scope = serializers.CharField(required=False, help_text="The scope that the token lacks.")
    sent = serializers.IntegerField(required=False, help_text="The version that was sent.")
    current = serializers.IntegerField(required=False, help_text="The version it has now.")
    ticket = serializers.DictField(required=False, help_text="The ticket as it is now.")
    escalation = serializers.DictField(
        required=False, help_text="The escalation as it is now, where somebody was faster."
    )
    missing = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Keys of details it lacks."
    )


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "desk.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of yours, made under /settings/. It begins with hd_.",
        }


class FromTheDesk(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "desk.api.authentication.DeskAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Schema(AutoSchema):
    """Reads ``operations.Operation`` where the framework would guess."""

    @property
    def operation(self) -> Operation:
        found = operation_of(self.view, self.method)
        assert found is not None, f"{type(self.view).__name__}.{self.method} is not declared"
        return found

    def is_excluded(self) -> bool:
        return operation_of(self.view, self.method) is None

    def get_operation_id(self) -> str:
        words = [self.method.lower(), *re.findall(r"[a-z]+", self.path.partition("/v1")[2])]
        return "_".join(words)

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]
        handler = getattr(self.view, self.method.lower())
        said = " ".join((handler.__doc__ or "").split())
        scope = self.operation.scope
        needs = f"Needs the scope `{scope.value}`." if scope is not None else ""
        return "\n\n".join(filter(None, (said, needs)))

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "")]

    def get_request_serializer(self) -> Any:
        return self.operation.takes

    def get_response_serializers(self) -> Any:
        """Each status with what it says; the media type stands in the key."""
        operation = self.operation
        given: dict[Any, Any] = {}
        if operation.file:
            given[(200, "application/octet-stream")] = OpenApiResponse(
                {"type": "string", "format": "binary"}, description="The file."
            )
        elif operation.gives is None:
            given[operation.status] = OpenApiResponse(description="Done.")
        else:
            shape = (
                self._page(operation.gives) if operation.listing is not None else operation.gives
            )
            given[(operation.status, "application/json")] = OpenApiResponse(
                shape, description="", examples=_examples(operation.says, response_only=True)
            )
        for status, words in _BEFORE.items():
            given[status] = OpenApiResponse(description=words)
        for status in self.statuses(operation):
            given[(status, CONTENT_TYPE)] = OpenApiResponse(
                ProblemShape, description=_WORDS[status]
            )
        return given

    def statuses(self, operation: Operation) -> Sequence[int]:
        writes = self.method in ("POST", "PUT", "PATCH", "DELETE")
        return sorted({*ALWAYS, *(WITH_BODY if writes else ()), *operation.refuses})

    def get_override_parameters(self) -> list[Any]:
        operation = self.operation
        parameters = _of_listing(operation.listing) if operation.listing is not None else []
        if self.method in ("POST", "PUT", "PATCH"):
            parameters.append(_IDEMPOTENCY_KEY)
        return [*parameters, *_HEADERS]

    def get_examples(self) -> list[OpenApiExample]:
        return _examples(self.operation.asks, request_only=True)

    def _page(self, gives: Any) -> Any:
        """The component of a page of something."""
        row = self.resolve_serializer(gives, "response")
        address = {"type": "string", "format": "uri", "nullable": True}
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"{row.name}Page",
            type=ResolvedComponent.SCHEMA,
            object=f"page of {row.name}",
            schema=build_object_type(
                properties={
                    "next": {**address, "description": "Where the list goes on."},
                    "previous": {**address, "description": "Where it goes on the other way."},
                    "results": {"type": "array", "items": row.ref},
                },
                required=["next", "previous", "results"],
            ),
        )
        self.registry.register_on_missing(component)
        return component.ref

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Shape):
            schema["additionalProperties"] = False
        return schema


def _examples(bodies: Mapping[str, Any] | None, **which: Any) -> list[OpenApiExample]:
    return [OpenApiExample(name, value=body, **which) for name, body in (bodies or {}).items()]


def _of_listing(listing: Listing) -> list[OpenApiParameter]:
    return [
        *([_SEARCH] if listing.search is not None else []),
        *map(_of_filter, listing.filters),
        OpenApiParameter(
            "ordering",
            {"type": "string", "enum": listing.orders, "default": listing.default},
            description="A minus before it turns the order round.",
        ),
        OpenApiParameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
            description="Rows of a page.",
        ),
        OpenApiParameter(
            "cursor",
            {"type": "string", "pattern": f"^[-_a-zA-Z0-9]{{1,{LONGEST_CURSOR}}}$"},
            description="Where the page begins; take it from `next` or `previous`.",
        ),
    ]


_SEARCH = OpenApiParameter(
    SEARCH,
    {"type": "string", "minLength": 1, "maxLength": LONGEST},
    description=(
        "Words, phrases in quotes and operators, as in the search box: `invoices status:open"
        " -draft`. What is found comes by relevance unless another order is asked for; of more than"
        f" {NEWEST} tickets, the newest."
    ),
)


def _of_filter(each: Filter) -> OpenApiParameter:
    return OpenApiParameter(
        each.name,
        dict(each.schema),
        description=each.description,
        style="form" if each.explode is not None else None,
        explode=each.explode,
    )


_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[ -~]{1,200}$"},
    OpenApiParameter.HEADER,
    description=(
        "The same request under the same key is carried out once in 24 hours; its answer comes "
        "again, with `Idempotent-Replayed: true`."
    ),
)


def _counts(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        {"type": "integer", "minimum": 0},
        OpenApiParameter.HEADER,
        description=description,
        response=True,
    )


_HEADERS = (
    _counts("RateLimit-Limit", "Requests of a stretch of time."),
    _counts("RateLimit-Remaining", "Requests that are left of it."),
    _counts("RateLimit-Reset", "Seconds until the next one begins."),
)
