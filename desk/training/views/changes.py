"""``/training/…/changes/``: what changed since the version that somebody knows."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.training.difference import difference
from desk.training.standing import standings
from desk.views.numbers import number
from desk.views.reading import reader
from staff.models import User
from training.agreement import main_language
from training.models import Completion, ProcedureVersion


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
    old = _older(request, older, standing.passed)
    language = _common(user, old, new) if old is not None else None
    return render(
        request,
        "training/changes.html",
        {
            "standing": standing,
            "version": new,
            "old": old,
            "notes": older.filter(number__gt=old.number).defer("texts") if old else (),
            "language": language,
            "sections": difference(old.courses[language], new.courses[language], for_learners=True)
            if old is not None and language is not None
            else (),
            "now": now,
        },
    )


def _common(user: User, old: ProcedureVersion, new: ProcedureVersion) -> str | None:
    """The reader's language, or else another in which both are written; None where there is none."""
    both = old.texts.keys() & new.texts.keys()
    if user.language in both:
        return user.language
    return main_language(both) if both else None


def _older(
    request: HttpRequest, older: QuerySet[ProcedureVersion], passed: Completion | None
) -> ProcedureVersion | None:
    """The version to compare with; None where there is none before."""
    if "since" in request.GET:
        found = older.filter(number=number(request.GET["since"]) or 0).first()
        if found is None:
            raise Http404
        return found
    known = older.filter(number=passed.version.number).first() if passed is not None else None
    return known or older.last()
