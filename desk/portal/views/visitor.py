"""Who is at the portal: the contact behind a cookie of its own, in their language and zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from tickets import portal
from tickets.models import Contact

P = ParamSpec("P")
COOKIE = "portal"


def for_contacts(
    view: Callable[Concatenate[HttpRequest, Contact, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only signed-in contacts in; anybody else is shown where to sign in."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        contact = contact_of(request, now=timezone.now())
        if contact is None:
            return forget(redirect("desk:portal-sign-in"))
        with translation.override(contact.language), timezone.override(zone_of(contact)):
            return unlisted(view(request, contact, *args, **kwargs))

    return guarded


def contact_of(request: HttpRequest, *, now: datetime) -> Contact | None:
    secret = request.COOKIES.get(COOKIE, "")
    return portal.signed_in(secret=secret, now=now) if secret else None


def zone_of(contact: Contact) -> ZoneInfo:
    try:
        return ZoneInfo(contact.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def remember(response: HttpResponseBase, secret: str) -> HttpResponseBase:
    """Keep a session's secret in the browser: no script reads it, no other site sends it."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(portal.SESSION_LIFETIME.total_seconds()),
        path="/portal/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: HttpResponseBase) -> HttpResponseBase:
    response.delete_cookie(COOKIE, path="/portal/", samesite="Lax")
    return response


def unlisted(response: HttpResponseBase) -> HttpResponseBase:
    """Keep a page out of search engines, and say in which language it is."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response
