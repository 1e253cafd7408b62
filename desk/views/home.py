from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from desk import rail
from staff.models import User


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to where this person's work is."""
    user = request.user
    return redirect(rail.home(user).url if isinstance(user, User) else rail.DESK.url)
