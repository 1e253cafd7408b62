from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.board import board
from desk.views.numbers import number
from desk.views.reading import reader


@require_safe
@login_required
def escalations(request: HttpRequest) -> HttpResponse:
    """The lead's list; ``?team=`` narrows it, ``?after=`` goes on."""
    now = timezone.now()
    team = number(request.GET.get("team"))
    shown = board(user=reader(request), team=team, after=number(request.GET.get("after")), now=now)
    return render(
        request,
        "desk/escalations.html",
        {"board": shown, "team": team, "now": now, "partial": False},
    )
