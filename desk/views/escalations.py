from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from desk import acts
from desk.acts import Act
from desk.board import board, one_card
from desk.cards import Card
from desk.views.actforms import onward
from desk.views.numbers import number
from desk.views.reading import reader
from escalation.models.escalation import State


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
        {
            "board": shown,
            "team": team,
            "now": now,
            "partial": False,
            "here": reverse("desk:escalations"),
            "back": acts.back_to(request.get_full_path()),
        },
    )


@require_safe
@login_required
@vary_on_headers("HX-Request")
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """What can be done with a card; ``?next=`` is the board it stands on. 404 for who may nothing."""
    now = timezone.now()
    found = one_card(pk=pk, user=reader(request), now=now)
    if found is None or not found.may_lead:
        raise Http404
    back = onward(request, request.GET.get("next", "")) or reverse("desk:escalations")
    partial = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "desk/_card_acts.html" if partial else "desk/card.html",
        {
            "card": found,
            "acts": _acts(found, back),
            "leave": back,
            "now": now,
            "partial": partial,
        },
    )


def _acts(card: Card, back: str) -> list[Act]:
    """Done, they lead back to the board; refused, a form comes back on the ticket's page."""
    asked = acts.back_to(back, card=card.escalation.pk)
    on_ticket = acts.on_ticket(card.ticket, asked=asked)
    on_escalation = acts.on_escalation(card.ticket, card.escalation, asked=asked)
    found = []
    if card.owners and card.escalation.state == State.OFFERED:
        found.append(on_escalation["accept_for"])
    if card.owners and card.escalation.state == State.ACCEPTED:
        found.append(on_escalation["reassign"])
    if card.can_be_moved:
        found.append(on_ticket["new_time"])
    return [*found, on_ticket["update"], on_escalation["de_escalate"]]
