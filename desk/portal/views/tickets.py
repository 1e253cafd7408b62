"""A contact's tickets: the list, one of them, its files, and what they do there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from desk import once
from desk.downloads import hand_out
from desk.formfields import refuse
from desk.portal import pages
from desk.portal.forms import AnswerForm, DetailsForm, EscalateForm, MuteForm, ReopenForm
from desk.portal.pages import Page
from desk.portal.uploads import Upload, refuse_floods
from desk.portal.views.visitor import for_contacts
from escalation import endings
from tickets import intake, portal
from tickets.errors import Refused
from tickets.intake import Incoming
from tickets.models import Contact, Ticket
from tickets.models.ticket import Channel, SenderVerdict


@require_safe
@for_contacts
def own(request: HttpRequest, contact: Contact) -> HttpResponseBase:
    """The contact's tickets, newest first."""
    tickets = pages.own_tickets(contact, before=_before(request))
    context = {"contact": contact, "tickets": tickets, "now": timezone.now()}
    return render(request, "portal/tickets.html", context)


@require_safe
@for_contacts
def one(request: HttpRequest, contact: Contact, reference: str) -> HttpResponseBase:
    return _show(request, contact, _found(contact, reference), {})


@require_safe
@for_contacts
def file(request: HttpRequest, contact: Contact, reference: str, pk: int) -> HttpResponseBase:
    """Hand out a file of the conversation, to be kept and never to be run here."""
    stored = pages.attachment(_found(contact, reference), pk)
    if stored is None:
        raise Http404
    return hand_out(stored)


@refuse_floods
@require_POST
@for_contacts
def act(request: HttpRequest, contact: Contact, reference: str, action: str) -> HttpResponseBase:
    """Do one of the things a customer can do to a ticket; what is refused comes back with why."""
    ticket = _found(contact, reference)
    if action not in ACTS:
        raise Http404
    now = timezone.now()
    page = pages.page_of(ticket, contact, before=None, now=now)
    form = _form(action, page, request)
    if form.is_valid():
        try:
            with transaction.atomic():
                if once.is_repeated(request):
                    return redirect("desk:portal-ticket", ticket.reference)
                where, word = ACTS[action](page, contact, form, now)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, word)
            return redirect("desk:portal-ticket", where.reference)
    if not page.offers(action):
        # There is no place on the page to say it at.
        for error in form.non_field_errors() or [_("This cannot be done any more.")]:
            messages.error(request, str(error))
    return _show(request, contact, ticket, {action: form}, status=422)


Act = Callable[[Page, Contact, forms.Form, datetime], tuple[Ticket, str]]


def _answer(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    message = intake.append_message(
        ticket_id=page.ticket.pk, contact=contact, incoming=_incoming(form), now=now
    )
    if message.ticket_id != page.ticket.pk:
        return message.ticket, _("The old ticket is closed; your answer became a new one.")
    return message.ticket, _("Your answer is with us.")


def _reopen(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    portal.reopen(ticket_id=page.ticket.pk, contact=contact, incoming=_incoming(form), now=now)
    return page.ticket, _("It is open again, with the same people.")


def _details(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    assert isinstance(form, DetailsForm)
    labels = {key: detail.local_label for key, detail in page.required.items()}
    said = "\n".join(f"{labels[key]}: {value}" for key, value in form.details.items())
    portal.add_details(
        ticket_id=page.ticket.pk,
        required=page.required,
        values=form.details,
        contact=contact,
        incoming=_said(said),
        now=now,
    )
    return page.ticket, _("Thank you; we have it now and will not ask again.")


def _escalate(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    portal.ask_to_escalate(
        ticket_id=page.ticket.pk,
        contact=contact,
        incoming=_said(form.cleaned_data["reason"]),
        now=now,
    )
    return page.ticket, _("A team lead has been asked. You get a letter when it is escalated.")


def _solved(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    endings.confirm(ticket_id=page.ticket.pk, now=now, contact=contact)
    return page.ticket, _("Thank you; the ticket is closed.")


def _mute(page: Page, contact: Contact, form: forms.Form, now: datetime) -> tuple[Ticket, str]:
    if not page.is_own:
        raise Refused(_("Only who gets the letters can mute them."))
    muted = form.cleaned_data["muted"]
    portal.mute(ticket_id=page.ticket.pk, muted=muted, contact=contact, now=now)
    return page.ticket, _("Only essential letters from now on.") if muted else _(
        "You get every letter again."
    )


ACTS: Mapping[str, Act] = {
    "answer": _answer,
    "reopen": _reopen,
    "details": _details,
    "escalate": _escalate,
    "solved": _solved,
    "mute": _mute,
}
_PLAIN: Mapping[str, type[forms.Form]] = {
    "answer": AnswerForm,
    "reopen": ReopenForm,
    "escalate": EscalateForm,
    "solved": forms.Form,
    "mute": MuteForm,
}


def _form(action: str, page: Page, request: HttpRequest | None = None) -> forms.Form:
    said, files = (request.POST, request.FILES) if request is not None else (None, None)
    names = f"id_{action}_%s"
    if action == "details":
        return DetailsForm(said, files, details=page.missing, auto_id=names)
    return _PLAIN[action](said, files, auto_id=names)


def _said(text: str, files: list[Upload] | None = None) -> Incoming:
    # Who is signed in has proven the mailbox: letters may stay in their thread.
    return Incoming(
        text=text,
        channel=Channel.WEB,
        attachments=files or [],
        sender_verdict=SenderVerdict.PASS,
    )


def _incoming(form: forms.Form) -> Incoming:
    return _said(form.cleaned_data["text"], form.cleaned_data["attachments"])


def _found(contact: Contact, reference: str) -> Ticket:
    ticket = pages.find(contact, reference)
    if ticket is None:
        raise Http404
    return ticket


def _before(request: HttpRequest) -> int | None:
    number = request.GET.get("before", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else None


def _show(
    request: HttpRequest,
    contact: Contact,
    ticket: Ticket,
    refused: Mapping[str, forms.Form],
    *,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    page = pages.page_of(ticket, contact, before=_before(request), now=now)
    return render(
        request,
        "portal/ticket.html",
        {
            "contact": contact,
            "page": page,
            "ticket": ticket,
            "standing": page.standing,
            "forms": {action: refused.get(action) or _form(action, page) for action in ACTS},
            "refused": [*refused],
            "now": now,
        },
        status=status,
    )
