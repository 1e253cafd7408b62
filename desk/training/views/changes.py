"""``/training/…/changes/``: what changed since the version that somebody knows."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.training.difference import difference
from desk.training.standing import standings
from desk.views.numbers import number
from desk.views.reading import reader
from training.models import ProcedureVersion


@require_safe
@login_required
def since(request: HttpRequest, slug: str) -> HttpResponse:
    """How the newest published version differs from an older one: that of ``?since=``, or the one
    its reader completed, or the one before. What is asked of them is not told."""
    user, now = reader(request), timezone.now()
    found = standings(user=user, now=now, slug=slug)
    if not found:
        raise Http404
    standing = found[0]
    new = ProcedureVersion.objects.select_related("procedure").get(pk=standing.offered.pk)
    older = new.procedure.versions.published().filter(number__lt=new.number).order_by("number")
    asked = number(request.GET["since"]) if "since" in request.GET else None
    if asked is None and standing.passed is not None:
        asked = standing.passed.version.number
    old = older.filter(number=asked).first() if asked is not None else older.last()
    if old is None and "since" in request.GET:
        raise Http404
    language = user.language
    return render(
        request,
        "training/changes.html",
        {
            "standing": standing,
            "version": new,
            "old": old,
            "notes": older.filter(number__gt=old.number).defer("texts") if old else (),
            "sections": difference(old.course(language), new.course(language), for_learners=True)
            if old
            else (),
            "now": now,
        },
    )
