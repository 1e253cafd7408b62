"""How questions are answered by everybody together: the share that was right, and what was wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q

from training.course import Question, QuestionKind
from training.models import Answer, Procedure, ProcedureVersion


@dataclass(slots=True)
class Outcome:
    """What the answers to a question, or to a step's questions, came to.

    ``wrong`` counts the wrong answers of one version by what was given: places in its text, in the
    order given.
    """

    answers: int = 0
    right: int = 0
    wrong: Counter[tuple[int, ...]] = field(default_factory=Counter)

    @property
    def percent(self) -> int:
        """The share that was right, rounded down, so that only all of them are 100."""
        return self.right * 100 // self.answers if self.answers else 0

    def add(self, other: Outcome) -> None:
        self.answers += other.answers
        self.right += other.right
        self.wrong.update(other.wrong)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """By the key of a question, and of the step it covered when it was asked."""

    questions: Mapping[str, Outcome]
    steps: Mapping[str, Outcome]


def of_version(version: ProcedureVersion) -> Outcomes:
    """How a version's questions were answered; one query, which reads an index alone."""
    rows = (
        Answer.objects.filter(version=version)
        .order_by()
        .values_list("question", "step", "right", "given")
        .annotate(count=Count("*"))
    )
    return _gathered(
        (
            question,
            step,
            Outcome(count, count if right else 0, Counter({} if right else {tuple(given): count})),
        )
        for question, step, right, given, count in rows
    )


def of_procedure(procedure: Procedure) -> Outcomes:
    """How the questions of all its versions were answered; one query, which reads an index alone.

    What was given is not told: its places are those of another text in each version.
    """
    versions = list(procedure.versions.published().values_list("pk", flat=True))
    rows = (
        Answer.objects.filter(version__in=versions)
        .order_by()
        .values_list("question", "step")
        .annotate(count=Count("*"), count_right=Count("question", filter=Q(right=True)))
    )
    return _gathered(
        (question, step, Outcome(count, right)) for question, step, count, right in rows
    )


def wrong_options(question: Question, outcome: Outcome) -> Sequence[tuple[int, int]]:
    """The places of the wrong options that were chosen, and how often, the most often chosen first.

    Of an ordering question none is wrong by itself.
    """
    if question.kind is QuestionKind.ORDERING:
        return ()
    chosen: Counter[int] = Counter()
    for given, count in outcome.wrong.items():
        for place in set(given).difference(question.right):
            chosen[place] += count
    return chosen.most_common()


def _gathered(rows: Iterable[tuple[str, str, Outcome]]) -> Outcomes:
    questions: defaultdict[str, Outcome] = defaultdict(Outcome)
    steps: defaultdict[str, Outcome] = defaultdict(Outcome)
    for question, step, outcome in rows:
        questions[question].add(outcome)
        steps[step].add(Outcome(outcome.answers, outcome.right))
    return Outcomes(dict(questions), dict(steps))
