"""How the questions are answered, for leads: those answered worst first, and what is chosen instead."""

from __future__ import annotations

import html
import re
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from staff.models import User
from tests.house import House, after
from tests.pages.acting import as_
from tests.training.test_learning import attempt, published
from training import attempting
from training.course import QuestionKind
from training.models import ProcedureVersion

pytestmark = pytest.mark.django_db
PAGE = "/training/ticket-escalation/questions/"


@pytest.fixture
def house() -> House:
    return House()


def text(response: Any) -> str:
    said = re.sub(r"<[^>]+>", " ", response.content.decode())
    return html.unescape(re.sub(r"\s+", " ", said))


def wrong_in(version: ProcedureVersion, user: User, key: str, *, now: Any) -> str:
    """An attempt that has every question right but this one; tells which option was chosen instead."""
    made = attempting.begin(version_id=version.pk, by=user, random=Random(3), now=now)
    course = version.course("en")
    chosen = ""
    for drawn in made.drawn:
        question = course.question_by_key[drawn["question"]]
        places = [drawn["order"].index(origin) for origin in question.right]
        if question.key == key:
            wrong = next(place for place, each in enumerate(question.options) if not each.right)
            places, chosen = [drawn["order"].index(wrong)], question.options[wrong].text
        attempting.answer(
            attempt_id=made.pk,
            question=question.key,
            places=places,
            by=user,
            random=Random(3),
            now=now,
        )
    assert chosen
    return chosen


def test_a_lead_sees_the_worst_first_with_what_was_chosen_instead(house: House) -> None:
    # All of the pool is asked, so that each attempt asks what is looked at.
    version = published(draw="15", pass_mark="50")
    course = version.course("en")
    worst = next(each for each in course.questions if each.kind is QuestionKind.SINGLE)
    attempt(house.anna, version, right=True, now=after(hours=1))
    chosen = wrong_in(version, house.ben, worst.key, now=after(hours=2))

    page = as_(house.grace).get(PAGE)
    rows = re.findall(r'<tr id="question-([^"]+)".*?</tr>', page.content.decode(), re.DOTALL)
    assert rows[0] == worst.key
    said = text(page)
    first = said[said.index(worst.title) : said.index(worst.title) + 600]
    assert "50 % right" in first
    assert f"{chosen} 50 %" in first
    answers = 2 * sum(each.step == worst.step for each in course.questions)
    assert f"{(answers - 1) * 100 // answers} % right {answers} answers" in said
    assert as_(house.anna).get(PAGE).status_code == 403
    assert as_(house.grace).get("/training/nothing/questions/").status_code == 404
    assert as_(house.grace).get(f"{PAGE}?version=7").status_code == 404


def test_of_each_version_and_of_all_together(house: House) -> None:
    first = published(draw="15")
    attempt(house.anna, first, right=False, now=after(hours=1))
    second = published(draw="15", now=after(hours=2), change="Second.")
    attempt(house.anna, second, right=True, now=after(hours=3))
    client = as_(house.grace)
    assert "0 % right" not in text(client.get(PAGE)).replace("100 % right", "")
    assert "100 % right" not in text(client.get(f"{PAGE}?version=1"))
    both = text(client.get(f"{PAGE}?version=all"))
    assert both.count(" 50 % right") == 15 + len(second.course("en").steps)
    assert "Chosen wrongly most" not in both


def test_the_page_asks_a_fixed_number_of_queries(house: House) -> None:
    version = published(draw="15")
    client = as_(house.grace)
    client.get(PAGE)
    counts = []
    for person in (house.anna, house.ben):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(PAGE)
        counts.append(len(asked))
        attempt(person, version, right=False, now=after(hours=1))
    assert counts[0] == counts[1] <= 14
