"""``/mail/``: every letter that was decided on, its state and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from desk.letterwords import rendered
from desk.views.reading import lead, reader
from escalation.sight import in_sight_of
from notifications import pausing
from notifications.models import MailState, OutgoingEmail, OutgoingEmailQuerySet
from notifications.rendering import Rendered
from staff.models import User
from tickets.models import InboundEmail, Ticket
from tickets.models.mailin import InboundOutcome

PAGE = 50
#: Nothing but the letter's own inline styles; no script, no picture, no address is asked for.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
_REFERENCE = re.compile(r"[A-Z]{1,6}-[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is shown: never by colour alone."""

    label: LazyText
    level: str
    symbol: str
    meaning: LazyText


STATES = {
    MailState.QUEUED: StateLook(
        _("queued"), "info", "clock", _("It goes out as soon as the mail worker gets to it.")
    ),
    MailState.SENDING: StateLook(
        _("being sent"), "info", "send", _("It is being handed to the mail server.")
    ),
    MailState.SENT: StateLook(_("sent"), "ok", "circle-check", _("The mail server accepted it.")),
    MailState.CAPTURED: StateLook(
        _("captured, not sent"),
        "idle",
        "inbox",
        _("No mail server is configured, so it was kept here and went nowhere."),
    ),
    MailState.UNCERTAIN: StateLook(
        _("uncertain"),
        "warn",
        "help-circle",
        _("It may have arrived: the mail server's answer was lost."),
    ),
    MailState.FAILED: StateLook(
        _("failed"), "bad", "alert-triangle", _("It was refused, or nobody took it in time.")
    ),
    MailState.WITHDRAWN: StateLook(
        _("withdrawn"), "idle", "arrow-back-up", _("It was no longer true, and was never sent.")
    ),
}


WITHHELD = StateLook(
    _("withheld"),
    "warn",
    "lock",
    _("It goes out once its reader has confirmed their address."),
)

IN_DOUBT = StateLook(
    _("in doubt"),
    "warn",
    "help-circle",
    _(
        "It waited when the backup was made that this desk was restored from, and may have been sent"
        " since."
    ),
)

MERGED = StateLook(
    _("merged"),
    "idle",
    "arrows-join",
    _("A later letter went out with its words, before this one had left."),
)


class Filter(forms.Form):
    """What the address of the page may ask for; anything else in it is refused."""

    state = forms.ChoiceField(
        choices=[("", _("Every state")), *((state, STATES[state].label) for state in MailState)],
        required=False,
    )
    to = forms.CharField(max_length=254, required=False, strip=True)
    about = forms.RegexField(r"^[a-z]{1,20}:[0-9]{1,18}$", required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def clean_to(self) -> str:
        value: str = self.cleaned_data["to"]
        return value.replace("\x00", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One mail as the page shows it."""

    mail: OutgoingEmail
    rendered: Rendered
    look: StateLook
    url: str
    ticket_url: str
    ticket_ref: str
    is_here: bool = False

    @property
    def subject(self) -> str:
        return self.rendered.subject


@require_safe
@login_required
def mail_list(request: HttpRequest) -> HttpResponse:
    """The letters, newest first."""
    return _page(request, chosen=None)


@require_safe
@login_required
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter beside the list it was chosen from, or alone for a swap."""
    chosen = _visible(request, pk)
    if getattr(request, "htmx", None) and request.htmx.target == "letter":  # type: ignore[attr-defined]
        context = {"row": _row(chosen, query=""), "now": timezone.now()}
        return render(request, "desk/_sent_letter.html", context)
    return _page(request, chosen=chosen)


@require_safe
@login_required
@xframe_options_sameorigin
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a letter, for the sandboxed frame that shows it."""
    mail = _visible(request, pk)
    response = HttpResponse(rendered(mail).html)
    response["Content-Security-Policy"] = LETTER_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@login_required
def send_once_more(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a letter that may have arrived, since a person says so; leads answer for that."""
    lead(request)
    mail = _visible(request, pk)
    if pausing.send_once_more(letter_id=mail.pk, now=timezone.now()):
        messages.success(request, gettext("It is queued."))
    else:
        messages.warning(request, gettext("It is not left to a person any more."))
    return redirect("desk:mail-letter", pk=mail.pk)


def _page(request: HttpRequest, *, chosen: OutgoingEmail | None) -> HttpResponse:
    form = Filter(request.GET)
    valid = form.is_valid()
    asked: dict[str, Any] = form.cleaned_data if valid else {}
    mails = _readable(reader(request))
    if not valid:
        mails = mails.none()
    if asked.get("state"):
        mails = mails.filter(state=asked["state"])
    if asked.get("to"):
        mails = mails.to_addresses_starting(asked["to"])
    if asked.get("about"):
        mails = mails.about(asked["about"])
    if asked.get("before"):
        mails = mails.filter(pk__lt=asked["before"])
    found = list(mails.order_by("-pk").defer("html")[: PAGE + 1])
    kept = {name: asked[name] for name in ("state", "to", "about") if asked.get(name)}
    older = {**kept, "before": found[PAGE - 1].pk} if len(found) > PAGE else None
    query = urlencode({**kept, **({"before": asked["before"]} if asked.get("before") else {})})
    return render(
        request,
        "desk/mail.html",
        {
            "form": form,
            "kept": kept,
            "rows": [_row(mail, query=query, chosen=chosen) for mail in found[:PAGE]],
            "chosen": chosen and _row(chosen, query=query),
            "older": older and f"{reverse('desk:mail')}?{urlencode(older)}",
            "is_older": bool(asked.get("before")),
            "newest": f"{reverse('desk:mail')}?{urlencode(kept)}",
            "back": f"{reverse('desk:mail')}?{query}",
            "held": _held(),
            "now": timezone.now(),
        },
        status=200 if valid else 400,
    )


def _held() -> int:
    """How many mails that came wait for a person; counted no further than 100."""
    waiting = InboundEmail.objects.filter(
        outcome__in=(InboundOutcome.SUSPENDED, InboundOutcome.QUARANTINED)
    )
    return waiting.order_by()[:100].count()


def _row(mail: OutgoingEmail, *, query: str, chosen: OutgoingEmail | None = None) -> Row:
    url = reverse("desk:mail-letter", args=[mail.pk])
    ref = str(mail.variables.get("ref", ""))
    return Row(
        mail=mail,
        rendered=rendered(mail),
        look=_look(mail),
        url=f"{url}?{query}" if query else url,
        ticket_url=_ticket_url(mail.about, ref),
        ticket_ref=ref or mail.about,
        is_here=chosen is not None and chosen.pk == mail.pk,
    )


def _look(mail: OutgoingEmail) -> StateLook:
    if mail.is_withheld:
        return WITHHELD
    if mail.in_doubt_id is not None and mail.is_left_to_a_person:
        return IN_DOUBT
    return MERGED if mail.is_merged else STATES[MailState(mail.state)]


def _visible(request: HttpRequest, pk: int) -> OutgoingEmail:
    mail = _readable(reader(request)).filter(pk=pk).first()
    if mail is None:
        raise Http404
    return mail


def _readable(user: User) -> OutgoingEmailQuerySet:
    """The letters this person may read: not those on tickets of a private team they are not in."""
    mails = OutgoingEmail.objects.with_texts()
    if user.sees_every_team:
        return mails
    hidden = (
        Ticket.objects.filter(team__is_private=True)
        .exclude(pk__in=in_sight_of(user).values("pk"))
        .annotate(word=Concat(Value("ticket:"), Cast("pk", CharField())))
    )
    return mails.exclude(about__in=hidden.values("word"))


def _ticket_url(about: str, ref: str) -> str:
    if not about.startswith("ticket:") or not _REFERENCE.fullmatch(ref):
        return ""
    return reverse("desk:ticket", args=[ref])
