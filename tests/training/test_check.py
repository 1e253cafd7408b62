"""The knowledge check in the browser: a question a page, feedback at once, and no key beforehand."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import noticeboard
from notifications.models import Notification
from staff.models import Role, User
from tests.house import START, House, after
from tests.pages.acting import as_
from tests.training.test_learning import attempt, published, required
from training import attempting, enrolling
from training.course import Question, QuestionKind
from training.coursetext import read_course
from training.defaults import shipped_texts
from training.drawing import draw, shown
from training.models import Answer, Attempt, Completion, ProcedureVersion

pytestmark = pytest.mark.django_db
PAGE = "/training/ticket-escalation/check/"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(after(hours=1), tick=False) as traveller:
        yield traveller


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def sent_for(page: str, question: Question, *, right: bool) -> dict[str, Any]:
    """The form of a question's page, filled in as somebody would who knows it, or does not."""
    place_of: dict[str, str] = {}
    if question.kind is QuestionKind.ORDERING:
        for place, label in re.findall(r'name="rank-(\d+)".*?<span>(.*?)</span>', page, re.DOTALL):
            place_of[label.strip()] = place
        order = [option.text for option in question.options]
        if not right:
            order.reverse()
        return {f"rank-{place_of[label]}": str(rank) for rank, label in enumerate(order, start=1)}
    for place, label in re.findall(
        r'name="answer"\s+value="(\d+)"\s*(?:checked)?\s*>\s*<span class="form-check-label">(.*?)</span>',
        page,
        re.DOTALL,
    ):
        place_of[label.strip()] = place
    wanted = [each.text for each in question.options if each.right is right]
    return {"answer": [place_of[label] for label in (wanted if right else wanted[:1])]}


def take(client: Client, version: ProcedureVersion, *, right: bool, language: str = "en") -> str:
    """An attempt in the browser from its first page to its result."""
    course = version.course(language)
    page = client.post(PAGE, follow=True)
    address = page.redirect_chain[-1][0]
    while '<input type="hidden" name="question"' in text(page):
        key = re.search(r'name="question" value="([^"]+)"', text(page))
        assert key is not None
        question = course.question_by_key[key[1]]
        assert question.why[:40] not in text(page)
        answered = client.post(
            address,
            {"question": key[1], **sent_for(text(page), question, right=right)},
            follow=True,
        )
        assert ("Not quite" in text(answered)) is not right or language != "en"
        page = client.get(address)
    return text(page)


def test_titles_and_notes_are_told_in_the_readers_language(house: House) -> None:
    User.objects.filter(pk=house.anna.pk).update(language="de")
    house.anna.refresh_from_db()
    published()
    required(role=Role.AGENT)
    enrolling.enrol_everywhere(now=START)
    said = text(as_(house.anna).get("/training/"))
    assert "Tickets eskalieren" in said
    assert "Ticket escalation" not in said
    [told] = noticeboard.shown(
        notifications=[Notification.objects.get(readers__contains=[house.anna.pk])],
        reader=house.anna,
        now=START,
    )
    assert "Tickets eskalieren" in f"{told}"
    assert "Ticket escalation" in text(as_(house.ben).get("/training/"))


def test_it_is_failed_and_passed_with_feedback_at_once(house: House) -> None:
    version = published()
    client = as_(house.anna)
    assert "0 of 8 right" in take(client, version, right=False)
    assert not Completion.objects.exists()
    said = take(client, version, right=True)
    assert "8 of 8 right" in said
    assert "You have completed version 1." in said
    assert Completion.objects.get(user=house.anna).score == 100
    assert Answer.objects.count() == 16


def test_it_is_asked_in_the_readers_language(house: House) -> None:
    version = published()
    User.objects.filter(pk=house.anna.pk).update(language="de")
    house.anna.refresh_from_db()
    take(as_(house.anna), version, right=True, language="de")
    assert Completion.objects.get(user=house.anna).score == 100


def test_no_page_before_the_answer_tells_which_is_right(house: House) -> None:
    version = published()
    client = as_(house.anna)
    page = client.post(PAGE, follow=True)
    said = text(page)
    key = re.search(r'name="question" value="([^"]+)"', said)
    assert key is not None
    question = version.course("en").question_by_key[key[1]]
    assert "[x]" not in said
    assert question.why[:60] not in said
    made = Attempt.objects.get()
    assert str(made.drawn[0]["order"]) not in said
    for value in re.findall(r'name="answer"\s+value="([^"]*)"', said):
        assert value in {str(place) for place in range(len(question.options))}


def test_after_three_that_failed_the_page_says_when_to_come_again(house: House, clock: Any) -> None:
    version = published()
    for minute in range(3):
        attempt(house.anna, version, right=False, now=after(minutes=50 + minute))
    client = as_(house.anna)
    assert "Take a break" in text(client.get(PAGE))
    client.post(PAGE)
    assert Attempt.objects.count() == 3
    clock.shift(timedelta(minutes=8))
    client.post(PAGE)
    assert Attempt.objects.count() == 4


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"answer": ["99"]},
        {"answer": ["-1"]},
        {"answer": ["x"]},
        {"answer": ["0", "0"]},
        {"answer": ["9" * 400]},
        {"question": "nowhere", "answer": ["0"]},
        {"rank-0": "1"},
    ],
)
def test_what_is_no_answer_is_refused_and_the_question_asked_again(
    house: House, sent: dict[str, Any]
) -> None:
    published()
    client = as_(house.anna)
    page = client.post(PAGE, follow=True)
    key = re.search(r'name="question" value="([^"]+)"', text(page))
    assert key is not None
    refused = client.post(page.redirect_chain[-1][0], {"question": key[1], **sent})
    assert refused.status_code == 422
    assert 'role="alert"' in text(refused)
    assert not Answer.objects.exists()


def test_an_answer_is_given_once_and_an_attempt_is_its_owners(house: House) -> None:
    version = published()
    made = attempt(house.anna, version, right=True, now=after(minutes=1))
    client = as_(house.anna)
    key = made.drawn[0]["question"]
    again = client.post(f"{PAGE}{made.pk}/", {"question": key, "answer": ["0"]})
    assert again.status_code == 302
    assert Answer.objects.count() == made.asked
    assert as_(house.ben).get(f"{PAGE}{made.pk}/").status_code == 404
    assert as_(house.helen).get(f"{PAGE}{made.pk}/").status_code == 404


@given(random=st.randoms(use_true_random=False))
def test_however_it_is_shuffled_the_right_options_are_right(random: Any) -> None:
    course = read_course(shipped_texts(now=after())["en"])
    for drawn in draw(course=course, scope=(), random=random):
        question = course.question_by_key[drawn["question"]]
        options = shown(question=question, drawn=drawn)
        texts = {option.text: option.place for option in options}
        places = [texts[question.options[origin].text] for origin in question.right]
        assert question.is_right(tuple(drawn["order"][place] for place in places))
        assert not question.is_right(tuple(drawn["order"][place] for place in places[:-1]))


def question_of(page: Any, version: ProcedureVersion, language: str = "en") -> Question:
    """The question that a page asks."""
    key = re.search(r'name="question" value="([^"]+)"', text(page))
    assert key is not None
    return version.course(language).question_by_key[key[1]]


def test_who_changes_the_language_or_goes_back_is_asked_the_same_questions(house: House) -> None:
    version = published()
    client = as_(house.anna)
    page = client.post(PAGE, follow=True)
    address = page.redirect_chain[-1][0]
    first = question_of(page, version)
    wrong = {"question": first.key, **sent_for(text(page), first, right=False)}
    right = {"question": first.key, **sent_for(text(page), first, right=True)}
    feedback = client.post(address, wrong)["Location"]
    assert "Not quite" in text(client.get(feedback))

    # Back to the question, and answered once more: what was said first stands.
    assert client.post(address, right)["Location"] == feedback
    assert "Not quite" in text(client.get(feedback))
    assert client.get(f"{address}?answered=nothing").status_code == 404
    second = question_of(client.get(address), version)
    assert client.get(f"{address}?answered={second.key}").status_code == 404

    User.objects.filter(pk=house.anna.pk).update(language="de")
    page = client.get(address)
    assert question_of(page, version, "de").key == second.key
    german = version.course("de").question_by_key[second.key]
    assert german.title in text(page)
    sent = sent_for(text(page), german, right=True)
    client.post(address, {"question": second.key, **sent})
    assert [each.right for each in Answer.objects.order_by("pk")] == [False, True]
    # To begin again goes on.
    assert client.post(PAGE)["Location"] == address
    assert Attempt.objects.count() == 1


def test_an_attempt_that_was_begun_goes_on_when_a_new_version_is_published(
    house: House, clock: Any
) -> None:
    first = published()
    client = as_(house.anna)
    begun = client.post(PAGE)["Location"]
    second = published(now=after(hours=1), change="Second.")
    page = client.get(begun)
    for _question in range(8):
        question = question_of(page, first)
        sent = {"question": question.key, **sent_for(text(page), question, right=True)}
        client.post(begun, sent)
        page = client.get(begun)
    said = text(page)
    assert "You have completed version 1." in said
    assert "Version 2 has been published since" in said
    assert Completion.objects.get().version == first
    assert "questions on version 2" in text(client.get(PAGE))
    clock.shift(timedelta(minutes=1))
    client.post(PAGE)
    assert Attempt.objects.filter(version=second, finished_at=None).exists()


def test_what_was_refused_is_kept_and_the_ordering_is_no_texts_order(house: House) -> None:
    version = published(draw="15")
    client = as_(house.anna)
    page = client.post(PAGE, follow=True)
    address = page.redirect_chain[-1][0]
    seen = set()
    for _question in range(15):
        question = question_of(page, version)
        seen.add(question.kind)
        if question.kind is QuestionKind.ORDERING:
            labels = re.findall(r'name="rank-\d+".*?<span>(.*?)</span>', text(page), re.DOTALL)
            assert labels != [option.text for option in question.options]
            refused = client.post(address, {"question": question.key, "rank-0": "2", "rank-1": "2"})
            assert len(re.findall(r"selected\s*>2<", text(refused))) == 2
        elif question.kind is QuestionKind.SINGLE:
            refused = client.post(address, {"question": question.key, "answer": ["0", "1"]})
            assert len(re.findall(r"checked\s*>", text(refused))) == 2
        else:
            refused = client.post(address, {"question": question.key})
        assert refused.status_code == 422
        sent = sent_for(text(page), question, right=True)
        client.post(address, {"question": question.key, **sent})
        page = client.get(address)
    assert seen == set(QuestionKind)
    assert "15 of 15 right" in text(page)


@settings(max_examples=15, deadline=None)
@given(random=st.randoms(use_true_random=False), data=st.data())
def test_the_score_is_the_share_that_was_right_and_passes_at_the_mark(
    random: Any, data: Any
) -> None:
    with transaction.atomic():
        house, version = House(), published()
        made = attempting.begin(version_id=version.pk, by=house.anna, random=random, now=after())
        right = data.draw(st.lists(st.booleans(), min_size=8, max_size=8))
        questions = version.course("en").question_by_key
        for drawn, is_right in zip(made.drawn, right, strict=True):
            question = questions[drawn["question"]]
            places = [drawn["order"].index(origin) for origin in question.right]
            if not is_right:
                rest = [place for place in range(len(drawn["order"])) if place not in places]
                places = rest[:1] or places[::-1]
            attempting.answer(
                attempt_id=made.pk,
                question=question.key,
                places=places,
                by=house.anna,
                random=random,
                now=after(),
            )
        made.refresh_from_db()
        assert (made.right, made.score) == (sum(right), sum(right) * 100 // 8)
        assert made.passed == (sum(right) * 100 >= 80 * 8)
        assert Completion.objects.exists() == made.passed
        transaction.set_rollback(True)


def test_the_pages_of_the_check_ask_a_fixed_number_of_queries(house: House) -> None:
    version = published()
    client = as_(house.anna)
    counts = {}
    for times in (1, 3):
        attempt(house.anna, version, right=True, now=after(minutes=times))
        attempt(house.anna, version, right=False, now=after(minutes=times + 1))
        last = Attempt.objects.latest("pk")
        for address in (PAGE, f"{PAGE}{last.pk}/"):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(address).status_code == 200
            counts[times, address == PAGE] = len(asked)
    assert counts[1, True] == counts[3, True] <= 13
    assert counts[1, False] == counts[3, False] <= 10
