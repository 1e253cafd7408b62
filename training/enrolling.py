"""Who must know what: enrolment follows from requirements, teams, versions and completions.

One function brings it about, whatever changed: a version, a requirement, somebody who joined, a
completion that expires. It may be called at any time and again; the beat does every few minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from notifications import noticeboard
from notifications.noticeboard import Notice
from notifications.values import moment
from staff.models import User
from training import completing
from training.models import (
    Completion,
    Enrollment,
    EnrollmentEnd,
    Procedure,
    ProcedureVersion,
    Requirement,
)


def enrol_everywhere(*, now: datetime) -> int:
    """Enrol whoever must know a procedure, in each of them; returns how many were enrolled."""
    return sum(
        len(enrol(procedure=procedure, now=now)) for procedure in Procedure.objects.order_by("pk")
    )


@transaction.atomic
def enrol(*, procedure: Procedure, now: datetime) -> list[Enrollment]:
    """Bring a procedure's enrolments up to date; returns the new ones, whose people are told.

    Enrolments in older versions end, as do those of people of whom it is no longer required.
    """
    # One at a time: two at once would enrol the same people.
    Procedure.objects.select_for_update(no_key=True).get(pk=procedure.pk)
    version = ProcedureVersion.objects.newest().filter(procedure=procedure).defer("texts").first()
    if version is None:
        return []
    wanted = _wanted(procedure)
    standing = Enrollment.objects.filter(version__procedure=procedure, ended_at=None)
    standing.exclude(version=version).update(ended_at=now, end=EnrollmentEnd.SUPERSEDED)
    standing.filter(version=version, requirement__isnull=False).exclude(
        user__pk__among=list(wanted)
    ).update(ended_at=now, end=EnrollmentEnd.NOT_REQUIRED)
    asked = set(standing.filter(version=version).values_list("user", flat=True))
    passed = completing.latest_numbers(procedure=procedure, users=list(wanted), now=now)
    new = []
    scopes = _Scopes(version)
    for user_id, requirement in wanted.items():
        if user_id in asked:
            continue
        completion = passed.get(user_id)
        days = timedelta(days=requirement.due_days)
        if completion is None or completion.version.number < version.number:
            due = max(now + days, version.effective_at or now)
        elif completion.expires_at is not None and completion.expires_at <= now + days:
            due = completion.expires_at
        else:
            continue
        new.append(
            Enrollment(
                user_id=user_id,
                version=version,
                requirement=requirement,
                scope=scopes.after(completion),
                enrolled_at=now,
                due_at=due,
            )
        )
    Enrollment.objects.bulk_create(new)
    _tell(new, now=now)
    return new


class _Scopes:
    """Which steps somebody is asked about, by what they passed last."""

    def __init__(self, version: ProcedureVersion) -> None:
        self.version = version
        published = version.procedure.versions.published().order_by("number")
        self.changed: Mapping[int, Sequence[str]] = dict(
            published.values_list("number", "changed_steps")
        )

    def after(self, completion: Completion | None) -> list[str]:
        """The steps changed since; empty, it is all of them: so some version's author says, or
        nothing was passed that counts, or what was passed is this version itself."""
        if completion is None or completion.version.number == self.version.number:
            return []
        since = [
            changed
            for number, changed in self.changed.items()
            if completion.version.number < number <= self.version.number
        ]
        if not all(since):
            return []
        return sorted({step for changed in since for step in changed})


def _wanted(procedure: Procedure) -> dict[int, Requirement]:
    """Whoever must know a procedure, by the strictest requirement on them."""
    found: dict[int, Requirement] = {}
    requirements = procedure.requirements.select_related("team", "tier").order_by("due_days", "pk")
    people = list(User.objects.filter(is_active=True).order_by("pk").values_list("pk", "role"))
    teams: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for user_id, team_id, tier_id in User.teams.through.objects.values_list(
        "user_id", "team_id", "team__tier_id"
    ):
        teams[user_id].add((team_id, tier_id))
    for requirement in requirements:
        for user_id, role in people:
            if user_id not in found and _meets(requirement, role, teams[user_id]):
                found[user_id] = requirement
    return found


def _meets(requirement: Requirement, role: str, teams: set[tuple[int, int]]) -> bool:
    if requirement.role and requirement.role != role:
        return False
    if requirement.team_id is None and requirement.tier_id is None:
        return True
    return any(
        requirement.team_id in {None, team_id} and requirement.tier_id in {None, tier_id}
        for team_id, tier_id in teams
    )


def _tell(enrollments: Sequence[Enrollment], *, now: datetime) -> None:
    noticeboard.notify(
        notices=[
            Notice(
                dedupe_key=f"enrollment:{each.pk}",
                readers=(each.user_id,),
                kind="staff_training_due",
                about="",
                variables={
                    "procedure": each.version.title,
                    "number": str(each.version.number),
                    "change": each.version.change_note,
                    "due": moment(each.due_at or now),
                    "url": f"{settings.HELPDESK_BASE_URL}{each.version.procedure.get_absolute_url()}",
                },
            )
            for each in enrollments
        ],
        now=now,
    )
