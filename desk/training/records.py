"""What one person was asked, tried and completed, by procedure, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from desk.training.standing import Standing, standings
from staff.models import User
from training.models import Attempt, Completion, Enrollment

M = TypeVar("M", Completion, Attempt, Enrollment)

#: So many completions, attempts and enrolments stand on a page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Record:
    """A page of what happened; ``has_older`` where any of the lists goes on."""

    person: User
    standings: Sequence[Standing]
    completions: Sequence[Completion]
    attempts: Sequence[Attempt]
    enrollments: Sequence[Enrollment]
    has_older: bool


def record_of(*, person: User, slug: str | None = None, page: int = 1, now: datetime) -> Record:
    """Somebody's record, of one procedure or of all of them; seven queries."""
    completions = Completion.objects.filter(user=person).order_by("-at", "-pk")
    attempts = Attempt.objects.filter(user=person).order_by("-started_at", "-pk")
    enrollments = (
        Enrollment.objects.filter(user=person)
        .select_related("asked_by")
        .order_by("-enrolled_at", "-pk")
    )
    if slug is not None:
        completions = completions.filter(version__procedure__slug=slug)
        attempts = attempts.filter(version__procedure__slug=slug)
        enrollments = enrollments.filter(version__procedure__slug=slug)
    passed, passed_on = _page(completions.select_related("attempt"), page)
    tried, tried_on = _page(attempts, page)
    asked, asked_on = _page(enrollments, page)
    return Record(
        person=person,
        standings=standings(user=person, now=now, slug=slug),
        completions=passed,
        attempts=tried,
        enrollments=asked,
        has_older=passed_on or tried_on or asked_on,
    )


def _page(rows: QuerySet[M], page: int) -> tuple[Sequence[M], bool]:
    begin = (page - 1) * PAGE
    found = list(
        rows.select_related("version__procedure").defer("version__texts")[begin : begin + PAGE + 1]
    )
    return found[:PAGE], len(found) > PAGE
