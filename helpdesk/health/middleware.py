"""Answers what asks after our health before anything else has a look at the request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from helpdesk.health.limits import limits_from
from helpdesk.health.urls import urlpatterns

VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    f"/{entry.pattern}": entry.callback for entry in urlpatterns
}


class HealthMiddleware:
    """Stands first: no session, no database, and a container may ask by whatever name it has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # A limit that is misspelt keeps the server from starting, and nobody in false safety.
        try:
            limits_from(settings.HELPDESK_READY_LIMITS)
        except ValueError as error:
            raise ImproperlyConfigured(f"HELPDESK_READY_LIMITS: {error}.") from error

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = VIEWS.get(request.path_info)
        if view is None:
            return self.get_response(request)
        response = view(request)
        if request.method == "HEAD":
            response.content = b""
        return response
