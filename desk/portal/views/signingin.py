"""Coming into the portal by a link out of a letter, and going out again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from desk.portal.forms import AddressForm
from desk.portal.throttle import address_of, is_too_often
from desk.portal.views.visitor import COOKIE, contact_of, for_contacts, forget, remember, unlisted
from tickets import portal, portalkeys
from tickets.models import Contact
from tickets.models.portal import KeyPurpose

HOUR = timedelta(hours=1)
FROM_ONE_PLACE = 30


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponseBase:
    """Ask for a link by address. The answer is the same whether or not we know it."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = timezone.now()
        if not is_too_often(
            "link-from", address_of(request), at_most=FROM_ONE_PLACE, within=HOUR, now=now
        ):
            portal.send_link(address=form.cleaned_data["email"], now=now)
        return redirect("desk:portal-link-sent")
    if request.method != "POST" and contact_of(request, now=timezone.now()) is not None:
        return redirect("desk:portal")
    status = 422 if form.is_bound else 200
    return unlisted(render(request, "portal/sign_in.html", {"form": form}, status=status))


@require_safe
def sent(request: HttpRequest) -> HttpResponseBase:
    return unlisted(render(request, "portal/link_sent.html"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, key: str) -> HttpResponseBase:
    """Behind the letter's link: a button, since programs that check links press none."""
    now = timezone.now()
    if request.method == "POST":
        secret = portal.sign_in(key=key, now=now)
        if secret is None:
            return redirect("desk:portal-sign-in")
        return remember(redirect("desk:portal"), secret)
    if not portalkeys.is_good(key=key, purpose=KeyPurpose.SIGN_IN, now=now):
        return redirect("desk:portal-sign-in")
    return unlisted(render(request, "portal/enter.html"))


@require_POST
@for_contacts
def leave(request: HttpRequest, contact: Contact) -> HttpResponseBase:
    """Sign out here or, with ``everywhere``, in every browser."""
    if request.POST.get("everywhere"):
        portal.sign_out_everywhere(contact=contact)
    else:
        portal.sign_out(secret=request.COOKIES.get(COOKIE, ""))
    return forget(redirect("desk:portal-sign-in"))


@require_POST
@for_contacts
def language(request: HttpRequest, contact: Contact) -> HttpResponseBase:
    """Read pages and letters in another language from now on."""
    wanted = request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        portal.speak(contact=contact, language=wanted)
    return redirect("desk:portal")
