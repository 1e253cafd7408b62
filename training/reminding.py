"""Who has not completed in time what they were asked to is reminded, and then their leads are told.

Three days before it is due, when it is due, and then every week. Who is absent is reminded once they
are back; who left, never.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from staff.models import Absence, Team, User
from training import telling
from training.models import Enrollment, ProcedureVersion

BEFORE = timedelta(days=3)
EVERY = timedelta(days=7)
#: So long after it was due the leads hear of it, once.
LEADS_AFTER = timedelta(days=7)
#: A person presses no more often than so.
BY_HAND_EVERY = timedelta(days=1)


@transaction.atomic
def remind(*, now: datetime) -> int:
    """Remind whoever a reminder is owed to; returns how many were."""
    owed = []
    for each in _awaited(now).filter(due_at__lte=now + BEFORE):
        moment = _latest(each.due_at or now, now)
        # Who was just asked, or just reminded, needs no other word of it.
        if max(each.enrolled_at, each.reminded_at or each.enrolled_at) < moment:
            owed.append((each, moment))
    _remind(owed, now=now)
    _tell_leads(now=now)
    return len(owed)


@transaction.atomic
def remind_overdue(*, version: ProcedureVersion, people: QuerySet[User], now: datetime) -> int:
    """Remind those of these people who are overdue with a version, nobody twice a day; tells how many."""
    found = _awaited(now).filter(
        Q(reminded_at=None) | Q(reminded_at__lte=now - BY_HAND_EVERY),
        version=version,
        due_at__lte=now,
        user__in=people.order_by().values("pk"),
    )
    owed = [(each, now) for each in found]
    _remind(owed, now=now)
    return len(owed)


def _awaited(now: datetime) -> QuerySet[Enrollment]:
    """What people who are here have been asked for, held until it is written who was reminded."""
    return (
        Enrollment.objects.filter(ended_at=None, due_at__isnull=False, user__is_active=True)
        .exclude(user__in=Absence.objects.at(now).values("user"))
        .select_related("version__procedure")
        .defer("version__texts")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")
    )


def _latest(due: datetime, now: datetime) -> datetime:
    """The latest moment up to now at which a reminder was owed."""
    return due - BEFORE if now < due else due + (now - due) // EVERY * EVERY


def _remind(owed: Sequence[tuple[Enrollment, datetime]], *, now: datetime) -> None:
    telling.reminded(enrollments=owed, now=now)
    Enrollment.objects.filter(pk__among=[each.pk for each, _moment in owed]).update(reminded_at=now)


def _tell_leads(*, now: datetime) -> None:
    """Tell the leads of those who have been overdue for long, each time of all who are new to it."""
    found = list(
        _awaited(now)
        .filter(due_at__lte=now - LEADS_AFTER, leads_told_at=None)
        .select_related("user")
    )
    if not found:
        return
    users = {each.user_id for each in found}
    leads: dict[int, set[int]] = defaultdict(set)
    # A team's people are its members and its leads.
    for through in (Team.members.through, Team.leads.through):
        for user_id, lead_id in through._default_manager.filter(
            user__in=users, team__leads__isnull=False
        ).values_list("user_id", "team__leads"):
            leads[user_id].add(lead_id)
    people: dict[tuple[int, ProcedureVersion], list[str]] = defaultdict(list)
    for each in sorted(found, key=lambda each: each.user.name):
        for lead in leads[each.user_id] - {each.user_id}:
            people[lead, each.version].append(each.user.name)
    telling.overdue(people=people, now=now)
    Enrollment.objects.filter(pk__among=[each.pk for each in found]).update(leads_told_at=now)
