"""The knowledge check by keyboard on a phone's width: put in order by buttons, answered, and told."""

from __future__ import annotations

from random import Random

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Watched, may_sign_in
from tests.browser.learning import put_in_order
from tests.house import House
from tests.processes import Installation
from training import attempting, defaults
from training.course import ESCALATION, QuestionKind
from training.drawing import draw
from training.models import Answer, Attempt, Enrollment, ProcedureVersion

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_an_ordering_question_is_put_in_order_by_buttons(
    installation: Installation, watched: Watched
) -> None:
    anna = House().anna
    may_sign_in(anna)
    defaults.load_defaults(now=timezone.now())
    installation.start("web")
    version = ProcedureVersion.objects.newest().get(procedure__slug=ESCALATION)
    course = version.course(anna.language)
    Enrollment.objects.filter(user=anna).delete()
    Attempt.objects.filter(user=anna, finished_at=None).delete()
    seed = next(
        seed
        for seed in range(1000)
        if course.question_by_key[
            draw(course=course, scope=(), random=Random(seed))[0]["question"]
        ].kind
        is QuestionKind.ORDERING
    )
    begun = attempting.begin(
        version_id=version.pk, by=anna, random=Random(seed), now=timezone.now()
    )
    question = course.question_by_key[begun.drawn[0]["question"]]
    wanted = [option.text for option in question.options]

    page = watched.sign_in(anna.email, PASSWORD, viewport={"width": 360, "height": 740})
    page.goto(f"/training/{ESCALATION}/check/{begun.pk}/")
    expect(page.locator("[data-ordering='moved']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("select:visible").count() == 0
    put_in_order(page, wanted)
    expect(page.locator("#announce")).to_contain_text(" is at place ")
    page.get_by_role("button", name="Answer", exact=True).press("Enter")

    told = page.locator("[role=status]:focus")
    expect(told).to_contain_text("Right")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert Answer.objects.get(attempt=begun).right
    page.get_by_role("link", name="Next question").press("Enter")
    expect(page.get_by_text("Question 2 of")).to_be_visible()
