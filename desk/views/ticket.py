"""The ticket page, and everything that is done on it.

What is done answers with the page's article for htmx, and with a redirect without it; what
is refused comes back with what was written, at the field that names it.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from desk import once
from desk.downloads import hand_out
from desk.forms import ReviewForm, offer_categories, offer_staff, refuse
from desk.ticketactions import ON_ESCALATION, ON_TICKET
from desk.ticketpage import EscalationPanel, PastEscalation, TicketPage, ticket_page
from desk.views.numbers import number
from desk.views.reading import reader
from escalation.models import Escalation
from escalation.sight import in_sight_of
from tickets import conversation, followups, locking
from tickets.errors import Refused
from tickets.gathering import gathered as gather
from tickets.models import Attachment, FollowUp, Message, Ticket


def find_ticket(request: HttpRequest, reference: str) -> Ticket:
    """The ticket of an address, for whoever may see it; ``Http404`` for all others."""
    number = Ticket.number_in(reference)
    if number is None:
        raise Http404
    return get_object_or_404(
        in_sight_of(reader(request)).select_related(
            "team__tier",
            "requester__organization",
            "organization__plan",
            "organization__account_manager",
            "category",
            "assignee",
            "continues",
        ),
        pk=number,
    )


@require_safe
@login_required
def ticket(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a ticket; ``?before=`` an id goes back in a long conversation."""
    found = find_ticket(request, reference)
    if reference != found.reference:
        return redirect(found)
    return _page(request, found)


@require_POST
@login_required
def act(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """Do something to a ticket."""
    found = find_ticket(request, reference)
    known = ON_TICKET.get(action)
    if known is None:
        raise Http404
    form = known.make(request.POST, found, gather(found))
    if form.is_valid():
        data = dict(form.cleaned_data)
        version = data.pop("version", None)
        try:
            with transaction.atomic():
                if once.is_repeated(request):
                    return _repeated(request, found)
                if version is not None:
                    locking.changed_since(locking.lock(found.pk), version)
                known.do(found.pk, data, timezone.now(), reader(request))
        except Refused as refusal:
            refuse(form, refusal)
        else:
            return _done(request, found, str(known.done))
    _say_aloud(request, form)
    return _page(request, found, {_name(action): form}, status=422)


@require_POST
@login_required
def act_on_escalation(request: HttpRequest, reference: str, pk: int, action: str) -> HttpResponse:
    """Do something with one of a ticket's escalations."""
    found = find_ticket(request, reference)
    known = ON_ESCALATION.get(action)
    if known is None:
        raise Http404
    escalation = get_object_or_404(Escalation, pk=pk, ticket=found)
    form = known.make(request.POST, gather(found))
    if form.is_valid():
        try:
            with transaction.atomic():
                if once.is_repeated(request):
                    return _repeated(request, found)
                known.do(escalation.pk, form.cleaned_data, timezone.now(), reader(request))
        except Refused as refusal:
            refuse(form, refusal)
        else:
            return _done(request, found, str(known.done))
    _say_aloud(request, form)
    return _page(request, found, refused=(escalation.pk, _name(action), form), status=422)


@require_POST
@login_required
def follow_up_done(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Tick a follow-up off."""
    found = find_ticket(request, reference)
    follow_up = get_object_or_404(FollowUp, pk=pk, ticket=found)
    try:
        followups.complete(followup_id=follow_up.pk, now=timezone.now(), by=reader(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _page(request, found, status=422)
    return _done(request, found, "")


@require_POST
@login_required
def accept_message(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Let in what somebody wrote who is not on this ticket."""
    found = find_ticket(request, reference)
    message = get_object_or_404(Message, pk=pk, ticket=found)
    try:
        conversation.accept_message(message_id=message.pk, now=timezone.now(), by=reader(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _page(request, found, status=422)
    return _done(request, found, _("They are on this ticket now."))


@require_safe
@login_required
def attachment(request: HttpRequest, reference: str, pk: int) -> HttpResponseBase:
    """Hand out a file that came with a message, to be kept and never to be run here."""
    found = find_ticket(request, reference)
    return hand_out(get_object_or_404(Attachment, pk=pk, message__ticket=found))


def _name(action: str) -> str:
    return action.replace("-", "_")


def _done(request: HttpRequest, found: Ticket, word: str) -> HttpResponse:
    if word:
        messages.success(request, word)
    return _go_on(request, found)


def _say_aloud(request: HttpRequest, form: Form) -> None:
    """Say what is wrong with a form as a whole, or with what it hides: nobody may look for it.

    The form itself may be gone from the page, when somebody else was faster.
    """
    for name, errors in form.errors.items():
        if name == NON_FIELD_ERRORS or form.fields[name].widget.is_hidden:
            for error in errors:
                messages.error(request, str(error))


def _repeated(request: HttpRequest, found: Ticket) -> HttpResponse:
    messages.info(request, _("This was done already; it is done once."))
    return _go_on(request, found)


def _go_on(request: HttpRequest, found: Ticket) -> HttpResponse:
    """Show what has become of the ticket, or the page the form asked to go to."""
    if not in_sight_of(reader(request)).filter(pk=found.pk).exists():
        # It was moved to a private team of others.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": reverse("desk:triage")})
        return redirect("desk:triage")
    if request.headers.get("HX-Request"):
        return _page(request, find_ticket(request, found.reference))
    onward = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        onward, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return redirect(onward)
    return redirect(found)


def _page(
    request: HttpRequest,
    found: Ticket,
    bound: Mapping[str, Form] | None = None,
    *,
    refused: tuple[int, str, Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with the form that was refused, of the ticket or of one of its escalations."""
    now = timezone.now()
    page = ticket_page(
        ticket=found,
        user=reader(request),
        now=now,
        before=number(request.GET.get("before")),
    )
    forms = {
        _name(name): action.make(None, found, page.gathered) for name, action in ON_TICKET.items()
    }
    forms |= bound or {}
    _prepare(forms, page, "on")
    panels = [
        {"panel": panel, "forms": _panel_forms(panel, page, refused)} for panel in page.panels
    ]
    past = [{"row": row, "form": _review_form(row, refused)} for row in page.past]
    context = {
        "page": page,
        "ticket": found,
        "now": now,
        "partial": request.GET.get("pane") == "1",
        "forms": forms,
        "panels": panels,
        "past": past,
    }
    swapped = bool(request.headers.get("HX-Request")) and not context["partial"]
    template = "desk/_ticket.html" if swapped else "desk/ticket.html"
    return render(request, template, {**context, "swapped": swapped}, status=status)


def _panel_forms(
    panel: EscalationPanel, page: TicketPage, refused: tuple[int, str, Form] | None
) -> dict[str, Form]:
    """The forms of one escalation, as nobody has written in them but what was refused."""
    forms = {
        _name(name): action.make(None, page.gathered) for name, action in ON_ESCALATION.items()
    }
    if refused is not None and refused[0] == panel.escalation.pk:
        forms[refused[1]] = refused[2]
    _prepare(forms, page, f"escalation-{panel.escalation.pk}")
    for name in ("accept_for", "reassign"):
        offer_staff(forms[name], people=panel.owners, teams=page.teams)
    return forms


def _review_form(row: PastEscalation, refused: tuple[int, str, Form] | None) -> Form:
    """What a lead may say of an escalation that is over; what was said before stands in it."""
    if refused is not None and refused[:2] == (row.escalation.pk, "review"):
        form = refused[2]
    elif row.review is not None:
        form = ReviewForm(initial={"avoidable": row.review.avoidable, "note": row.review.note})
    else:
        form = ReviewForm()
    form.auto_id = f"escalation-{row.escalation.pk}-review-%s"
    return form


def _prepare(forms: Mapping[str, Form], page: TicketPage, prefix: str) -> None:
    """Give each form ids of its own, and its choices from what the page has read already."""
    for name, form in forms.items():
        form.auto_id = f"{prefix}-{name}-%s"
        offer_staff(form, people=page.people, teams=page.teams)
        offer_categories(form, categories=page.categories)
