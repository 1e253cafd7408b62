"""Who must know what: enrolment follows from requirements, teams, versions and completions.

One function brings it about, whatever changed: a version, a requirement, somebody who joined, a
completion that expires. It may be called at any time and again; the beat does every few minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from staff.models import Team, User
from staff.refusal import Refused
from training import completing, telling
from training.holding import Gone, hold_procedure
from training.models import (
    Completion,
    Enrollment,
    EnrollmentEnd,
    Procedure,
    ProcedureVersion,
    Requirement,
)
from training.scopes import Scopes


def enrol_everywhere(*, now: datetime) -> int:
    """Enrol whoever must know a procedure, in each of them; returns how many were enrolled."""
    return sum(
        len(enrol(procedure=procedure, now=now)) for procedure in Procedure.objects.order_by("pk")
    )


@transaction.atomic
def enrol(*, procedure: Procedure, now: datetime) -> list[Enrollment]:
    """Bring a procedure's enrolments up to date; returns the new ones, whose people are told.

    Enrolments in older versions end, and so do those of people of whom it is no longer required.
    Who was asked by somebody is asked for the newer version, by the same day.
    """
    version = _held(procedure)
    if version is None:
        return []
    wanted = _wanted(procedure)
    standing = Enrollment.objects.filter(version__procedure=procedure, ended_at=None)
    older = standing.exclude(version=version)
    by_hand = {each.user_id: each for each in older.filter(by_hand=True, user__is_active=True)}
    telling.ended(enrollments=older, how=EnrollmentEnd.SUPERSEDED, now=now)
    telling.ended(
        enrollments=standing.filter(version=version)
        .exclude(user__pk__among=list(wanted))
        .exclude(by_hand=True, user__is_active=True),
        how=EnrollmentEnd.NOT_REQUIRED,
        now=now,
    )
    open_now = list(standing.filter(version=version))
    asked = {each.user_id for each in open_now}
    passed = completing.highest_by_person(
        procedure=procedure, users=[*wanted, *by_hand, *asked], now=now
    )
    scopes = Scopes(version)
    _rescope(open_now, scopes, passed)
    new = []
    for user_id in [*wanted, *(by_hand.keys() - wanted.keys())]:
        if user_id in asked:
            continue
        completion = passed.get(user_id)
        requirement, before = wanted.get(user_id), by_hand.get(user_id)
        due = _due(version, completion, requirement, before, now)
        if due is None:
            continue
        new.append(
            Enrollment(
                user_id=user_id,
                version=version,
                requirement=requirement,
                by_hand=before is not None,
                asked_by_id=before.asked_by_id if before else None,
                scope=scopes.after(completion),
                enrolled_at=now,
                due_at=due,
            )
        )
    Enrollment.objects.bulk_create(new)
    telling.asked(enrollments=new, passed=passed, now=now)
    return new


@transaction.atomic
def ask(
    *, procedure: Procedure, user: User, due_at: datetime, by: User, now: datetime
) -> Enrollment:
    """Ask one person to complete the newest version by a moment, whatever is required of them.

    Raises ``Refused`` where they left, have completed it, or are asked already.
    """
    version = _held(procedure)
    if version is None:
        raise Refused(_("No version of it has been published."))
    if not user.is_active:
        raise Refused(_("%(person)s no longer works here.") % {"person": user}, field="person")
    if due_at <= now:
        raise Refused(_("Give a day that is still to come."), field="due")
    if Enrollment.objects.filter(user=user, version=version, ended_at=None).exists():
        raise Refused(_("%(person)s is asked already.") % {"person": user}, field="person")
    passed = completing.highest_by_person(procedure=procedure, users=[user.pk], now=now)
    completion = passed.get(user.pk)
    if completion is not None and completion.version.number >= version.number:
        raise Refused(_("%(person)s has completed it.") % {"person": user}, field="person")
    made = Enrollment.objects.create(
        user=user,
        version=version,
        by_hand=True,
        asked_by=by,
        scope=Scopes(version).after(completion),
        enrolled_at=now,
        due_at=due_at,
    )
    telling.asked(enrollments=[made], passed=passed, now=now)
    return made


def _held(procedure: Procedure) -> ProcedureVersion | None:
    """The procedure's newest published version, locked with it: two at once would enrol the same
    people."""
    try:
        hold_procedure(procedure.pk)
    except Gone:
        return None
    return (
        ProcedureVersion.objects.newest()
        .filter(procedure=procedure)
        .select_related("procedure")
        .defer("texts")
        .first()
    )


def _due(
    version: ProcedureVersion,
    completion: Completion | None,
    requirement: Requirement | None,
    by_hand: Enrollment | None,
    now: datetime,
) -> datetime | None:
    """By when somebody has to complete a version, or None where nothing is asked of them."""
    if completion is None or completion.version.number < version.number:
        days = [
            *([now + timedelta(days=requirement.due_days)] if requirement else []),
            *([by_hand.due_at] if by_hand and by_hand.due_at else []),
        ]
        return max(min(days, default=now), version.effective_at or now)
    if requirement is None or completion.expires_at is None:
        return None
    # A completion that counts for fewer days than there are to complete it is not asked for again
    # before it counts for half of them.
    ahead = min(timedelta(days=requirement.due_days), (completion.expires_at - completion.at) / 2)
    return completion.expires_at if completion.expires_at <= now + ahead else None


def _rescope(
    enrollments: Sequence[Enrollment], scopes: Scopes, passed: Mapping[int, Completion]
) -> None:
    """What somebody is asked about follows what they passed last, which may have expired since."""
    changed = []
    for each in enrollments:
        scope = scopes.after(passed.get(each.user_id))
        if each.scope != scope:
            each.scope = scope
            changed.append(each)
    Enrollment.objects.bulk_update(changed, ["scope"])


def _wanted(procedure: Procedure) -> dict[int, Requirement]:
    """Whoever must know a procedure, by the strictest requirement on them."""
    found: dict[int, Requirement] = {}
    requirements = procedure.requirements.select_related("team", "tier").order_by("due_days", "pk")
    people = list(User.objects.filter(is_active=True).order_by("pk").values_list("pk", "role"))
    teams: dict[int, set[tuple[int, int]]] = defaultdict(set)
    # A team's leads are its people as its members are.
    for through in (Team.members.through, Team.leads.through):
        for user_id, team_id, tier_id in through._default_manager.values_list(
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
