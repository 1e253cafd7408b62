"""A lesson as slides: what it is about, the steps that are asked, and the way to the questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from training.course import Course
from training.coursehtml import html_of

#: No step has such keys: they begin with what no key may begin with.
FIRST: Final = "_first"
LAST: Final = "_last"


@dataclass(frozen=True, slots=True)
class Slide:
    """What is shown at once; ``narration`` is what a narrator says to it, or empty."""

    key: str
    title: str
    text: SafeString
    example: SafeString
    narration: str
    changed: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class Deck:
    """The slides, and the one that is shown."""

    slides: Sequence[Slide]
    at: int

    @property
    def slide(self) -> Slide:
        return self.slides[self.at]

    @property
    def number(self) -> int:
        """The place of the slide, counted as people do."""
        return self.at + 1

    @property
    def before(self) -> Slide | None:
        return self.slides[self.at - 1] if self.at else None

    @property
    def after(self) -> Slide | None:
        return self.slides[self.at + 1] if self.number < len(self.slides) else None


def slides_of(course: Course, *, scope: tuple[str, ...], seen: Sequence[str]) -> list[Slide]:
    """The slides of the steps in scope (all where none is named), between the first and the last."""
    steps = [
        Slide(
            key=step.key,
            title=step.title,
            text=html_of(step.text),
            example=html_of(step.example),
            narration=step.narration,
            changed=step.key in course.front.changed,
            seen=step.key in seen,
        )
        for step in course.steps_of(scope)
    ]
    return [
        _between(FIRST, course.front.title, course.purpose, course.front.summary),
        *steps,
        _between(LAST, _("What you know now"), course.mistakes),
    ]


def _between(key: str, title: str, text: str, narration: str = "") -> Slide:
    nothing = html_of("")
    return Slide(key, title, html_of(text), nothing, narration, changed=False, seen=False)
