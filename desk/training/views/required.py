"""``/training/…/people/``: of whom a procedure is required, and who is asked by hand."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from desk.formfields import refuse
from desk.training.requiredforms import AskForm, RequireForm
from desk.views.reading import lead
from staff.models import User
from staff.refusal import Refused
from training import requiring, sight
from training.models import ProcedureVersion, Requirement

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def required(request: HttpRequest, slug: str) -> HttpResponse:
    """The requirements on a procedure; sending the form adds one."""
    by, newest = lead(request), _newest(slug)
    form = RequireForm(request.POST if request.method == "POST" else None, by=by)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            requiring.require(
                procedure=newest.procedure,
                role=asked["role"],
                team=asked["team"],
                tier=form.chosen_tier(),
                due_days=asked["due_days"],
                by=by,
                now=timezone.now(),
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("It is required, and whoever it is about is asked."))
            return redirect("desk:training-required", slug)
    return _page(request, by, newest, requires=form)


@require_POST
@login_required
def lift(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Require it of them no longer."""
    by, newest = lead(request), _newest(slug)
    found = get_object_or_404(_known(by, newest), pk=pk)
    try:
        requiring.lift(requirement_id=found.pk, by=by, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("It is no longer required of them."))
    return redirect("desk:training-required", slug)


@require_POST
@login_required
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask one person."""
    by, newest = lead(request), _newest(slug)
    form = AskForm(request.POST, by=by)
    if form.is_valid():
        person = form.cleaned_data["person"]
        try:
            requiring.ask(
                procedure=newest.procedure,
                person_id=person.pk,
                due_at=form.cleaned_data["due"],
                by=by,
                now=timezone.now(),
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("%(person)s is asked.") % {"person": person})
            return redirect("desk:training-required", slug)
    return _page(request, by, newest, asks=form)


def _newest(slug: str) -> ProcedureVersion:
    found = (
        ProcedureVersion.objects.newest()
        .filter(procedure__slug=slug)
        .select_related("procedure")
        .defer("texts")
        .first()
    )
    if found is None:
        raise Http404
    return found


def _known(by: User, version: ProcedureVersion) -> QuerySet[Requirement]:
    """The requirements this person may know of: a private team's name is for its own leads."""
    return version.procedure.requirements.filter(
        Q(team=None) | Q(team__is_private=False) | Q(team__in=sight.teams_of(by).values("pk"))
    ).select_related("team", "tier", "created_by")


def _page(
    request: HttpRequest,
    by: User,
    version: ProcedureVersion,
    *,
    requires: RequireForm | None = None,
    asks: AskForm | None = None,
) -> HttpResponse:
    page = Paginator(_known(by, version).order_by("pk"), PAGE).get_page(request.GET.get("page"))
    own = set(sight.teams_of(by).values_list("pk", flat=True))
    return render(
        request,
        "training/required.html",
        {
            "version": version,
            "requirements": [
                (each, by.sees_every_team or each.team_id in own) for each in page.object_list
            ],
            "page": page,
            "requires": requires or RequireForm(by=by),
            "asks": asks or AskForm(by=by),
            "now": timezone.now(),
        },
        status=422 if any(form and form.errors for form in (requires, asks)) else 200,
    )
