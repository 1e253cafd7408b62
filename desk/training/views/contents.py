"""``/training/``: what there is to learn, and each procedure as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from desk.training.standing import standings
from desk.views.numbers import number
from desk.views.reading import reader
from training.course import ChecklistItem, Course
from training.coursehtml import html_of
from training.models import ProcedureVersion


@dataclass(frozen=True, slots=True)
class ShownStep:
    key: str
    title: str
    text: SafeString
    example: SafeString
    changed: bool


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    title: str
    answer: SafeString


@dataclass(frozen=True, slots=True)
class ShownCourse:
    """A course with its Markdown as HTML."""

    title: str
    summary: str
    change: str
    purpose: SafeString
    scope: SafeString
    steps: Sequence[ShownStep]
    mistakes: SafeString
    checklist: Sequence[ChecklistItem]
    frequent: Sequence[ShownQuestion]


def shown(course: Course) -> ShownCourse:
    return ShownCourse(
        title=course.front.title,
        summary=course.front.summary,
        change=course.front.change,
        purpose=html_of(course.purpose),
        scope=html_of(course.scope),
        steps=[
            ShownStep(
                step.key,
                step.title,
                html_of(step.text),
                html_of(step.example),
                step.key in course.front.changed,
            )
            for step in course.steps
        ],
        mistakes=html_of(course.mistakes),
        checklist=course.checklist,
        frequent=[ShownQuestion(each.title, html_of(each.answer)) for each in course.frequent],
    )


@require_safe
@login_required
def contents(request: HttpRequest) -> HttpResponse:
    """Every procedure, and where its reader stands."""
    now = timezone.now()
    found = standings(user=reader(request), now=now)
    return render(
        request,
        "training/contents.html",
        {
            "asked": [each for each in found if each.enrollment],
            "others": [each for each in found if not each.enrollment],
            "now": now,
        },
    )


@require_safe
@login_required
def procedure(request: HttpRequest, slug: str) -> HttpResponse:
    """A procedure as it is read: the newest published version, or an older one by ``?version=``."""
    user, now = reader(request), timezone.now()
    found = standings(user=user, now=now, slug=slug)
    if not found:
        raise Http404
    version = wanted(request, slug) or found[0].offered
    return render(
        request,
        "training/procedure.html",
        {
            "standing": found[0],
            "version": version,
            "course": shown(version.course(user.language)),
            "now": now,
        },
    )


def wanted(request: HttpRequest, slug: str) -> ProcedureVersion | None:
    """The published version that ``?version=`` asks for, None where it asks for none; 404 for others."""
    if "version" not in request.GET:
        return None
    asked = number(request.GET["version"])
    versions = ProcedureVersion.objects.published().filter(procedure__slug=slug)
    found = None if asked is None else versions.filter(number=asked).first()
    if found is None:
        raise Http404
    return found
