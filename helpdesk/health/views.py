"""The three addresses. They are answered before any middleware but ours: see ``middleware``."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from helpdesk.health.exposition import CONTENT_TYPE, Scrapes
from helpdesk.health.readiness import Looks, State

TEXT = "text/plain; charset=utf-8"
looks = Looks(clock=timezone.now)
scrapes = Scrapes(looks)


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return _fresh(HttpResponse("ok\n", content_type=TEXT))


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Where the installation stands: names and states for everybody, the rest for operators."""
    found = looks.look()
    tells_all = _is_operator(request)
    checks: dict[str, dict[str, object]] = {}
    for check in found.checks:
        checks[check.name] = {"state": check.state}
        if tells_all:
            checks[check.name] |= {
                "number": check.number,
                "unit": check.unit,
                "sentence": check.sentence,
            }
    status = 503 if found.state is State.FAILED else 200
    answer = JsonResponse({"state": found.state, "checks": checks}, status=status)
    # Its log is told of every change once; Django would add an error for every time it is asked.
    setattr(answer, "_has_been_logged", True)  # noqa: B010  # Django's own mark
    return _fresh(answer)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every metric in the text format of Prometheus."""
    if _is_operator(request):
        return _fresh(HttpResponse(scrapes.text(), content_type=CONTENT_TYPE))
    if not settings.HELPDESK_METRICS_TOKEN:
        return _fresh(HttpResponseNotFound("Not found\n", content_type=TEXT))
    refused = HttpResponse("The token is missing or wrong.\n", status=401, content_type=TEXT)
    refused.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return _fresh(refused)


def _is_operator(request: HttpRequest) -> bool:
    """Whether the bearer of the token asks; a machine of one's own needs none.

    No session counts, nor that somebody asks from this machine: behind a proxy, everybody does.
    """
    if not settings.HELPDESK_METRICS_TOKEN:
        return not settings.PRODUCTION
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(
        given.strip(), settings.HELPDESK_METRICS_TOKEN
    )


#: No other middleware has a look at these answers.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _fresh(response: HttpResponse) -> HttpResponse:
    response.headers["Content-Length"] = str(len(response.content))
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response
