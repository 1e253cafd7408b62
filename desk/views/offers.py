from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk import acts
from desk.offers import read_offers
from desk.views.numbers import number
from desk.views.reading import reader


@require_safe
@login_required
def offers(request: HttpRequest) -> HttpResponse:
    """The inbox of offers; ``?offer=`` opens one, ``?page=`` goes on."""
    now = timezone.now()
    inbox = read_offers(
        user=reader(request),
        chosen=number(request.GET.get("offer")),
        page=min(number(request.GET.get("page")) or 1, 1000),
    )
    offered = {}
    if inbox.chosen is not None:
        escalation = inbox.chosen.escalation
        asked = acts.back_to(reverse("desk:offers"))
        offered = acts.on_escalation(escalation.ticket, escalation, asked=asked)
    return render(
        request,
        "desk/offers.html",
        {"inbox": inbox, "acts": offered, "now": now, "partial": False},
    )
