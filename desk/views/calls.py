"""Log a call: find or add who called, and write down what they said."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from desk import once
from desk.calls import CallerForm, CallForm, search
from desk.formfields import refuse
from desk.views.numbers import number
from desk.views.reading import reader
from escalation import calling
from staff.models import User
from tickets import calls
from tickets.errors import Refused
from tickets.models import Category, Contact, Ticket


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def new_call(request: HttpRequest) -> HttpResponse:
    """Show the page; ``?q=`` finds people, ``?contact=`` chooses one, ``?new=1`` adds one.

    Sending with ``again`` shows the form anew, with the details of the category that was chosen.
    """
    user = reader(request)
    contact = _contact(request, user)
    if request.method != "POST":
        return _page(request, contact, CallForm(**_choices(request, contact, user)), CallerForm())
    caller = CallerForm(request.POST) if contact is None else None
    form = CallForm(request.POST, **_choices(request, contact, user))
    if "again" in request.POST:
        return _page(request, contact, _unjudged(form), caller and _unjudged(caller))
    valid = [form.is_valid(), caller is None or caller.is_valid()]
    if all(valid):
        try:
            with transaction.atomic():
                if once.is_repeated(request):
                    messages.info(request, _("This was done already; it is done once."))
                    return redirect("desk:triage")
                ticket = _take(form, caller, contact, user)
        except Refused as refusal:
            refuse(caller if caller and refusal.field in caller.fields else form, refusal)
        else:
            messages.success(request, _("The call is on %(ref)s.") % {"ref": ticket.reference})
            return _onward(ticket, user)
    return _page(request, contact, form, caller, status=422)


def _take(form: CallForm, caller: CallerForm | None, contact: Contact | None, user: User) -> Ticket:
    data, now = form.cleaned_data, timezone.now()
    contact_id = contact.pk if contact is not None else None
    if form.ticket_id is not None:
        return calls.append(
            ticket_id=form.ticket_id, contact_id=contact_id, text=data["text"], now=now, by=user
        ).ticket
    return calling.take(
        contact_id=contact_id,
        caller=caller.caller if caller is not None else None,
        subject=data["subject"],
        text=data["text"],
        category=data["category"],
        details=form.details,
        impact=data["impact"],
        urgency=data["urgency"],
        mine=data["mine"],
        tell=data["tell"],
        now=now,
        by=user,
    ).ticket


def _onward(ticket: Ticket, user: User) -> HttpResponse:
    """To the ticket, unless its category has led it to a team whose tickets are not shown here."""
    seen = Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()
    return redirect(ticket if seen else reverse("desk:triage"))


def _contact(request: HttpRequest, user: User) -> Contact | None:
    chosen = request.POST.get("contact") or request.GET.get("contact")
    if not chosen:
        return None
    found = calls.contacts_for(user).filter(pk=number(chosen) or 0).first()
    if found is None:
        raise Http404
    return found


def _choices(request: HttpRequest, contact: Contact | None, user: User) -> dict[str, Any]:
    category = Category.objects.filter(pk=number(request.POST.get("category")) or 0).first()
    return {
        "tickets": calls.tickets_of(contact=contact, user=user) if contact is not None else (),
        "details": list(category.required_details.all()) if category is not None else (),
    }


F = TypeVar("F", bound=Form)


def _unjudged(form: F) -> F:
    """What was typed, without a word about what is missing: nobody has sent it yet."""
    form.is_valid()
    form.errors.clear()
    return form


def _page(
    request: HttpRequest,
    contact: Contact | None,
    form: CallForm,
    caller: CallerForm | None,
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "contact": contact,
        "form": form,
        "caller": caller,
        "is_new": contact is None and (request.method == "POST" or "new" in request.GET),
        "search": search(words=request.GET.get("q", ""), user=reader(request)),
        "now": timezone.now(),
        "partial": False,
    }
    if request.headers.get("HX-Request"):
        part = "desk/_call.html" if request.method == "POST" else "desk/_callers.html"
        return render(request, part, context, status=status)
    return render(request, "desk/call.html", context, status=status)
