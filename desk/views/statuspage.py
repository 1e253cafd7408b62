from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from desk import statuspage
from notifications import identity
from tickets.models import Ticket


@require_safe
@never_cache
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Show where a ticket stands to whoever has the link out of a letter."""
    number = identity.read_status_token(token)
    ticket = (
        Ticket.objects.select_related("requester", "team__tier").filter(pk=number).first()
        if number
        else None
    )
    if ticket is None:
        return _unlisted(render(request, "desk/status_unknown.html", status=404))
    now = timezone.now()
    with translation.override(ticket.requester.language), timezone.override(_zone(ticket)):
        standing = statuspage.standing(ticket, now=now)
        page = render(request, "desk/status.html", {"standing": standing, "now": now})
        page.headers["Content-Language"] = translation.get_language() or "en"
    return _unlisted(page)


def _zone(ticket: Ticket) -> ZoneInfo:
    try:
        return ZoneInfo(ticket.requester.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _unlisted(response: HttpResponse) -> HttpResponse:
    # The address is the key: it goes neither into search engines nor along with a link.
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
