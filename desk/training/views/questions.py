"""``/training/…/questions/``: how the questions are answered, those answered worst first, for leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.training.views.contents import wanted
from desk.views.reading import lead
from escalation import missed
from training import outcomes
from training.course import Course, Question, QuestionKind
from training.models import ProcedureVersion
from training.outcomes import Outcome, Outcomes

PAGE = 50
#: What ``?version=`` says for all of them together.
ALL = "all"
#: How many of the wrong options, and of the items missed, are shown.
MOST_WRONG, MOST_MISSED = 3, 5
NOTHING = Outcome()


@dataclass(frozen=True, slots=True)
class ShownWrong:
    """A wrong option, or a wrong order, and how many of all answers had it."""

    text: str
    times: int
    percent: int


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """A question with what its answers came to."""

    key: str
    title: str
    step: str
    step_title: str
    outcome: Outcome
    wrong: Sequence[ShownWrong]


@dataclass(frozen=True, slots=True)
class ShownStep:
    key: str
    title: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ShownMissed:
    """An item of the checklist that is missed in escalations, and the questions that cover its step."""

    text: str
    missed: int
    of: int
    step: str
    questions: Sequence[ShownQuestion]


@require_safe
@login_required
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest version's, an older one's by ``?version=``, or those of all versions together."""
    user, now = lead(request), timezone.now()
    published = ProcedureVersion.objects.published().filter(procedure__slug=slug)
    in_all = request.GET.get("version") == ALL
    asked = None if in_all else wanted(request, slug)
    version = asked or published.select_related("procedure").order_by("-number").first()
    if version is None:
        raise Http404
    course = version.course(user.language)
    found = outcomes.of_procedure(version.procedure) if in_all else outcomes.of_version(version)
    shown = sorted(_questions(course, found, with_wrong=not in_all), key=_worst)
    return render(
        request,
        "training/questions.html",
        {
            "version": version,
            "in_all": in_all,
            "narrowed": f"version={ALL if in_all else version.number}&",
            "numbers": published.order_by("-number").values_list("number", flat=True),
            "title": course.front.title,
            "page": Paginator(shown, PAGE).get_page(request.GET.get("page")),
            "steps": [
                ShownStep(step.key, step.title, found.steps.get(step.key, NOTHING))
                for step in course.steps
            ],
            "missed": [
                ShownMissed(
                    item.text,
                    item.missed,
                    item.of,
                    item.step,
                    [each for each in shown if each.step == item.step],
                )
                for item in missed.most_missed(version=version, user=user, now=now)[:MOST_MISSED]
                if item.missed
            ],
            "now": now,
        },
    )


def _worst(question: ShownQuestion) -> tuple[bool, int, int]:
    """Those without an answer come last."""
    outcome = question.outcome
    return not outcome.answers, outcome.percent, -outcome.answers


def _questions(course: Course, found: Outcomes, *, with_wrong: bool) -> Iterator[ShownQuestion]:
    """The course's questions, and those that only older versions had, by their keys."""
    for question in course.questions:
        outcome = found.questions.get(question.key, NOTHING)
        yield ShownQuestion(
            question.key,
            question.title,
            question.step,
            course.step_by_key[question.step].title,
            outcome,
            list(_wrong(question, outcome)) if with_wrong else (),
        )
    for key, outcome in found.questions.items():
        if key not in course.question_by_key:
            yield ShownQuestion(key, key, "", "", outcome, ())


def _wrong(question: Question, outcome: Outcome) -> Iterator[ShownWrong]:
    if question.kind is QuestionKind.ORDERING:
        for given, times in outcome.wrong.most_common(1):
            order = " → ".join(question.options[place].text for place in given)
            yield ShownWrong(order, times, times * 100 // outcome.answers)
        return
    for place, times in outcomes.wrong_options(question, outcome)[:MOST_WRONG]:
        yield ShownWrong(question.options[place].text, times, times * 100 // outcome.answers)
