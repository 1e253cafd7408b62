"""A procedure as a course in one language: what is read, carried out, and asked.

Pure: what a version's text says, without tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final

#: The procedure that escalations follow, unless the policy names another.
ESCALATION: Final = "ticket-escalation"


class QuestionKind(StrEnum):
    SINGLE = "single"
    MULTIPLE = "multiple"
    ORDERING = "ordering"


@dataclass(frozen=True, slots=True)
class Front:
    """What stands above the text: when it is in force, and how it is asked.

    ``changed`` names the steps that differ from the version before; empty, all of it is asked anew.
    ``draw`` is how many questions an attempt has, ``pass_mark`` the percentage that passes,
    ``attempts`` how many may fail before a pause of ``pause_minutes``, and ``valid_days`` how long a
    completion counts (None: for ever).
    """

    procedure: str
    language: str
    title: str
    summary: str
    effective: date
    review_by: date
    change: str
    changed: tuple[str, ...]
    pass_mark: int
    draw: int
    attempts: int
    pause_minutes: int
    valid_days: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step, its text and example in Markdown, and what a narrator says to its slide."""

    key: str
    title: str
    text: str
    example: str
    narration: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """Something to be done on each escalation; ``step`` is the key of the step it belongs to."""

    key: str
    text: str
    step: str


@dataclass(frozen=True, slots=True)
class FrequentQuestion:
    """A question people ask, with its answer in Markdown."""

    title: str
    answer: str


@dataclass(frozen=True, slots=True)
class Option:
    text: str
    right: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the knowledge check.

    ``case`` is a ticket-like situation in Markdown that it is built on, or empty. Options stand in the
    order of the text: of an ordering question, that is the right one.
    """

    key: str
    title: str
    case: str
    prompt: str
    kind: QuestionKind
    options: tuple[Option, ...]
    step: str
    why: str

    @property
    def right(self) -> tuple[int, ...]:
        """The places of the right options; of an ordering question all of them, in order."""
        return tuple(
            place
            for place, option in enumerate(self.options)
            if option.right or self.kind is QuestionKind.ORDERING
        )

    def is_right(self, given: tuple[int, ...]) -> bool:
        """Whether an answer, as places in ``options``, is right in every part."""
        if self.kind is QuestionKind.ORDERING:
            return given == self.right
        return len(set(given)) == len(given) and set(given) == set(self.right)


@dataclass(frozen=True)
class Course:
    """A version of a procedure in one language; ``purpose``, ``scope`` and ``mistakes`` are Markdown."""

    front: Front
    purpose: str
    scope: str
    steps: tuple[Step, ...]
    mistakes: str
    checklist: tuple[ChecklistItem, ...]
    frequent: tuple[FrequentQuestion, ...]
    questions: tuple[Question, ...]

    @cached_property
    def step_by_key(self) -> Mapping[str, Step]:
        return {step.key: step for step in self.steps}

    @cached_property
    def question_by_key(self) -> Mapping[str, Question]:
        return {question.key: question for question in self.questions}

    def steps_of(self, scope: tuple[str, ...]) -> tuple[Step, ...]:
        """The steps of these keys, in the course's order; all of them where none is named."""
        return tuple(step for step in self.steps if not scope or step.key in scope)

    def pool_of(self, scope: tuple[str, ...]) -> tuple[Question, ...]:
        """The questions that cover these steps; all of them where none is named."""
        return tuple(each for each in self.questions if not scope or each.step in scope)
