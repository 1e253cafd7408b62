"""``/mail/pause/``: whether letters and webhooks are paused, what waits, and letting it go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from desk.views.reading import lead, reader
from notifications import pausing
from notifications.pausing import NotPaused
from staff.models import User

#: What is withdrawn instead of sent, at most: two months are longer than anything is true.
MOST_HOURS = 1500


class PauseForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)


class ReleaseForm(forms.Form):
    older_than = forms.IntegerField(
        label=gettext_lazy("Withdraw what is older than so many hours, instead of sending it"),
        min_value=0,
        max_value=MOST_HOURS,
        required=False,
    )
    send_doubtful = forms.BooleanField(
        label=gettext_lazy(
            "Send what is in doubt, too: I know that nothing was sent after the backup was made"
        ),
        required=False,
    )


@require_safe
@login_required
def pause_page(request: HttpRequest) -> HttpResponse:
    """What waits, for everybody; whoever answers for others' work pauses and releases."""
    reader(request)
    return _page(request, PauseForm(), ReleaseForm())


@require_POST
@login_required
def pause_act(request: HttpRequest, action: str) -> HttpResponse:
    """Pause, or let go."""
    if action not in ACTS:
        raise Http404
    by = lead(request)
    try:
        return ACTS[action](request, by)
    except NotPaused as refused:
        messages.warning(request, str(refused))
        return redirect("desk:outbox-pause")


def _begin(request: HttpRequest, by: User) -> HttpResponse:
    form = PauseForm(request.POST)
    if not form.is_valid():
        return _page(request, form, ReleaseForm(), status=422)
    pausing.pause(note=form.cleaned_data["note"], by=by, now=timezone.now())
    messages.success(request, _("Nothing is sent until somebody lets it go."))
    return redirect("desk:outbox-pause")


def _end(request: HttpRequest, by: User) -> HttpResponse:
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        return _page(request, PauseForm(), form, status=422)
    hours = form.cleaned_data["older_than"]
    released = pausing.release(
        by=by,
        now=timezone.now(),
        send_doubtful=form.cleaned_data["send_doubtful"],
        older_than=None if hours is None else timedelta(hours=hours),
    )
    total = released.letters + released.messages
    said = ngettext("%(n)d goes out now.", "%(n)d go out now.", total) % {"n": total}
    withdrawn = released.withdrawn_letters + released.withdrawn_messages
    if withdrawn:
        said += " " + ngettext(
            "%(n)d was too old and was withdrawn.",
            "%(n)d were too old and were withdrawn.",
            withdrawn,
        ) % {"n": withdrawn}
    messages.success(request, said)
    return redirect("desk:outbox-pause")


ACTS: Mapping[str, Callable[[HttpRequest, User], HttpResponse]] = {"begin": _begin, "end": _end}


def _page(
    request: HttpRequest, pause_form: PauseForm, release_form: ReleaseForm, *, status: int = 200
) -> HttpResponse:
    pause = pausing.standing()
    return render(
        request,
        "desk/pause.html",
        {
            "standing": pause,
            "waiting": pausing.waiting(pause),
            "pause_form": pause_form,
            "release_form": release_form,
            "now": timezone.now(),
        },
        status=status,
    )
