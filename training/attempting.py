"""The knowledge check: questions are drawn, answered one by one, and judged at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from django.utils.translation import gettext as _

from staff.models import User
from staff.refusal import Refused
from training import completing, telling
from training.course import Front, Question, QuestionKind
from training.drawing import Drawn, draw
from training.holding import hold_procedure
from training.models import (
    Answer,
    Attempt,
    Completion,
    Enrollment,
    EnrollmentEnd,
    ProcedureVersion,
)
from training.scopes import Scopes


class Paused(Refused):
    """Too many attempts failed; ``until`` is when the next may begin."""

    def __init__(self, until: datetime) -> None:
        super().__init__(_("Take a break before the next attempt, and read the steps once more."))
        self.until = until


@transaction.atomic
def begin(*, version_id: int, by: User, random: Random, now: datetime) -> Attempt:
    """Begin an attempt at a published version, or go on with the one that is open.

    It asks what somebody enrolled is asked about, or all of it. Raises ``Paused`` after too many
    that failed, and ``Refused`` where the version is not published or has a newer one in force.
    """
    # Whoever presses twice finds the attempt of the first press.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    version = ProcedureVersion.objects.select_related("procedure").get(pk=version_id)
    attempts = list(
        # Their last answer may be on its way.
        Attempt.objects.select_for_update().filter(user=by, version=version).order_by("number")
    )
    if attempts and attempts[-1].finished_at is None:
        standing = attempts[-1]
        standing.version = version
        _widen(standing, by=by, random=random, now=now)
        return standing
    offered = ProcedureVersion.objects.in_force(at=now).filter(procedure=version.procedure).first()
    if not version.is_published or (offered is not None and offered.number > version.number):
        raise Refused(_("%(version)s can no longer be taken.") % {"version": version})
    course = version.course(by.language)
    until = paused_until(attempts=attempts, front=course.front)
    if until is not None and until > now:
        raise Paused(until)
    enrolled = Enrollment.objects.filter(user=by, version=version, ended_at=None).exists()
    scope = _scope(user=by, version=version, now=now) if enrolled else ()
    return Attempt.objects.create(
        user=by,
        version=version,
        number=len(attempts) + 1,
        scope=list(scope),
        drawn=draw(course=course, scope=scope, random=random),
        pass_mark=course.front.pass_mark,
        started_at=now,
    )


def paused_until(*, attempts: Sequence[Attempt], front: Front) -> datetime | None:
    """When the next attempt may begin, where so many failed in a row that there is a pause."""
    failed = 0
    for attempt in attempts:
        failed = 0 if attempt.passed else failed + 1
    if not failed or failed % front.attempts:
        return None
    last = attempts[-1].finished_at
    assert last is not None, "the last attempt is finished, or it would go on"
    return last + timedelta(minutes=front.pause_minutes)


def next_drawn(attempt: Attempt, answered: Sequence[Answer]) -> Drawn | None:
    """The question an attempt asks next, or None where all are answered."""
    done = {answer.question for answer in answered}
    drawn: list[Drawn] = attempt.drawn
    return next((each for each in drawn if each["question"] not in done), None)


@transaction.atomic
def answer(
    *,
    attempt_id: int,
    question: str,
    places: Sequence[int],
    by: User,
    random: Random,
    now: datetime,
) -> Answer:
    """Answer the attempt's next question; ``places`` are where the options were shown, counted from 0.

    The last answer ends the attempt, unless more is asked of the person by now: then that is drawn.
    An answer is never changed: to send it again, as by pressing twice, returns the first. Raises
    ``Refused`` for what cannot be an answer.
    """
    attempt = (
        Attempt.objects.select_related("version__procedure")
        .select_for_update(of=("self",))
        .get(pk=attempt_id, user=by)
    )
    answers = list(attempt.answers.all())
    standing = next((each for each in answers if each.question == question), None)
    if standing is not None:
        return standing
    drawn = next_drawn(attempt, answers)
    if drawn is None or drawn["question"] != question:
        raise Refused(_("This is not the question that is asked now."))
    asked = attempt.version.course(by.language).question_by_key[question]
    given = _origins(asked, drawn, places)
    found = Answer.objects.create(
        attempt=attempt,
        version=attempt.version,
        question=question,
        step=asked.step,
        given=list(given),
        right=asked.is_right(given),
        at=now,
    )
    answers.append(found)
    if len(answers) == attempt.asked:
        _widen(attempt, by=by, random=random, now=now)
    if len(answers) == attempt.asked:
        _finish(attempt, answers, now=now)
    return found


def _scope(*, user: User, version: ProcedureVersion, now: datetime) -> tuple[str, ...]:
    """The steps somebody is asked about, by what they passed that still counts; empty, it is all."""
    passed = completing.highest_by_person(procedure=version.procedure, users=[user.pk], now=now)
    return tuple(Scopes(version).after(passed.get(user.pk)))


def _widen(attempt: Attempt, *, by: User, random: Random, now: datetime) -> None:
    """Draw questions of the steps that an attempt leaves out, where these are asked about, too.

    What was passed may have expired since it began; to know the changed steps is then not enough.
    """
    if not attempt.scope:
        return
    scope = _scope(user=by, version=attempt.version, now=now)
    course = attempt.version.course(by.language)
    more = tuple(step.key for step in course.steps_of(scope) if step.key not in attempt.scope)
    if not more:
        return
    # Each of them has its turn, whatever was drawn before.
    most = max(course.front.draw - attempt.asked, len(more))
    attempt.scope = sorted({*attempt.scope, *scope}) if scope else []
    attempt.drawn += draw(course=course, scope=more, most=most, random=random)
    attempt.save(update_fields=("scope", "drawn"))


def _origins(question: Question, drawn: Drawn, places: Sequence[int]) -> tuple[int, ...]:
    """Places in the text of what was chosen by places as shown."""
    order = drawn["order"]
    if any(not 0 <= place < len(order) for place in places) or len(set(places)) < len(places):
        raise Refused(_("Choose from the answers that are shown."), field="answer")
    if question.kind is QuestionKind.ORDERING:
        if len(places) != len(order):
            raise Refused(_("Give each of them a place."), field="answer")
    elif not places:
        raise Refused(_("Choose an answer."), field="answer")
    elif question.kind is QuestionKind.SINGLE and len(places) > 1:
        raise Refused(_("Choose one answer."), field="answer")
    return tuple(order[place] for place in places)


def _finish(attempt: Attempt, answers: Sequence[Answer], *, now: datetime) -> None:
    attempt.right = sum(each.right for each in answers)
    attempt.passed = attempt.right * 100 >= attempt.pass_mark * attempt.asked
    attempt.finished_at = now
    attempt.save(update_fields=("right", "passed", "finished_at"))
    if not attempt.passed:
        return
    # Who is enrolled meanwhile is enrolled before this completion, which ends that, or after it.
    hold_procedure(attempt.version.procedure_id)
    days = attempt.version.valid_days
    Completion.objects.create(
        user=attempt.user,
        version=attempt.version,
        attempt=attempt,
        score=attempt.score,
        at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    telling.ended(
        enrollments=Enrollment.objects.filter(user=attempt.user, version=attempt.version),
        how=EnrollmentEnd.COMPLETED,
        now=now,
    )
