"""How far somebody is in a lesson: kept, so that they go on where they left."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from staff.models import User
from training.models import Enrollment, LessonProgress, ProcedureVersion


def scope_of(*, user: User, version: ProcedureVersion) -> tuple[str, ...]:
    """The steps somebody is asked about; empty, it is all of them."""
    asked = Enrollment.objects.filter(user=user, version=version, ended_at=None).first()
    return tuple(asked.scope) if asked else ()


@transaction.atomic
def go_on(
    *, version: ProcedureVersion, seen: str, to: str, by: User, now: datetime
) -> LessonProgress:
    """Somebody has read a slide and goes to another; ``seen`` is its step's key, or no step's.

    With the last step that is asked of them, they have finished the lesson.
    """
    progress = _held(version, by, now)
    course = version.course(by.language)
    if seen in course.step_by_key and seen not in progress.seen:
        progress.seen = [*progress.seen, seen]
    progress.at_step, progress.changed_at = to, now
    steps = {step.key for step in course.steps_of(scope_of(user=by, version=version))}
    if progress.finished_at is None and steps <= set(progress.seen):
        progress.finished_at = now
    progress.save()
    return progress


@transaction.atomic
def watch(
    *, version: ProcedureVersion, second: float, ended: bool, by: User, now: datetime
) -> LessonProgress:
    """Somebody has watched the video up to a second; at its end they have finished the lesson."""
    progress = _held(version, by, now)
    progress.at_second, progress.changed_at = (0 if ended else second), now
    if ended and progress.finished_at is None:
        progress.finished_at = now
    progress.save()
    return progress


def _held(version: ProcedureVersion, by: User, now: datetime) -> LessonProgress:
    LessonProgress.objects.get_or_create(
        user=by, version=version, defaults={"started_at": now, "changed_at": now}
    )
    # Two windows of one person take turns.
    return LessonProgress.objects.select_for_update(no_key=True).get(user=by, version=version)
