"""A course as its authors see it: what is read, and what is asked, with the right answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from desk.training.views.contents import ShownCourse, shown
from training.course import Course, Option, QuestionKind
from training.coursehtml import html_of


@dataclass(frozen=True, slots=True)
class AuthoredQuestion:
    title: str
    case: SafeString
    prompt: SafeString
    kind: QuestionKind
    options: Sequence[Option]
    why: SafeString


@dataclass(frozen=True, slots=True)
class AuthoredCourse:
    course: ShownCourse
    questions: Sequence[AuthoredQuestion]


def authored(course: Course) -> AuthoredCourse:
    return AuthoredCourse(
        shown(course),
        [
            AuthoredQuestion(
                each.title,
                html_of(each.case),
                html_of(each.prompt),
                each.kind,
                each.options,
                html_of(each.why),
            )
            for each in course.questions
        ],
    )
