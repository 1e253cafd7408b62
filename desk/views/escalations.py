from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.board import Board, Card, board
from desk.forms import AcceptForForm, NewTimeForm, OwnerForm, ReasonForm, UpdateForm, offer_staff
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
        {"board": shown, "lanes": _lanes(shown), "team": team, "now": now, "partial": False},
    )


def _lanes(shown: Board) -> list[dict[str, object]]:
    """The columns, each card with the forms of what its lead can do from here."""
    return [
        {
            "column": column,
            "cards": [{"card": card, "acts": _acts(card)} for card in column.cards],
        }
        for column in shown.columns
    ]


def _acts(card: Card) -> Mapping[str, Form]:
    """Nothing for who answers for neither team; refused, a form comes back on the ticket's page."""
    if not card.may_lead:
        return {}
    forms: dict[str, Form] = {"update": UpdateForm(), "de_escalate": ReasonForm()}
    if card.can_be_moved:
        forms["new_time"] = NewTimeForm()
    if card.owners and card.escalation.state == State.OFFERED:
        forms["accept_for"] = AcceptForForm()
    if card.owners and card.escalation.state == State.ACCEPTED:
        forms["reassign"] = OwnerForm()
    for name, form in forms.items():
        form.auto_id = f"card-{card.escalation.pk}-{name}-%s"
        offer_staff(form, people=card.owners, teams=())
    return forms
