"""Learning in a browser: how questions are answered and put in order, whichever of them come."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Page, expect

from training.course import Course, Question, QuestionKind


def answer(page: Page, course: Course, *, right: bool) -> Question:
    """Answer the question that is asked, and wait for what is said of it."""
    question = course.question_by_key[page.locator("[name=question]").input_value()]
    options = [option.text for option in question.options]
    if question.kind is QuestionKind.ORDERING:
        # As they are shown they are never in order; before the script comes they have no places.
        expect(page.locator("[data-ordering='moved']")).to_be_visible()
        if right:
            put_in_order(page, options)
    else:
        wrong = [place for place in range(len(options)) if place not in question.right]
        for place in question.right if right else wrong[:1]:
            page.get_by_label(options[place], exact=True).check()
    page.get_by_role("button", name="Answer", exact=True).press("Enter")
    expect(page.locator("[role=status]:focus")).to_have_text("Right" if right else "Not quite")
    return question


def put_in_order(page: Page, wanted: Sequence[str]) -> None:
    """Move what has to be put in order up by its buttons, the first to the top, and so on."""
    items = page.locator("[data-ordering='moved'] > li span")
    expect(items).to_have_count(len(wanted))
    for place, label in enumerate(wanted):
        up = page.get_by_role("button", name=f"Move up: {label}", exact=True)
        for _step in range(items.all_inner_texts().index(label) - place):
            up.press("Enter")
            # Where it cannot go further up, the button beside it has the focus.
            assert page.evaluate("document.activeElement.dataset.move") in {"up", "down"}
        expect(items.nth(place)).to_have_text(label)
