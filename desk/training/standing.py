"""Where somebody stands with each procedure: what is asked of them, passed, and still counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from staff.models import User
from training import completing
from training.models import Completion, Enrollment, ProcedureVersion


@dataclass(frozen=True, slots=True)
class Standing:
    """A procedure as it concerns one person.

    ``offered`` is the newest published version, which is the one to learn; ``in_force`` the one that
    holds today, or None before the first day. ``passed`` is the highest version whose completion
    counts.
    """

    offered: ProcedureVersion
    in_force: ProcedureVersion | None
    enrollment: Enrollment | None
    passed: Completion | None

    @property
    def scope(self) -> tuple[str, ...]:
        """The steps they are asked about; empty, it is all of them."""
        return tuple(self.enrollment.scope) if self.enrollment else ()

    @property
    def is_current(self) -> bool:
        """Whether they have completed the newest version, and are not asked again."""
        return (
            self.passed is not None
            and self.passed.version.number >= self.offered.number
            and self.enrollment is None
        )


def standings(*, user: User, now: datetime, slug: str | None = None) -> Sequence[Standing]:
    """How somebody stands with each published procedure, what is due first, first; four queries."""
    offered = ProcedureVersion.objects.newest().select_related("procedure").defer("texts")
    in_force = ProcedureVersion.objects.in_force(at=now).defer("texts")
    if slug is not None:
        offered = offered.filter(procedure__slug=slug)
        in_force = in_force.filter(procedure__slug=slug)
    holding = {version.procedure_id: version for version in in_force}
    asked = {each.version.procedure_id: each for each in completing.open_enrollments(user=user)}
    passed = completing.highest_by_procedure(user=user, now=now)
    found = [
        Standing(
            offered=version,
            in_force=holding.get(version.procedure_id),
            enrollment=asked.get(version.procedure_id),
            passed=passed.get(version.procedure_id),
        )
        for version in offered
    ]
    return sorted(found, key=_urgency)


def _urgency(standing: Standing) -> tuple[bool, float, str]:
    due = standing.enrollment.due_at if standing.enrollment else None
    return (
        standing.enrollment is None,
        due.timestamp() if due else 0,
        standing.offered.name,
    )
