"""A procedure is published, learnt, failed and passed; whoever must know it is asked, and asked anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from escalation import procedures
from notifications.models import Notification
from staff import editions
from staff.models import Role, User
from tests.house import START, House, after
from training import attempting, completing, defaults, enrolling, versions
from training.course import ESCALATION
from training.frontmatter import with_front
from training.models import (
    Attempt,
    Completion,
    Enrollment,
    EnrollmentEnd,
    Procedure,
    ProcedureVersion,
    Requirement,
)

pytestmark = pytest.mark.django_db
SLUG = ESCALATION


@pytest.fixture
def house() -> House:
    return House()


def published(*, now: datetime = START, **front: str) -> ProcedureVersion:
    """The shipped procedure with some of its front matter replaced, published."""
    values = {"change": f"As of {now}.", **front}
    texts = {
        language: with_front(text, values)
        for language, text in defaults.shipped_texts(now=now).items()
    }
    version = versions.write(texts=texts, by=None, now=now)
    assert version is not None
    return versions.publish(version_id=version.pk, by=None, now=now)


def required(*, role: str = "", days: int = 14, now: datetime = START) -> Requirement:
    return Requirement.objects.create(
        procedure=Procedure.objects.get(), role=role, due_days=days, created_at=now
    )


def lacking(user: User, *, now: datetime) -> int | None:
    """The number of the version that the policy would ask somebody for, as the gate does."""
    found = procedures.in_force(edition=editions.current(), slug=SLUG, now=now)
    if found is None or completing.has_completed(
        user=user, slug=SLUG, number=found.number, now=now
    ):
        return None
    return found.number


def attempt(user: User, version: ProcedureVersion, *, right: bool, now: datetime) -> Attempt:
    """An attempt from its first question to its last, all right or all wrong."""
    made = attempting.begin(version_id=version.pk, by=user, random=Random(7), now=now)
    questions = version.course("en").question_by_key
    for drawn in made.drawn:
        question = questions[drawn["question"]]
        places = [drawn["order"].index(origin) for origin in question.right]
        if not right:
            rest = [place for place in range(len(drawn["order"])) if place not in places]
            places = rest[:1] or places[::-1]
        attempting.answer(
            attempt_id=made.pk,
            question=question.key,
            places=places,
            by=user,
            random=Random(7),
            now=now,
        )
    made.refresh_from_db()
    return made


def test_it_is_asked_failed_passed_and_asked_again_with_the_changed_steps_only(
    house: House,
) -> None:
    version = published()
    required(role=Role.AGENT)
    enrolling.enrol_everywhere(now=START)
    asked = Enrollment.objects.get(user=house.anna)
    assert asked.due_at == after(days=14)
    told = Notification.objects.get(kind="staff_training_due", readers__contains=[house.anna.pk])
    assert told.variables["procedure"]["by_language"]["de"] == "Tickets eskalieren"
    assert not Enrollment.objects.filter(user=house.grace).exists()

    failed = attempt(house.anna, version, right=False, now=after(hours=1))
    assert (failed.passed, failed.right) == (False, 0)
    assert lacking(house.anna, now=after(hours=1)) == version.number
    passed = attempt(house.anna, version, right=True, now=after(hours=2))
    assert (passed.passed, passed.score, passed.number) == (True, 100, 2)
    assert lacking(house.anna, now=after(hours=2)) is None
    asked.refresh_from_db()
    assert asked.end == EnrollmentEnd.COMPLETED

    second = published(now=after(days=3), changed="[notify, gather]")
    again = Enrollment.objects.get(user=house.anna, version=second)
    assert again.scope == ["gather", "notify"]
    assert Enrollment.objects.get(user=house.ben, version=second).scope == []
    assert Enrollment.objects.get(user=house.ben, version=version).end == EnrollmentEnd.SUPERSEDED
    partly = attempt(house.anna, second, right=True, now=after(days=4))
    course = second.course("en")
    assert {course.question_by_key[each["question"]].step for each in partly.drawn} == {
        "gather",
        "notify",
    }
    assert Completion.objects.filter(user=house.anna).count() == 2


def test_an_attempt_at_the_changed_steps_asks_the_others_too_when_what_was_passed_expires_meanwhile(
    house: House,
) -> None:
    first = published(valid_days="10")
    required(role=Role.AGENT)
    attempt(house.anna, first, right=True, now=START)
    second = published(now=after(days=3), changed="[gather]")
    begun = attempting.begin(
        version_id=second.pk, by=house.anna, random=Random(7), now=after(days=9)
    )
    questions = second.course("en").question_by_key
    assert {questions[each["question"]].step for each in begun.drawn} == {"gather"}

    answered = 0
    while begun.finished_at is None:
        drawn = begun.drawn[answered]
        right = questions[drawn["question"]].right
        attempting.answer(
            attempt_id=begun.pk,
            question=drawn["question"],
            places=[drawn["order"].index(origin) for origin in right],
            by=house.anna,
            random=Random(7),
            now=after(days=11),
        )
        answered += 1
        begun.refresh_from_db()
    asked = [each["question"] for each in begun.drawn]
    assert len(asked) == len(set(asked)) == answered
    assert {questions[each].step for each in asked} == set(second.course("en").step_by_key)
    assert (begun.scope, begun.passed) == ([], True)
    assert lacking(house.anna, now=after(days=11)) is None


def test_after_three_that_failed_there_is_a_pause(house: House) -> None:
    version = published()
    for minute in range(3):
        attempt(house.anna, version, right=False, now=after(minutes=minute))
    with pytest.raises(attempting.Paused) as paused:
        attempt(house.anna, version, right=True, now=after(minutes=5))
    assert paused.value.until == after(minutes=17)
    assert attempt(house.anna, version, right=True, now=after(minutes=17)).passed


def test_who_joins_is_asked_by_itself_and_who_changes_no_longer(house: House) -> None:
    published()
    required(role=Role.AGENT)
    enrolling.enrol_everywhere(now=START)
    noor = house.person("Noor Haddad", house.emea)
    enrolling.enrol_everywhere(now=after(days=1))
    assert Enrollment.objects.get(user=noor).due_at == after(days=15)
    User.objects.filter(pk=house.ben.pk).update(role=Role.LEAD)
    enrolling.enrol_everywhere(now=after(days=2))
    assert Enrollment.objects.get(user=house.ben).end == EnrollmentEnd.NOT_REQUIRED
    assert enrolling.enrol_everywhere(now=after(days=2)) == 0


def test_a_completion_that_expires_is_asked_for_again_in_time(house: House) -> None:
    version = published(valid_days="100")
    required(role=Role.AGENT)
    attempt(house.anna, version, right=True, now=START)
    enrolling.enrol_everywhere(now=after(days=80))
    assert not Enrollment.objects.filter(user=house.anna).exists()
    enrolling.enrol_everywhere(now=after(days=87))
    assert Enrollment.objects.get(user=house.anna).due_at == START + timedelta(days=100)
    assert lacking(house.anna, now=after(days=99)) is None
    assert lacking(house.anna, now=after(days=100)) == version.number
