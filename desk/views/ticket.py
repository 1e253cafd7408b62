"""The ticket page, and everything that is done on it.

What is done answers with the page's article for htmx, and with a redirect without it; what
is refused comes back with what was written, at the field that names it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from desk import acts, once
from desk.acts import Act
from desk.downloads import hand_out
from desk.escalationactions import ON_ESCALATION
from desk.formfields import refuse
from desk.ticketactions import ON_TICKET
from desk.ticketforms import NoteForm, ReplyForm
from desk.ticketpage import TicketPage, ticket_page
from desk.views import actforms
from desk.views.numbers import number
from desk.views.reading import reader
from escalation.models import Escalation
from escalation.sight import in_sight_of
from tickets import conversation, followups, locking
from tickets.errors import Refused
from tickets.gathering import gathered as gather
from tickets.models import Attachment, FollowUp, Message, Ticket


@dataclass(frozen=True, slots=True)
class Refusal:
    """A form that came back, and of which escalation it is; None: of the ticket itself."""

    escalation: int | None
    action: str
    form: Form


def find_ticket(request: HttpRequest, reference: str) -> Ticket:
    """The ticket of an address, for whoever may see it; ``Http404`` for all others."""
    number = Ticket.number_in(reference)
    if number is None:
        raise Http404
    visible = in_sight_of(reader(request))
    return get_object_or_404(visible.select_related("requester", "organization"), pk=number)


@require_safe
@login_required
def ticket(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a ticket; ``?before=`` an id goes back in a long conversation."""
    found = find_ticket(request, reference)
    if reference != found.reference:
        return redirect(found)
    return _page(request, found)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act(request: HttpRequest, reference: str, action: str) -> HttpResponse:
    """Do something to a ticket; asked with GET, show its form."""
    found = find_ticket(request, reference)
    known = ON_TICKET.get(action)
    if known is None:
        raise Http404
    if request.method != "POST":
        return actforms.of_ticket(request, found, action, known)
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
    return _page(request, found, Refusal(None, action, form), status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def act_on_escalation(request: HttpRequest, reference: str, pk: int, action: str) -> HttpResponse:
    """Do something with one of a ticket's escalations; asked with GET, show its form."""
    found = find_ticket(request, reference)
    known = ON_ESCALATION.get(action)
    if known is None:
        raise Http404
    escalation = get_object_or_404(Escalation.objects.select_related("review"), pk=pk, ticket=found)
    if request.method != "POST":
        return actforms.of_escalation(request, found, escalation, action, known)
    form = known.make(request.POST, found, gather(found))
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
    return _page(request, found, Refusal(escalation.pk, action, form), status=422)


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
    if back := actforms.onward(request, request.POST.get("next", "")):
        return redirect(back)
    return redirect(found)


def _page(
    request: HttpRequest, found: Ticket, refusal: Refusal | None = None, *, status: int = 200
) -> HttpResponse:
    """The page, with the form that was refused, of the ticket or of one of its escalations."""
    now = timezone.now()
    page = ticket_page(
        ticket=found,
        user=reader(request),
        now=now,
        before=number(request.GET.get("before")),
    )
    partial = request.GET.get("pane") == "1"
    swapped = bool(request.headers.get("HX-Request")) and not partial
    return render(
        request,
        "desk/_ticket.html" if swapped else "desk/ticket.html",
        {
            "page": page,
            "ticket": found,
            "now": now,
            "partial": partial,
            "swapped": swapped,
            "in_place": True,
            **_forms(page, refusal),
        },
        status=status,
    )


def _forms(page: TicketPage, refusal: Refusal | None) -> dict[str, object]:
    """The forms that stand in the page, and the links to all others; open is what was refused."""
    forms: dict[str, Form] = {"reply": ReplyForm(), "note": NoteForm()}
    on_ticket = acts.on_ticket(page.ticket)
    panels = [
        (panel, acts.on_escalation(page.ticket, panel.escalation), panel.owners)
        for panel in page.panels
    ]
    past = [(row, acts.on_escalation(page.ticket, row.escalation)) for row in page.past]
    if refusal is not None:
        name, form = acts.key_of(refusal.action), refusal.form
        if refusal.escalation is None:
            acts.prepare(form, ids=f"on-{name}", roster=page.roster)
            forms[name] = form
            _open(on_ticket, name, form)
        for panel, offered, owners in panels:
            if panel.escalation.pk == refusal.escalation:
                named = owners if refusal.action in actforms.NAMES_AN_OWNER else None
                ids = f"escalation-{refusal.escalation}-{name}"
                acts.prepare(form, ids=ids, roster=page.roster, owners=named)
                _open(offered, name, form)
        for row, offered in past:
            if row.escalation.pk == refusal.escalation:
                ids = f"escalation-{refusal.escalation}-{name}"
                acts.prepare(form, ids=ids, roster=page.roster)
                _open(offered, name, form)
    return {
        "forms": forms,
        "acts": on_ticket,
        "panels": [{"panel": panel, "acts": offered} for panel, offered, _owners in panels],
        "past": [{"row": row, "acts": offered} for row, offered in past],
    }


def _open(offered: dict[str, Act], name: str, form: Form) -> None:
    if name in offered:
        offered[name] = replace(offered[name], form=form)
