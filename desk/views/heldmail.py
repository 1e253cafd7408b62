"""Mail that came and waits for a person: suspended for its sender, or quarantined as unreadable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from desk.views.numbers import number
from desk.views.reading import lead, reader
from tickets.inbound.ingest import Outcome, release, replay
from tickets.models import InboundEmail
from tickets.models.mailin import InboundOutcome

PAGE = 50
WAITING = (InboundOutcome.SUSPENDED, InboundOutcome.QUARANTINED)

#: A suspended mail is let in since a person vouches for it; a quarantined one is read again.
ACTIONS: Mapping[str, Callable[..., Outcome]] = {"release": release, "retry": replay}


@require_safe
@login_required
def held_mail(request: HttpRequest) -> HttpResponse:
    """What waits, newest first; ``?before=`` an id goes on."""
    reader(request)
    before = number(request.GET.get("before"))
    waiting = InboundEmail.objects.filter(outcome__in=WAITING).defer("raw").order_by("-pk")
    if before is not None:
        waiting = waiting.filter(pk__lt=before)
    found = list(waiting[: PAGE + 1])
    return render(
        request,
        "desk/held_mail.html",
        {
            "mails": found[:PAGE],
            "older": found[PAGE - 1].pk if len(found) > PAGE else None,
            "now": timezone.now(),
        },
    )


@require_POST
@login_required
def let_in(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Let a mail in, or try it again, and say what became of it; leads answer for that."""
    lead(request)
    known = ACTIONS.get(action)
    if known is None:
        raise Http404
    get_object_or_404(InboundEmail.objects.only("pk"), pk=pk)
    outcome = known(inbound_id=pk, now=timezone.now())
    if outcome.ticket is not None:
        messages.success(request, _("It is on %(ticket)s now.") % {"ticket": outcome.ticket})
    else:
        messages.warning(request, _("Nothing has changed: %(why)s") % {"why": outcome.reason})
    return redirect("desk:held-mail")
