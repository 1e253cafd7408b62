"""``/training/procedures/``: every procedure, the state of its versions, and who answers for it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from desk.views.numbers import number
from desk.views.reading import lead
from staff.models import User
from staff.refusal import Refused
from training import reviewdates, versions
from training.models import Procedure, ProcedureVersion

PAGE = 50


@require_safe
@login_required
def all_of_them(request: HttpRequest) -> HttpResponse:
    """The procedures by name, each with its newest published version and what comes after it."""
    by, now = lead(request), timezone.now()
    newest = ProcedureVersion.objects.defer("texts").order_by("-number")
    procedures = Procedure.objects.select_related("owner").prefetch_related(
        Prefetch("versions", queryset=newest, to_attr="all_versions")
    )
    page = Paginator(procedures, PAGE).get_page(request.GET.get("page"))
    today = reviewdates.today(now)
    rows = []
    for procedure in page:
        # The newest stands first.
        known: list[ProcedureVersion] = procedure.all_versions  # type: ignore[attr-defined]
        published = next((each for each in known if each.is_published), None)
        rows.append(
            {
                "procedure": procedure,
                "title": known[0].name if known else procedure.slug,
                "published": published,
                "unpublished": known[0] if known and not known[0].is_published else None,
                "is_stale": published is not None and reviewdates.is_stale(published, today=today),
                "may_hand_over": versions.may_hand_over(procedure=procedure, by=by),
            }
        )
    leads = User.objects.leading().order_by("name")
    return render(
        request,
        "training/procedures.html",
        {
            "page": page,
            "rows": rows,
            "leads": leads if any(row["may_hand_over"] for row in rows) else (),
            "now": now,
        },
    )


@require_POST
@login_required
def hand_over(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a procedure another owner."""
    by = lead(request)
    procedure = get_object_or_404(Procedure, slug=slug)
    try:
        versions.hand_over(
            procedure_id=procedure.pk, to=number(request.POST.get("owner")) or 0, by=by
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("desk:procedures")
