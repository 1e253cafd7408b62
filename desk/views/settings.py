"""``/settings/``: what people set for themselves, and the tokens with which programs act for them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from desk import once
from desk.settingsforms import PreferencesForm, TokenForm
from desk.views.numbers import number
from desk.views.reading import reader
from staff import apitokens
from staff.apitokens import TokenRefused
from staff.models import ApiToken, User

PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def you(request: HttpRequest) -> HttpResponse:
    """What somebody may change of themselves."""
    user = reader(request)
    if request.method != "POST":
        return render(request, "desk/settings_you.html", {"form": PreferencesForm.of(user)})
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return render(request, "desk/settings_you.html", {"form": form}, status=422)
    form.save(user)
    with translation.override(user.language):
        messages.success(request, _("Your settings are saved."))
    return redirect("desk:settings")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The reader's tokens, newest first; ``?before=`` an id goes on. Sending makes one.

    The answer to the form is the only page that shows a token's text: it is kept nowhere, so that
    no reload, no way back and no other page can show it again.
    """
    user = reader(request)
    if request.method != "POST":
        return _tokens(request, user, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _tokens(request, user, form, status=422)
    now = timezone.now()
    try:
        with transaction.atomic():
            if once.is_repeated(request):
                messages.warning(
                    request,
                    _(
                        "This token was made already, and is shown once. If you did not copy it,"
                        " revoke it and make another."
                    ),
                )
                return redirect("desk:tokens")
            made, raw = apitokens.make(
                user=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at(now),
                now=now,
            )
    except TokenRefused as refusal:
        form.refuse(refusal)
        return _tokens(request, user, form, status=422)
    return render(request, "desk/settings_token_made.html", {"token": made, "raw": raw}, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether a token is to be taken back, and take it back; one's own alone."""
    user = reader(request)
    token = ApiToken.objects.filter(user=user, pk=pk).first()
    if token is None:
        raise Http404
    now = timezone.now()
    if request.method != "POST" and token.revoked_at is None:
        return render(
            request,
            "desk/settings_token_revoke.html",
            {"token": token, "state": token.state(now), "now": now},
        )
    if request.method == "POST" and apitokens.revoke(token_id=token.pk, now=now, by=user):
        messages.success(
            request, _("“%(name)s” is revoked: nobody gets in with it.") % {"name": token.name}
        )
    else:
        messages.info(request, _("“%(name)s” was revoked already.") % {"name": token.name})
    return redirect("desk:tokens")


def _tokens(
    request: HttpRequest, user: User, form: TokenForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    before = number(request.GET.get("before"))
    mine = ApiToken.objects.filter(user=user).select_related("revoked_by").order_by("-pk")
    if before is not None:
        mine = mine.filter(pk__lt=before)
    found = list(mine[: PAGE + 1])
    return render(
        request,
        "desk/settings_tokens.html",
        {
            "form": form,
            "rows": [(token, token.state(now)) for token in found[:PAGE]],
            "older": found[PAGE - 1].pk if len(found) > PAGE else None,
            "is_older": before is not None,
            "now": now,
        },
        status=status,
    )
