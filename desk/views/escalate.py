"""The escalate panel: where to, what goes along, and the letter the customer will get."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from desk.escalationforms import EscalateForm
from desk.formfields import offer_staff, refuse
from desk.views.reading import reader
from desk.views.ticket import find_ticket
from escalation import lifecycle, targets
from escalation.cases import Case, load
from escalation.models.escalation import Kind, Nature, Trigger
from escalation.opening import Request
from escalation.previewing import Preview, preview
from escalation.targets import Destination
from staff.models import User
from tickets import gathering
from tickets.errors import Refused
from tickets.models import Detail, Ticket
from tickets.models.customers import Complexity


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def escalate(request: HttpRequest, reference: str) -> HttpResponse:
    """Fill in the panel, and escalate."""
    ticket = find_ticket(request, reference)
    now = timezone.now()
    [case] = load(tickets=[ticket], now=now)
    if request.method != "POST":
        return _panel(request, case, _form_for(case))
    form = EscalateForm(request.POST, gathered=case.gathered)
    if form.is_valid():
        try:
            _escalate(ticket, form, now, reader(request))
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("Escalated. The letter leaves in ten seconds."))
            if request.headers.get("HX-Request"):
                return HttpResponse(headers={"HX-Redirect": ticket.get_absolute_url()})
            return redirect(ticket)
    return _panel(request, case, form, status=422)


@require_POST
@login_required
def letter(request: HttpRequest, reference: str) -> HttpResponse:
    """What the panel as it is filled in right now would send, and to whom it would go."""
    ticket = find_ticket(request, reference)
    [case] = load(tickets=[ticket], now=timezone.now())
    return render(
        request,
        "desk/_letter.html",
        {
            "ticket": ticket,
            "now": case.roster.now,
            **_outlook(case, EscalateForm(request.POST, gathered=case.gathered), request),
        },
    )


@transaction.atomic
def _escalate(ticket: Ticket, form: EscalateForm, now: datetime, by: User) -> None:
    """Keep the details that were filled in place, and escalate; both or neither."""
    data = form.cleaned_data
    for key, value in form.details.items():
        gathering.set_detail(ticket_id=ticket.pk, key=key, value=value, now=now, by=by)
    lifecycle.escalate(
        ticket_id=ticket.pk,
        request=_request(data, by),
        team_id=data["team"].pk,
        user_id=data["user"].pk if data["user"] else None,
        now=now,
        by=by,
    )


def _form_for(case: Case) -> EscalateForm:
    ticket = case.ticket
    functional = case.open_of(Kind.FUNCTIONAL) is None
    suggested = _suggested(case) if functional else None
    return EscalateForm(
        gathered=case.gathered,
        initial={
            "kind": Kind.FUNCTIONAL if functional else Kind.HIERARCHICAL,
            "team": suggested.team.pk if suggested else ticket.team_id,
            "user": suggested.user.pk if suggested and suggested.user else None,
            "nature": Nature.EXPERTISE if functional else Nature.AUTHORITY,
            "urgency": ticket.urgency,
            "ask_customer": bool(case.gathered.missing),
        },
    )


def _suggested(case: Case) -> Destination | None:
    try:
        return targets.suggest(case=case)
    except Refused:
        return None


def _why(case: Case, suggested: Destination | None) -> str:
    """Why the panel proposes this team."""
    if suggested is None:
        return _("Nobody works here who could take it.")
    ticket, team = case.ticket, suggested.team
    names = {"team": team, "tier": team.tier, "category": ticket.category}
    if case.roster.team_of_category(ticket.category_id, team.tier.number) == team:
        if ticket.complexity == Complexity.SPECIALIST:
            return _("%(category)s needs a specialist, and %(team)s is its %(tier)s.") % names
        return _("%(team)s is the %(tier)s for %(category)s.") % names
    return _("%(team)s is the next tier with somebody there.") % names


def _request(data: dict[str, Any], user: User) -> Request:
    return Request(
        kind=Kind(data.get("kind") or Kind.FUNCTIONAL),
        trigger=Trigger.LEAD if user.is_lead else Trigger.AGENT,
        nature=data.get("nature") or Nature.EXPERTISE,
        urgency=data.get("urgency") or 2,
        tried=(data.get("tried") or "").strip(),
        ask=(data.get("ask") or "").strip(),
        override_reason=(data.get("override_reason") or "").strip(),
        training_override=(data.get("training_override") or "").strip(),
        ask_customer=bool(data.get("ask_customer")),
        promised=data.get("promised"),
        note_to_customer=(data.get("note_to_customer") or "").strip(),
    )


def _outlook(case: Case, form: EscalateForm, request: HttpRequest) -> dict[str, Any]:
    """The preview of a form that may be half filled in: what cannot be read counts as left out."""
    if form.is_bound:
        form.is_valid()
        data = dict(form.cleaned_data)
        case = _with_details(case, form.details)
    else:
        data = dict(form.initial)
    roster = case.roster
    team_id = getattr(data.get("team"), "pk", data.get("team"))
    user_id = getattr(data.get("user"), "pk", data.get("user"))
    team = roster.teams.get(team_id or 0)
    if team is None:
        return {"preview": None}
    user = roster.users.get(user_id or 0)
    asked = _request(data, reader(request))
    if asked.kind == Kind.HIERARCHICAL and user is None:
        user = roster.lead_or_above(team)
    outlook: Preview = preview(
        case=case, request=asked, destination=Destination(team, user), now=roster.now
    )
    return {"preview": outlook}


def _with_details(case: Case, given: dict[str, str]) -> Case:
    """The case as it would be once these details are kept."""
    filled = {key: Detail(ticket=case.ticket, key=key, value=value) for key, value in given.items()}
    present = {**case.gathered.present, **filled}
    return replace(case, gathered=replace(case.gathered, present=present))


def _panel(
    request: HttpRequest, case: Case, form: EscalateForm, *, status: int = 200
) -> HttpResponse:
    ticket: Ticket = case.ticket
    already = case.open_of(Kind.FUNCTIONAL)
    roster = case.roster
    people = sorted(roster.users.values(), key=lambda person: person.name)
    offer_staff(form, people=people, teams=tuple(roster.teams.values()))
    context = {
        "ticket": ticket,
        "form": form,
        "gathered": case.gathered,
        "missing": case.gathered.missing,
        "why": _why(case, _suggested(case)),
        "already": already,
        "already_with": case.current(already) if already else None,
        "now": case.roster.now,
        "partial": False,
        **_outlook(case, form, request),
    }
    fragment = request.headers.get("HX-Request") and request.method == "POST"
    template = "desk/_escalate.html" if fragment else "desk/escalate.html"
    return render(request, template, context, status=status)
