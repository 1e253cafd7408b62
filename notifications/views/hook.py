"""Where a mail provider tells what became of our letters.

Only the provider that sends for us is listened to, and only where it can prove itself: by the
secret in the address it was given, or by its signature. django-anymail checks both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog
from anymail.signals import tracking
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from notifications.hooks import heard

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_BACKEND = re.compile(r"anymail\.backends\.([a-z_]+)\.EmailBackend")


@csrf_exempt
def hook(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Let the provider that sends for us tell what became of letters; 404 for any other."""
    sends = _BACKEND.fullmatch(settings.EMAIL_BACKEND)
    if sends is None or sends[1] != provider:
        raise Http404
    view = _views().get(f"{provider}_tracking_webhook")
    if view is None:
        raise Http404
    signs = not view.view_class.warn_if_no_basic_auth
    if not signs and not getattr(settings, "ANYMAIL", {}).get("WEBHOOK_SECRET"):
        # Whoever finds the address could say that letters bounced.
        raise Http404
    try:
        answer: HttpResponseBase = view(request)
    except (LookupError, TypeError, ValueError, AttributeError):
        logger.exception("hook_unreadable", provider=provider)
        return HttpResponseBadRequest()
    return answer


def _receive(sender: object, event: Any, esp_name: str, **_rest: object) -> None:
    """Anymail's only way of handing events on is a signal."""
    heard(event=event, provider=esp_name, now=timezone.now())


tracking.connect(_receive, dispatch_uid="notifications.views")


@lru_cache(maxsize=1)
def _views() -> Mapping[str, Any]:
    """Anymail's views by name; it loads a module for each provider, so not before one is asked."""
    patterns = import_string("anymail.urls.urlpatterns")
    return {pattern.name: pattern.callback for pattern in patterns}
