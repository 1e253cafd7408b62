"""The form of what can be done, shown when it is asked for.

htmx puts it in the place of the link that led to it; without, it is a page of its own. ``?next=``
is where it leads back to, ``?card=`` the card of the board that it is opened on.
"""

from __future__ import annotations

from dataclasses import replace

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from desk import acts
from desk.actions import Action
from desk.acts import Act
from desk.escalationforms import ReviewForm
from desk.panels import owners
from desk.views.numbers import number
from desk.views.reading import reader
from escalation.cases import load
from escalation.models import Escalation
from escalation.roster import Roster, call_roll
from staff import editions
from staff.models import User
from tickets.gathering import gathered
from tickets.models import Ticket

#: In these, people are those who may be the escalation's owner.
NAMES_AN_OWNER = frozenset({"accept-for", "reassign"})


def onward(request: HttpRequest, address: str) -> str:
    """The address, if it is one of ours; else nothing."""
    ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if ours else ""


def of_ticket(request: HttpRequest, ticket: Ticket, name: str, action: Action) -> HttpResponse:
    """The form of something that is done to a ticket."""
    if not action.label:
        return HttpResponseNotAllowed(["POST"])
    card = number(request.GET.get("card"))
    form = action.make(None, ticket, gathered(ticket))
    place = "on" if card is None else f"card-{card}"
    acts.prepare(form, ids=f"{place}-{acts.key_of(name)}", roster=_roster())
    return _show(request, ticket, acts.of(name, action, request.path), form)


def of_escalation(
    request: HttpRequest,
    ticket: Ticket,
    escalation: Escalation,
    name: str,
    action: Action,
) -> HttpResponse:
    """The form of something that is done with an escalation."""
    if not action.label:
        return HttpResponseNotAllowed(["POST"])
    form = action.make(None, ticket, gathered(ticket))
    review = getattr(escalation, "review", None)
    if name == "review" and review is not None:
        form = ReviewForm(initial={"avoidable": review.avoidable, "note": review.note})
    named = _owners(request, ticket, escalation) if name in NAMES_AN_OWNER else None
    ids = f"escalation-{escalation.pk}-{acts.key_of(name)}"
    acts.prepare(form, ids=ids, roster=_roster(), owners=named)
    return _show(request, ticket, acts.of(name, action, request.path), form)


def _roster() -> Roster:
    return call_roll(now=timezone.now(), edition=editions.current())


def _owners(request: HttpRequest, ticket: Ticket, escalation: Escalation) -> tuple[User, ...]:
    if not escalation.is_open:
        return ()
    [case] = load(tickets=[ticket], now=timezone.now())
    return owners(case=case, escalation=escalation, user=reader(request))


def _show(request: HttpRequest, ticket: Ticket, act: Act, form: Form) -> HttpResponse:
    swapped = bool(request.headers.get("HX-Request"))
    back = onward(request, request.GET.get("next", ""))
    first = next(iter(form.visible_fields()), None)
    if first is not None:
        # Whoever opens it by key or click goes on writing there.
        first.field.widget.attrs["autofocus"] = True
    response = render(
        request,
        "desk/_act.html" if swapped else "desk/act.html",
        {
            "act": replace(act, form=form),
            "ticket": ticket,
            "back": back,
            "in_place": swapped and not back,
            "partial": False,
        },
    )
    patch_vary_headers(response, ["HX-Request"])
    return response
