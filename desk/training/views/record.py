"""``/training/…/record/`` and ``/training/people/…/``: what somebody has completed, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from desk.training.feedback import feedback_of
from desk.training.records import Record, record_of
from desk.views.numbers import number
from desk.views.reading import lead, reader
from training import sight
from training.models import Attempt

#: No record has so many pages.
LAST = 10_000


@require_safe
@login_required
def own(request: HttpRequest, slug: str) -> HttpResponse:
    """What the reader has completed of a procedure."""
    page = _page(request)
    record = record_of(person=reader(request), slug=slug, page=page, now=timezone.now())
    if not record.standings:
        raise Http404
    return _shown(request, record, page, is_own=True)


@require_safe
@login_required
def of_person(request: HttpRequest, pk: int) -> HttpResponse:
    """The record of somebody whom the reader answers for, of every procedure."""
    user = lead(request)
    person = get_object_or_404(sight.people_of(user), pk=pk)
    page = _page(request)
    record = record_of(person=person, page=page, now=timezone.now())
    return _shown(request, record, page, is_own=person == user)


@require_safe
@login_required
def attempt(request: HttpRequest, person: int, pk: int) -> HttpResponse:
    """An attempt of somebody whom the reader answers for: each answer, and what it came to."""
    user = lead(request)
    found = get_object_or_404(
        Attempt.objects.select_related("user", "version__procedure"),
        pk=pk,
        user=get_object_or_404(sight.people_of(user), pk=person),
    )
    course = found.version.course(user.language)
    return render(
        request,
        "training/attempt.html",
        {
            "attempt": found,
            "front": course.front,
            "answers": [
                feedback_of(each, attempt=found, course=course) for each in found.answers.all()
            ],
            "now": timezone.now(),
        },
    )


def _page(request: HttpRequest) -> int:
    return min(max(number(request.GET.get("page")) or 1, 1), LAST)


def _shown(request: HttpRequest, record: Record, page: int, *, is_own: bool) -> HttpResponse:
    return render(
        request,
        "training/record.html",
        {
            "record": record,
            "parts": _parts(record),
            "is_own": is_own,
            "page": page,
            "older": page + 1,
            "now": timezone.now(),
        },
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One of a record's tables: its columns, the template of a row, and what stands for no row."""

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Model]
    template: str
    nothing: str


def _parts(record: Record) -> Sequence[Part]:
    version, right = _("Version"), _("Right")
    return (
        Part(
            key="completions",
            title=_("Completed"),
            heads=(version, _("Completed"), right, _("Counts until")),
            rows=record.completions,
            template="training/_record_completed.html",
            nothing=_("Nothing completed."),
        ),
        Part(
            key="asked",
            title=_("Asked"),
            heads=(version, _("Asked"), _("Due"), _("How it ended")),
            rows=record.enrollments,
            template="training/_record_asked.html",
            nothing=_("Nothing was asked."),
        ),
        Part(
            key="attempts",
            title=_("Attempts"),
            heads=(version, _("Begun"), right),
            rows=record.attempts,
            template="training/_record_tried.html",
            nothing=_("No attempt yet."),
        ),
    )
