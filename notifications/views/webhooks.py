"""``/settings/webhooks/``: who is told what happens, what was told, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import webhooks
from notifications.models import Preset, Webhook, WebhookDelivery, WhyOff
from notifications.webhookforms import LogFilter, WebhookForm
from notifications.webhooks import NotSaved
from staff.models import User

PAGE = 50
#: In the session: the webhook whose key is shown to whoever made it, once.
_SHOWN_ONCE = "webhook-key"

#: How a state looks: never by colour alone.
LOOKS: Mapping[str, tuple[str, str]] = {
    "queued": ("info", "clock"),
    "sending": ("info", "send"),
    "delivered": ("ok", "circle-check"),
    "failed": ("bad", "alert-triangle"),
    "withdrawn": ("idle", "arrow-back-up"),
}


@require_safe
@login_required
def all_of_them(request: HttpRequest) -> HttpResponse:
    """The webhooks this person may know of, by name."""
    waiting = (
        WebhookDelivery.objects.waiting()
        .filter(webhook=OuterRef("pk"))
        .order_by()
        .values("webhook")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found = (
        Webhook.objects.visible_to(_lead(request))
        .select_related("team")
        .annotate(waiting=Coalesce(Subquery(waiting, output_field=IntegerField()), 0))
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "notifications/webhooks.html",
        {"page": page, "presets": Preset.choices, "now": timezone.now()},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Make a webhook; ``?preset=`` fills the form as suits who listens."""
    by = _lead(request)
    preset = request.GET.get("preset", "")
    form = WebhookForm(
        request.POST if request.method == "POST" else None,
        by=by,
        preset=preset if preset in Preset.values else Preset.STANDARD,
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = webhooks.make(wish=form.wish(), now=timezone.now(), by=by)
        except NotSaved as error:
            _put(error, form)
        else:
            request.session[_SHOWN_ONCE] = made.pk
            return redirect(made)
    return _form(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a webhook be otherwise."""
    by = _lead(request)
    webhook = _visible(request, pk)
    form = WebhookForm(request.POST if request.method == "POST" else None, by=by, webhook=webhook)
    if request.method == "POST" and form.is_valid():
        try:
            webhooks.change(webhook_id=pk, wish=form.wish(webhook), by=by)
        except NotSaved as error:
            _put(error, form)
        else:
            messages.success(request, _("Saved."))
            return redirect(webhook)
    return _form(request, form, webhook=webhook)


@require_safe
@never_cache
@login_required
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """A webhook and its log, newest first; its key only to who has just made it."""
    webhook = _visible(request, pk)
    now = timezone.now()
    form = LogFilter(request.GET)
    valid = form.is_valid()
    log = webhook.deliveries.order_by("-pk").defer("body")
    asked = form.cleaned_data if valid else {}
    if not valid:
        log = log.none()
    if asked.get("state"):
        log = log.filter(state=asked["state"])
    if asked.get("before"):
        log = log.filter(pk__lt=asked["before"])
    found = list(log[: PAGE + 1])
    kept = {"state": asked["state"]} if asked.get("state") else {}
    older = {**kept, "before": found[PAGE - 1].pk} if len(found) > PAGE else None
    is_new = request.session.get(_SHOWN_ONCE) == pk
    if is_new and request.method == "GET":
        del request.session[_SHOWN_ONCE]
    return render(
        request,
        "notifications/webhook.html",
        {
            "webhook": webhook,
            "key": webhook.key if is_new and not webhook.is_chat else "",
            "two_keys": len(webhook.keys(now)) > 1,
            "form": form,
            "rows": [(each, *LOOKS[each.state]) for each in found[:PAGE]],
            "older": f"?{urlencode(older)}" if older else "",
            "is_older": bool(asked.get("before")),
            "newest": f"{webhook.get_absolute_url()}?{urlencode(kept)}",
            "now": now,
        },
        status=200 if valid else 400,
    )


@require_POST
@login_required
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One of the buttons of a webhook."""
    does = ACTS.get(action)
    if does is None:
        raise Http404
    return does(request, _visible(request, pk), timezone.now())


@require_safe
@login_required
def message(request: HttpRequest, pk: int, message: int) -> HttpResponse:
    """One message with every attempt to send it."""
    webhook = _visible(request, pk)
    delivery = get_object_or_404(WebhookDelivery, pk=message, webhook=webhook)
    level, symbol = LOOKS[delivery.state]
    return render(
        request,
        "notifications/webhook_message.html",
        {
            "webhook": webhook,
            "delivery": delivery,
            "level": level,
            "symbol": symbol,
            # A row is tried ten times a round; a person resends a few times.
            "attempts": list(delivery.tried.order_by("-pk")[:PAGE]),
            "body": json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
            "now": timezone.now(),
        },
    )


@require_POST
@login_required
def resend(request: HttpRequest, pk: int, message: int) -> HttpResponse:
    """Send a message once more, under the id it had."""
    webhook = _visible(request, pk)
    delivery = get_object_or_404(WebhookDelivery, pk=message, webhook=webhook)
    if webhooks.resend(delivery_id=delivery.pk, now=timezone.now()):
        messages.success(request, _("It is sent again."))
    else:
        messages.warning(request, _("It is not sent: it waits already, or the webhook is off."))
    return redirect("notifications:webhook-message", pk, message)


def _ping(request: HttpRequest, webhook: Webhook, now: datetime) -> HttpResponse:
    if not webhook.is_active:
        messages.warning(request, _("The webhook is off."))
        return redirect(webhook)
    queued = webhooks.ping(webhook=webhook, now=now, by=_lead(request))
    messages.success(request, _("A test message is on its way."))
    return redirect("notifications:webhook-message", webhook.pk, queued.pk)


def _rotate(request: HttpRequest, webhook: Webhook, now: datetime) -> HttpResponse:
    webhooks.rotate(webhook_id=webhook.pk, now=now)
    request.session[_SHOWN_ONCE] = webhook.pk
    return redirect(webhook)


def _off(request: HttpRequest, webhook: Webhook, now: datetime) -> HttpResponse:
    webhooks.turn_off(webhook_id=webhook.pk, why=WhyOff.HAND, now=now)
    messages.success(request, _("The webhook is off."))
    return redirect(webhook)


def _on(request: HttpRequest, webhook: Webhook, _now: datetime) -> HttpResponse:
    webhooks.turn_on(webhook_id=webhook.pk)
    messages.success(request, _("The webhook is on."))
    return redirect(webhook)


def _remove(request: HttpRequest, webhook: Webhook, _now: datetime) -> HttpResponse:
    webhooks.remove(webhook_id=webhook.pk)
    messages.success(request, _("The webhook “%(name)s” is gone.") % {"name": webhook.name})
    return redirect("notifications:webhooks")


ACTS: Mapping[str, Callable[[HttpRequest, Webhook, datetime], HttpResponse]] = {
    "ping": _ping,
    "rotate": _rotate,
    "off": _off,
    "on": _on,
    "remove": _remove,
}


def _form(
    request: HttpRequest, form: WebhookForm, *, webhook: Webhook | None = None
) -> HttpResponse:
    return render(
        request,
        "notifications/webhook_form.html",
        {
            "form": form,
            "families": list(form.families()),
            "webhook": webhook,
            "back": webhook.get_absolute_url() if webhook else reverse("notifications:webhooks"),
        },
        status=422 if form.errors else 200,
    )


def _put(error: NotSaved, form: WebhookForm) -> None:
    form.add_error(error.field if error.field in form.fields else None, str(error))


def _lead(request: HttpRequest) -> User:
    """Who asks, if they answer for others' work."""
    if not isinstance(request.user, User) or not request.user.is_lead:
        raise PermissionDenied
    return request.user


def _visible(request: HttpRequest, pk: int) -> Webhook:
    """A webhook that this person may know of; 404 for any other."""
    return get_object_or_404(
        Webhook.objects.visible_to(_lead(request)).select_related("team", "created_by"), pk=pk
    )
