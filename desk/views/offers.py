from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.forms import AcceptForm, HandOnForm, ReturnForm
from desk.offers import read_offers
from desk.views.numbers import number
from desk.views.reading import reader
from tickets.gathering import gathered


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
    forms = {}
    if inbox.chosen is not None:
        forms = {
            "accept": AcceptForm(),
            "decline": ReturnForm(gathered=gathered(inbox.chosen.escalation.ticket)),
            "hand_on": HandOnForm(),
        }
    return render(
        request,
        "desk/offers.html",
        {"inbox": inbox, "forms": forms, "now": now, "partial": False},
    )
