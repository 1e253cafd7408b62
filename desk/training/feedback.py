"""What answers came to, as it is shown once a question is answered: to who answered, and to leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.utils.safestring import SafeString

from training.course import Course, QuestionKind
from training.coursehtml import html_of
from training.drawing import Drawn
from training.models import Answer, Attempt


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """An option as it is shown once the question is answered."""

    text: str
    right: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """What an answer came to.

    Of an ordering question ``outcomes`` stand in the right order, and ``given`` are the texts in the
    order that was given, where it was another.
    """

    key: str
    title: str
    right: bool
    why: SafeString
    step: str
    step_title: str
    ordered: bool
    outcomes: Sequence[ShownOutcome]
    given: Sequence[str]


def feedback_of(answer: Answer, *, attempt: Attempt, course: Course) -> Feedback:
    """What an answer of this attempt came to, its options in the order in which they were shown."""
    question = course.question_by_key[answer.question]
    drawn = next(
        each for each in cast("list[Drawn]", attempt.drawn) if each["question"] == answer.question
    )
    ordered = question.kind is QuestionKind.ORDERING
    return Feedback(
        key=question.key,
        title=question.title,
        right=answer.right,
        why=html_of(question.why),
        step=question.step,
        step_title=course.step_by_key[question.step].title,
        ordered=ordered,
        outcomes=[
            ShownOutcome(
                text=question.options[place].text,
                right=question.options[place].right,
                chosen=not ordered and place in answer.given,
            )
            for place in (range(len(question.options)) if ordered else drawn["order"])
        ],
        given=[question.options[place].text for place in answer.given]
        if ordered and not answer.right
        else (),
    )
