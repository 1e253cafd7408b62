"""Which questions an attempt asks, and in which order; from a seed, so that it can be told again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TypedDict

from training.course import Course, Question, QuestionKind


class Drawn(TypedDict):
    """A question of an attempt, and how its options were shuffled: places in the text, as shown."""

    question: str
    order: list[int]


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An option as it is shown; ``place`` is where it is shown, and says nothing of the text."""

    place: int
    text: str


def draw(
    *, course: Course, scope: tuple[str, ...], most: int | None = None, random: Random
) -> list[Drawn]:
    """Draw an attempt's questions: each step in turn, so that none is left out by chance.

    At most as many as the course says, or ``most``.
    """
    by_step: dict[str, list[Question]] = defaultdict(list)
    for question in course.pool_of(scope):
        by_step[question.step].append(question)
    for questions in by_step.values():
        random.shuffle(questions)
    steps = list(by_step)
    random.shuffle(steps)
    most = min(course.front.draw if most is None else most, sum(map(len, by_step.values())))
    chosen: list[Question] = []
    while len(chosen) < most:
        chosen += [by_step[step].pop() for step in steps if by_step[step]]
    chosen = chosen[:most]
    random.shuffle(chosen)
    return [Drawn(question=each.key, order=_shuffled(each, random)) for each in chosen]


def shown(*, question: Question, drawn: Drawn) -> tuple[ShownOption, ...]:
    """A question's options as the attempt shows them."""
    return tuple(
        ShownOption(place, question.options[origin].text)
        for place, origin in enumerate(drawn["order"])
    )


def _shuffled(question: Question, random: Random) -> list[int]:
    order = list(range(len(question.options)))
    random.shuffle(order)
    # What has to be put in order must not stand in order already.
    if question.kind is QuestionKind.ORDERING and order == sorted(order):
        order.reverse()
    return order
