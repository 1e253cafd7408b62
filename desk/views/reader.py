"""What somebody sets for themselves from the frame."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from desk import rail
from staff.models import User


@require_POST
@login_required
def single_keys(request: HttpRequest) -> HttpResponse:
    """Turn single-key shortcuts on or off, and go back to the page one came from."""
    if isinstance(request.user, User):
        request.user.single_keys = request.POST.get("single_keys") == "on"
        request.user.save(update_fields=["single_keys"])
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = rail.DESK.url
    return redirect(back)
