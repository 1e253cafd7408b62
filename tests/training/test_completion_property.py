"""Whatever happens in whatever order, who is asked what by when, and who lacks what, is what a plain
recomputation from what happened says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staff.models import Role, User
from staff.refusal import Refused
from tests.house import START, House
from tests.training.test_learning import attempt, lacking, published
from training import enrolling, requiring
from training.course import ESCALATION
from training.models import Enrollment, Procedure, ProcedureVersion, Requirement

pytestmark = pytest.mark.django_db
PEOPLE = ("anna", "ben", "priya", "marco")
STEPS = ("assess", "gather", "notify")
#: Role, team and tier of a requirement; None is any.
WHO = (
    ("", None, None),
    ("agent", None, None),
    ("", "emea", None),
    ("lead", "emea", None),
    ("", None, 2),
)

person = st.sampled_from(PEOPLE)
happening = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(
        st.just("publish"),
        st.lists(st.sampled_from(STEPS), unique=True, max_size=2),
        st.sampled_from([None, 12, 40]),
        st.sampled_from([0, 0, 9]),
    ),
    st.tuples(st.just("require"), st.sampled_from(WHO), st.sampled_from([3, 14])),
    st.tuples(st.just("lift"), st.sampled_from(WHO)),
    st.tuples(st.just("ask"), person, st.integers(1, 20)),
    st.tuples(st.just("attempt"), person, st.sampled_from([True, True, False])),
    st.tuples(st.just("leave or return"), person),
    st.tuples(st.just("change role"), person),
)
Happened = tuple[datetime, tuple[Any, ...]]


@dataclass
class Plain:
    """What is asked of whom, worked out without tables."""

    #: Changed steps, days a completion counts, since when in force; the place is the number.
    versions: list[tuple[list[str], int | None, datetime]] = field(default_factory=list)
    required: dict[tuple[Any, ...], int] = field(default_factory=dict)
    roles: dict[str, str] = field(
        default_factory=lambda: {name: "lead" if name == "marco" else "agent" for name in PEOPLE}
    )
    here: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PEOPLE, True))
    #: Who, the number, and until when it counts.
    passed: list[tuple[str, int, datetime | None]] = field(default_factory=list)
    #: The number, by when, and whether somebody asked.
    asked: dict[str, tuple[int, datetime, bool]] = field(default_factory=dict)

    def best(self, name: str, now: datetime) -> tuple[int, datetime | None]:
        """The highest number that counts, 0 for none; of the same number, the last."""
        found: tuple[int, datetime | None] = (0, None)
        for who, number, until in self.passed:
            if who == name and (until is None or until > now) and number >= found[0]:
                found = (number, until)
        return found

    def days(self, name: str) -> int | None:
        """The fewest days that a requirement on somebody gives."""
        team, tier = {"anna": ("emea", 1), "ben": ("emea", 1), "marco": ("emea", 1)}.get(
            name, ("integrations", 2)
        )
        found = [
            days
            for (role, of_team, of_tier), days in self.required.items()
            if role in ("", self.roles[name])
            and of_team in (None, team)
            and of_tier in (None, tier)
        ]
        return min(found) if found and self.here[name] else None

    def take(self, now: datetime, what: tuple[Any, ...]) -> None:
        newest = len(self.versions)
        match what:
            case ("publish", changed, valid, later):
                day = (now + timedelta(days=later)).replace(hour=0, minute=0)
                self.versions.append((sorted(changed), valid, max(now, day)))
            case ("require", who, days):
                self.required[who] = days
            case ("lift", who):
                self.required.pop(who, None)
            case ("ask", name, days) if self.here[name] and name not in self.asked and newest:
                if self.best(name, now)[0] < newest:
                    self.asked[name] = (newest, now + timedelta(days=days), True)
            case ("attempt", name, True) if newest:
                valid = self.versions[-1][1]
                self.passed.append((name, newest, now + timedelta(days=valid) if valid else None))
                self.asked.pop(name, None)
            case ("leave or return", name):
                self.here[name] = not self.here[name]
            case ("change role", name):
                self.roles[name] = "agent" if self.roles[name] == "lead" else "lead"
        self._keep_up(now)

    def _keep_up(self, now: datetime) -> None:
        newest = len(self.versions)
        for name in PEOPLE if newest else ():
            days, (number, until) = self.days(name), self.best(name, now)
            by_hand: list[datetime] = []
            if name in self.asked:
                of, due, hand = self.asked[name]
                stays = self.here[name] and (hand or days is not None)
                if of == newest and stays:
                    continue
                del self.asked[name]
                if of < newest and hand and self.here[name]:
                    by_hand = [due]
            required = [now + timedelta(days=days)] if days is not None else []
            if number < newest and required + by_hand:
                due = max(min(required + by_hand), self.versions[-1][2])
                self.asked[name] = (newest, due, bool(by_hand))
            elif number == newest and required and until is not None:
                # Not before it counts for half of its days.
                half = timedelta(days=self.versions[-1][1] or 0) / 2
                if until <= min(required[0], now + half):
                    self.asked[name] = (newest, until, bool(by_hand))

    def scope(self, name: str, now: datetime) -> list[str]:
        number, newest = self.best(name, now)[0], len(self.versions)
        since = [changed for changed, _valid, _at in self.versions[number:newest]]
        if number == 0 or not all(since):
            return []
        return sorted({step for changed in since for step in changed})

    def lacks(self, name: str, now: datetime) -> int | None:
        """The number of the version in force that somebody has not completed."""
        holding = [n for n, (_c, _v, at) in enumerate(self.versions, start=1) if at <= now]
        if not holding or self.best(name, now)[0] >= holding[-1]:
            return None
        return holding[-1]


def carried_out(house: House, now: datetime, what: tuple[Any, ...]) -> None:
    """The same through the stations; what they refuse, did not happen."""
    procedure = Procedure.objects.filter(slug=ESCALATION).first()
    newest = ProcedureVersion.objects.order_by("-number").first()

    def scope_of(who: tuple[Any, ...]) -> dict[str, Any]:
        role, team, tier = who
        return {
            "role": role,
            "team": getattr(house, team) if team else None,
            "tier": house.tiers[tier - 1] if tier else None,
        }

    match what:
        case ("publish", changed, valid, later):
            front = {"effective": f"{(now + timedelta(days=later)).date()}", "draw": "1"}
            published(
                now=now,
                changed=f"[{', '.join(changed)}]",
                valid_days=str(valid or "null"),
                attempts="50",
                **front,
            )
        case ("require", who, days) if procedure:
            requiring.require(
                procedure=procedure, **scope_of(who), due_days=days, by=house.sam, now=now
            )
        case ("lift", who):
            for each in Requirement.objects.filter(**scope_of(who)):
                requiring.lift(requirement_id=each.pk, by=house.sam, now=now)
        case ("ask", name, days) if procedure:
            try:
                requiring.ask(
                    procedure=procedure,
                    person_id=getattr(house, name).pk,
                    due_at=now + timedelta(days=days),
                    by=house.sam,
                    now=now,
                )
            except Refused:
                return
        case ("attempt", name, right) if newest:
            attempt(getattr(house, name), newest, right=right, now=now)
        case ("leave or return", name):
            user = User.objects.get(pk=getattr(house, name).pk)
            user.is_active = not user.is_active
            user.save()
        case ("change role", name):
            user = User.objects.get(pk=getattr(house, name).pk)
            user.role = Role.AGENT if user.role == Role.LEAD else Role.LEAD
            user.save()


def agree(house: House, plain: Plain, now: datetime, log: Sequence[Happened]) -> None:
    for name in PEOPLE:
        user = getattr(house, name)
        asked = Enrollment.objects.filter(user=user, ended_at=None).select_related("version")
        found = [(each.version.number, each.due_at, each.by_hand, each.scope) for each in asked]
        number, due, hand = plain.asked.get(name, (0, now, False))
        expected = [(number, due, hand, plain.scope(name, now))] if number else []
        assert found == expected, (name, log)
        assert lacking(user, now=now) == plain.lacks(name, now), (name, log)


def test_the_standing_of_everybody_is_what_happened_says() -> None:
    house = House()

    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(happening, min_size=6, max_size=14))
    def holds(happenings: list[tuple[Any, ...]]) -> None:
        with transaction.atomic():
            plain, now, log = Plain(), START, list[Happened]()
            # Nothing is asked before there is something to ask.
            for what in (("publish", [], None, 0), *happenings):
                now += timedelta(days=what[1]) if what[0] == "wait" else timedelta(minutes=7)
                log.append((now, what))
                carried_out(house, now, what)
                plain.take(now, what)
                enrolling.enrol_everywhere(now=now)
                agree(house, plain, now, log)
            transaction.set_rollback(True)

    holds()
