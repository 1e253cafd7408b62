"""What is answered when something breaks on our side: a page, or to a program a problem."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from desk.api.problems import BROKEN, CONTENT_TYPE, Problem

API = "/api/v1/"


def server_error(request: HttpRequest) -> HttpResponse:
    if not request.path.startswith(API):
        return defaults.server_error(request)
    return problem(Problem(BROKEN, str(BROKEN.title)))


def problem(said: Problem) -> HttpResponse:
    """A problem, where no view of the API was reached."""
    return HttpResponse(said.rendered(), status=said.kind.status, content_type=CONTENT_TYPE)
