"""``/new/``: a request by the web form, and the confirmation of the address it came from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from desk import once
from desk.portal.forms import NewTicketForm
from desk.portal.throttle import address_of, is_too_often
from desk.portal.uploads import refuse_floods
from desk.portal.views.visitor import unlisted
from notifications.phrases import spoken
from tickets import portalkeys, verifying, webform
from tickets.intake import Incoming
from tickets.models import Category
from tickets.models.portal import KeyPurpose
from tickets.models.ticket import Channel
from tickets.webform import Visitor

#: What has no category of ours.
OTHER = "other"
HOUR = timedelta(hours=1)
FROM_ONE_PLACE = 30
FROM_ONE_ADDRESS = 10


@never_cache
@refuse_floods
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Choose what it is about, then fill in what that asks for."""
    chosen = request.POST.get("category") or request.GET.get("category", "")
    category = Category.objects.filter(slug=chosen).first() if "\x00" not in chosen else None
    if category is None and chosen != OTHER:
        categories = Category.objects.order_by("name")
        return render(request, "portal/choose.html", {"categories": categories, "other": OTHER})
    details = list(category.required_details.all()) if category else []
    if request.method != "POST":
        return _page(request, NewTicketForm(details=details), category)
    form = NewTicketForm(request.POST, request.FILES, details=details)
    if form.is_valid():
        now = timezone.now()
        if form.cleaned_data["website"]:
            return redirect("desk:new-sent")
        if _is_too_often(request, form.cleaned_data["email"], now):
            form.add_error(None, _("That was a lot in a short time. Please try again in an hour."))
            return _page(request, form, category, status=429)
        _take_in(request, form, category, now)
        return redirect("desk:new-sent")
    return _page(request, form, category, status=422)


@require_safe
def sent(request: HttpRequest) -> HttpResponseBase:
    """Say what comes next; the same whether or not we know the address."""
    return render(request, "portal/new_sent.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, key: str) -> HttpResponseBase:
    """Behind the letter's link: a button, since programs that check links press none."""
    now = timezone.now()
    if request.method == "POST":
        contact = verifying.confirm(key=key, now=now)
        if contact is None:
            return redirect("desk:portal-sign-in")
        with translation.override(contact.language):
            return unlisted(render(request, "portal/confirmed.html"))
    if not portalkeys.is_good(key=key, purpose=KeyPurpose.VERIFY, now=now):
        return redirect("desk:portal-sign-in")
    return unlisted(render(request, "portal/confirm.html"))


def _page(
    request: HttpRequest, form: NewTicketForm, category: Category | None, *, status: int = 200
) -> HttpResponseBase:
    context = {"form": form, "category": category, "slug": category.slug if category else OTHER}
    return render(request, "portal/new.html", context, status=status)


def _is_too_often(request: HttpRequest, email: str, now: datetime) -> bool:
    counted: Sequence[tuple[str, str, int]] = (
        ("new-from", address_of(request), FROM_ONE_PLACE),
        ("new-by", email, FROM_ONE_ADDRESS),
    )
    return any(
        is_too_often(what, who, at_most=at_most, within=HOUR, now=now)
        for what, who, at_most in counted
    )


@transaction.atomic
def _take_in(
    request: HttpRequest, form: NewTicketForm, category: Category | None, now: datetime
) -> None:
    if once.is_repeated(request):
        return
    said = form.cleaned_data
    webform.submit(
        visitor=Visitor(
            name=said["name"],
            email=said["email"],
            language=spoken(translation.get_language() or ""),
            customer_id=said.get("customer_id", ""),
        ),
        subject=said["subject"],
        incoming=Incoming(text=said["text"], channel=Channel.WEB, attachments=said["attachments"]),
        category=category,
        details=form.details,
        now=now,
    )
