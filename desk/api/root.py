"""The schema, and the addresses that lead nowhere."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from rest_framework.renderers import JSONRenderer

from desk.api.authentication import BearerAuthentication, DeskAuthentication
from desk.api.base import ApiView
from desk.api.operations import operation
from desk.api.problems import not_found


class SchemaView(ApiView):
    authentication_classes = (BearerAuthentication, DeskAuthentication)
    tag = "Schema"

    @operation("Read this schema", scope=None, gives=dict)
    def get(self) -> HttpResponse:
        """For every token, and for whoever is signed in at the desk."""
        return HttpResponse(_schema(), content_type="application/json")


class Nowhere(ApiView):
    """Whatever else is asked for under this root: answered as everything here, never by a page."""

    schema = None  # type: ignore[assignment]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(
            request
        )
        self.perform_authentication(request)
        if self.token is None:
            self.permission_denied(request)
        raise not_found()


#: Drawn by two threads at once it would lack answers here and there, until the next start.
_drawing = Lock()


def _schema() -> bytes:
    with _drawing:
        return _drawn()


@lru_cache(maxsize=1)
def _drawn() -> bytes:
    """In English, whoever asks: programs are made from it."""
    with translation.override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        rendered: bytes = JSONRenderer().render(schema)
    return rendered
