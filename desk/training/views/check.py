"""``/training/…/check/``: the knowledge check, a question a page, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import SystemRandom

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from desk.training.feedback import feedback_of
from desk.training.standing import standings
from desk.views.numbers import number
from desk.views.reading import reader
from staff.models import User
from staff.refusal import Refused
from training import attempting
from training.course import Course, QuestionKind
from training.coursehtml import html_of
from training.drawing import shown
from training.models import Answer, Attempt, ProcedureVersion

#: So many attempts stand under the button that begins one; the record has all.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a question that is asked; ``chosen`` and ``rank`` are what was sent and refused."""

    place: int
    text: str
    chosen: bool
    rank: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is shown; nothing of it tells which option is right."""

    key: str
    title: str
    case: SafeString
    prompt: SafeString
    kind: QuestionKind
    options: Sequence[Choice]

    @property
    def places(self) -> range:
        """The places an option can be put at, counted as people do."""
        return range(1, len(self.options) + 1)


@dataclass(frozen=True, slots=True)
class StepResult:
    """How many of a step's questions were right in an attempt."""

    key: str
    title: str
    right: int
    asked: int


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """What is asked, and the attempts so far; sending begins one, or goes on with the open one."""
    user, now = reader(request), timezone.now()
    found = standings(user=user, now=now, slug=slug)
    if not found:
        raise Http404
    standing = found[0]
    version = ProcedureVersion.objects.select_related("procedure").get(pk=standing.offered.pk)
    if request.method == "POST":
        try:
            begun = attempting.begin(version_id=version.pk, by=user, random=SystemRandom(), now=now)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("desk:check", slug)
        return redirect("desk:attempt", slug, begun.pk)
    course = version.course(user.language)
    scope = standing.scope
    attempts = list(Attempt.objects.filter(user=user, version=version).order_by("number"))
    unfinished = attempts[-1] if attempts and attempts[-1].finished_at is None else None
    finished = [each for each in reversed(attempts) if each.finished_at]
    until = None if unfinished else attempting.paused_until(attempts=attempts, front=course.front)
    return render(
        request,
        "training/check.html",
        {
            "version": version,
            "front": course.front,
            "standing": standing,
            "questions": min(course.front.draw, len(course.pool_of(scope))),
            "steps": course.steps_of(scope) if scope else (),
            "attempts": finished[:SHOWN],
            "has_more": len(finished) > SHOWN,
            "unfinished": unfinished,
            "until": until if until is not None and until > now else None,
            "now": now,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def attempt(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The next question of one's own attempt; with ``?answered=`` what that answer came to."""
    user, now = reader(request), timezone.now()
    found = (
        Attempt.objects.select_related("version__procedure")
        .filter(user=user, version__procedure__slug=slug, pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    course = found.version.course(user.language)
    answers = {each.question: each for each in found.answers.all()}
    if request.method == "POST":
        key = request.POST.get("question", "")
        try:
            answered = attempting.answer(
                attempt_id=found.pk,
                question=key,
                places=_places(request, course, key),
                by=user,
                random=SystemRandom(),
                now=now,
            )
        except Refused as refusal:
            return _question(request, found, course, answers, error=str(refusal), status=422)
        if answered.attempt.asked > found.asked:
            messages.info(
                request,
                _(
                    "What you had passed no longer counts, so that there are questions about the "
                    "other steps, too."
                ),
            )
        return redirect(
            f"{reverse('desk:attempt', args=[slug, pk])}?{urlencode({'answered': key})}"
        )
    told = request.GET.get("answered")
    if told is not None:
        if told not in answers:
            raise Http404
        return _feedback(request, found, course, answers, answers[told])
    if found.finished_at is not None:
        return _result(request, found, course, answers, user)
    return _question(request, found, course, answers)


def _places(request: HttpRequest, course: Course, key: str) -> list[int]:
    """The places that were chosen, counted from 0; of an ordering question in the order given."""
    question = course.question_by_key.get(key)
    if question is not None and question.kind is QuestionKind.ORDERING:
        ranks = [
            _number(request.POST.get(f"rank-{place}")) for place in range(len(question.options))
        ]
        if sorted(ranks) != list(range(1, len(ranks) + 1)):
            raise Refused(_("Give each of them a place of its own."), field="answer")
        return sorted(range(len(ranks)), key=ranks.__getitem__)
    return [_number(value) for value in request.POST.getlist("answer")]


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 3:
        raise Refused(_("Choose from the answers that are shown."), field="answer")
    return int(text)


def _question(
    request: HttpRequest,
    found: Attempt,
    course: Course,
    answers: dict[str, Answer],
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    drawn = attempting.next_drawn(found, list(answers.values()))
    if drawn is None:
        return redirect("desk:attempt", found.version.procedure.slug, found.pk)
    question = course.question_by_key[drawn["question"]]
    # What was sent for another question says nothing of this one.
    sent = request.POST if request.POST.get("question") == question.key else QueryDict()
    return render(
        request,
        "training/question.html",
        {
            "attempt": found,
            "version": found.version,
            "front": course.front,
            "question": Asked(
                key=question.key,
                title=question.title,
                case=html_of(question.case),
                prompt=html_of(question.prompt),
                kind=question.kind,
                options=[
                    Choice(
                        each.place,
                        each.text,
                        str(each.place) in sent.getlist("answer"),
                        number(sent.get(f"rank-{each.place}")),
                    )
                    for each in shown(question=question, drawn=drawn)
                ],
            ),
            "number": len(answers) + 1,
            "error": error,
        },
        status=status,
    )


def _feedback(
    request: HttpRequest, found: Attempt, course: Course, answers: dict[str, Answer], answer: Answer
) -> HttpResponse:
    return render(
        request,
        "training/answered.html",
        {
            "attempt": found,
            "version": found.version,
            "front": course.front,
            "feedback": feedback_of(answer, attempt=found, course=course),
            "number": 1 + [each["question"] for each in found.drawn].index(answer.question),
            "is_last": found.finished_at is not None,
        },
    )


def _result(
    request: HttpRequest, found: Attempt, course: Course, answers: dict[str, Answer], user: User
) -> HttpResponse:
    asked = Counter(answer.step for answer in answers.values())
    right = Counter(answer.step for answer in answers.values() if answer.right)
    attempts = list(Attempt.objects.filter(user=user, version=found.version).order_by("number"))
    until = (
        attempting.paused_until(attempts=attempts, front=course.front)
        if attempts[-1].finished_at is not None
        else None
    )
    now = timezone.now()
    newest = (
        ProcedureVersion.objects.newest().filter(procedure=found.version.procedure).defer("texts")
    )
    newer = next((each for each in newest if each.number > found.version.number), None)
    if newer is not None:
        # A pause is one version's, and this one can no longer be begun.
        until = None
    return render(
        request,
        "training/result.html",
        {
            "attempt": found,
            "version": found.version,
            "front": course.front,
            "steps": [
                StepResult(step.key, step.title, right[step.key], asked[step.key])
                for step in course.steps
                if asked[step.key]
            ],
            "answers": [
                (answer, course.question_by_key[answer.question].title)
                for answer in sorted(answers.values(), key=lambda each: each.pk)
            ],
            "newer": newer,
            "until": until if until is not None and until > now else None,
            "now": now,
        },
    )
