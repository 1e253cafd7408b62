"""What a request is told that cannot be read: that it is too large, or only that."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.views import defaults

from desk.api.problems import MALFORMED, TOO_LARGE, Problem
from helpdesk.broken import API, problem

_TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for more text or fields than a form of ours sends, and 400 for all else."""
    too_large = isinstance(exception, _TOO_LARGE)
    if request.path.startswith(API):
        kind = TOO_LARGE if too_large else MALFORMED
        return problem(Problem(kind, str(kind.title)))
    if not too_large:
        return defaults.bad_request(request, exception)
    size = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    return render(request, "413.html", {"size": size}, status=413)
