"""A version says the same in every language: the same keys, the same right answers, the same terms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from django.conf import settings
from django.utils.translation import gettext as _

from training.course import Course
from training.courseerrors import CourseError, CourseErrors
from training.coursetext import read_course

#: What the front matter says in each language for itself; all the rest is the version's.
OWN = ("language", "title", "summary", "change")


class VersionErrors(ValueError):
    """The faults of a version's texts, by language, one a line."""

    def __init__(self, errors: Mapping[str, tuple[CourseError, ...]]) -> None:
        self.errors = dict(errors)
        super().__init__(
            "\n".join(
                f"{language}: {error}" for language, found in errors.items() for error in found
            )
        )


def read_version(texts: Mapping[str, str], *, procedure: str | None = None) -> dict[str, Course]:
    """Read a version's texts, by language; raises ``VersionErrors`` with every fault of all of them.

    ``procedure`` is the slug that all of them must name, where it is known already.
    """
    courses: dict[str, Course] = {}
    errors: dict[str, tuple[CourseError, ...]] = {}
    for language, text in texts.items():
        try:
            courses[language] = read_course(text)
        except CourseErrors as faults:
            errors[language] = faults.errors
            continue
        front = courses[language].front
        if front.language != language:
            message = _("language: it says “%(says)s” and stands under “%(stands)s”.")
            told = {"says": front.language, "stands": language}
            errors[language] = (CourseError(0, message % told),)
        elif procedure is not None and front.procedure != procedure:
            message = _("procedure: it says “%(says)s” and belongs to “%(stands)s”.")
            told = {"says": front.procedure, "stands": procedure}
            errors[language] = (CourseError(0, message % told),)
    if not texts:
        errors[""] = (CourseError(0, _("There is no text.")),)
    if errors:
        raise VersionErrors(errors)
    first = main_language(courses)
    for language, course in courses.items():
        if differing := tuple(
            CourseError(0, message) for message in _differences(courses[first], course, first)
        ):
            errors[language] = differing
    if errors:
        raise VersionErrors(errors)
    return courses


def main_language(texts: Collection[str]) -> str:
    """The language that the others are compared with, and that names the version: the installation's,
    or else the first."""
    return settings.LANGUAGE_CODE if settings.LANGUAGE_CODE in texts else min(texts)


def _differences(one: Course, other: Course, language: str) -> Iterator[str]:
    """What ``other`` says otherwise than ``one``, which is written in ``language``."""
    for field in one.front.__dataclass_fields__:
        if field not in OWN and getattr(one.front, field) != getattr(other.front, field):
            yield _("%(field)s: differs from “%(language)s”.") % {
                "field": field,
                "language": language,
            }
    for section, ours, theirs in (
        ("Steps", [step.key for step in one.steps], [step.key for step in other.steps]),
        (
            "Checklist",
            [(item.key, item.step) for item in one.checklist],
            [(item.key, item.step) for item in other.checklist],
        ),
        (
            "Knowledge check",
            [question.key for question in one.questions],
            [question.key for question in other.questions],
        ),
    ):
        if ours != theirs:
            yield _("“%(section)s”: its keys differ from “%(language)s”.") % {
                "section": section,
                "language": language,
            }
    for question in other.questions:
        twin = one.question_by_key.get(question.key)
        if twin is not None and (
            (twin.kind, twin.step, twin.right, len(twin.options))
            != (question.kind, question.step, question.right, len(question.options))
        ):
            yield _("“%(title)s”: its answers differ from “%(language)s”.") % {
                "title": question.title,
                "language": language,
            }
