"""Who has passed what, and whether it still counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from staff.models import User
from training.models import Completion, Enrollment, Procedure


def counting(*, now: datetime) -> Q:
    """Completions that have not expired."""
    return Q(expires_at=None) | Q(expires_at__gt=now)


def highest_by_person(
    *, procedure: Procedure, users: Collection[int] | None = None, now: datetime
) -> dict[int, Completion]:
    """The completion of the highest version that still counts, by person; in one query."""
    rows = Completion.objects.filter(counting(now=now), version__procedure=procedure)
    if users is not None:
        rows = rows.filter(user__pk__among=users)
    rows = (
        rows.select_related("version")
        .defer("version__texts")
        .order_by("user_id", "-version__number", "-at")
        .distinct("user_id")
    )
    return {row.user_id: row for row in rows}


def highest_by_procedure(*, user: User, now: datetime) -> dict[int, Completion]:
    """Somebody's completion of the highest version that still counts, by procedure; in one query."""
    rows = (
        Completion.objects.filter(counting(now=now), user=user)
        .select_related("version")
        .defer("version__texts")
        .order_by("version__procedure_id", "-version__number", "-at")
        .distinct("version__procedure_id")
    )
    return {row.version.procedure_id: row for row in rows}


def has_completed(*, user: User, slug: str, number: int, now: datetime) -> bool:
    """Whether somebody's completion of this version of a procedure, or of a newer one, counts."""
    return Completion.objects.filter(
        counting(now=now),
        user=user,
        version__procedure__slug=slug,
        version__number__gte=number,
    ).exists()


def open_enrollments(*, user: User) -> list[Enrollment]:
    """What somebody is asked to complete, the most urgent first."""
    return list(
        Enrollment.objects.filter(user=user, ended_at=None)
        .select_related("version__procedure")
        .defer("version__texts")
        .order_by("due_at", "pk")
    )
