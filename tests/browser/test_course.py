"""The procedure as a living course, in the browsers of those who write, learn and answer for it."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD, Watched, may_sign_in
from tests.browser.learning import answer
from tests.browser.soundness import faults
from tests.house import House
from tests.processes import Installation
from training import drafting
from training.course import ESCALATION, Course
from training.coursetext import read_course
from training.defaults import shipped_texts
from training.frontmatter import with_front

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGE = f"/training/{ESCALATION}/"
SECRETS = "Never ask for passwords or keys."
KEY_IDS = "A key's ID may be asked for."
ITEM, NEXT_ITEM = "Gather complete information.", "Gather complete information, no secrets."
NOTIFY = "Notify the customer, with the expected time."
UPDATE = "Update the customer with progress."
CLOSE = "Close the ticket after resolution."
NEEDED = "Please complete version 1 of the procedure first; it takes about five minutes."


def own_files(folder: Path, **front: str) -> None:
    """The procedure we ship as somebody's own files, in force since yesterday and short."""
    folder.mkdir()
    now = timezone.now()
    for language, text in shipped_texts(now=now).items():
        dated = drafting.dated(text, now.date() - timedelta(days=1))
        (folder / f"{language}.md").write_text(with_front(dated, front), encoding="utf-8")


def course_of(folder: Path) -> Course:
    return read_course((folder / "en.md").read_text(encoding="utf-8"))


def publish(number: int, *, by: Page, read_by: Page) -> None:
    """Its author submits a draft that is open; somebody else reads and publishes it."""
    for page, label, sure, state in (
        (by, "Submit", "Submit it", "in review"),
        (read_by, "Publish", "Publish it", "published"),
    ):
        page.goto(f"{PAGE}versions/{number}/")
        page.locator("summary").get_by_text(label, exact=True).click()
        page.get_by_role("button", name=sure, exact=True).click()
        expect(page.locator(".chip").get_by_text(state, exact=True)).to_be_visible()


def take_lesson(page: Page, *, slides: int) -> None:
    """From the procedure through every slide to the questions."""
    page.get_by_role("link", name="Begin the lesson").click()
    for number in range(1, slides + 1):
        expect(page.locator("#slide-place")).to_have_text(f"Slide {number} of {slides}")
        if number < slides:
            page.locator("#slide").get_by_role("button", name="Next").click()
    expect(page.locator("#slide")).to_contain_text("You have seen all that is asked of you.")
    page.locator("#slide").get_by_role("link", name="Answer the questions").click()


def take_check(page: Page, course: Course, *, of: int, right: bool) -> set[str]:
    """Answer all that is asked, all right or all wrong; gives the steps it was about."""
    steps = set()
    for number in range(1, of + 1):
        expect(page.get_by_text(f"Question {number} of {of}")).to_be_visible()
        steps.add(answer(page, course, right=right).step)
        onward = "See the result" if number == of else "Next question"
        page.get_by_role("link", name=onward, exact=True).click()
    expect(page.locator("#result")).to_contain_text(f"{of if right else 0} of {of} right")
    return steps


def item(page: Page, words: str) -> Locator:
    return page.locator(".checks li").filter(has_text=words)


def test_a_procedure_is_published_learnt_carried_out_and_learnt_anew(
    installation: Installation, watched: Watched, tmp_path: Path
) -> None:
    house = House()
    house.publish(
        now=timezone.now(), training={"procedure": ESCALATION, "required_to": ["escalate"]}
    )
    ticket = house.ticket(assignee=house.anna, now=timezone.now(), impact=1)
    may_sign_in(house.anna, house.marco, house.grace)
    installation.start("web")
    anna, marco, grace = (
        watched.sign_in(person.email, PASSWORD) for person in (house.anna, house.marco, house.grace)
    )

    # Its files become a draft, which one lead submits and another publishes.
    first = tmp_path / "first"
    own_files(first, draw="4", attempts="2")
    installation.manage("procedure", "import", str(first))
    publish(1, by=marco, read_by=grace)
    marco.goto(f"{PAGE}people/")
    marco.get_by_label("Role").select_option("Agent")
    marco.get_by_label("Team").select_option("Frontline EMEA · Tier 1")
    marco.get_by_role("button", name="Require it", exact=True).click()
    expect(marco.locator("main")).to_contain_text("Agent · Frontline EMEA")

    # Who has not learnt it yet is told so before she escalates, and led there.
    def escalate() -> None:
        anna.goto(f"{ticket.get_absolute_url()}escalate/")
        anna.get_by_label("What you ask for").fill("Find out why the gateway refuses it.")
        anna.get_by_role("button", name="Escalate and tell the customer").click()

    escalate()
    expect(anna.locator(".field-error")).to_contain_text(NEEDED)
    anna.get_by_role("link", name="To the procedure").click()
    take_lesson(anna, slides=8)

    # She fails, reads why, and passes.
    expect(anna.locator("main")).to_contain_text("After 2 attempts in a row that fail")
    anna.get_by_role("button", name="Begin").click()
    expect(anna.get_by_text("Question 1 of 4")).to_be_visible()
    wrong = faults(anna)
    take_check(anna, course_of(first), of=4, right=False)
    wrong += faults(anna)
    anna.locator(".check-rows a").first.click()
    expect(anna.locator(".course-outcomes")).to_contain_text("your answer")
    wrong += faults(anna)
    anna.go_back()
    anna.get_by_role("button", name="Try again").click()
    take_check(anna, course_of(first), of=4, right=True)
    expect(anna.locator("main")).to_contain_text("You have completed version 1.")
    assert wrong == []

    # Now she may; what the system sees done is ticked, and the rest she ticks with her name.
    escalate()
    expect(anna.locator("article.tk")).to_contain_text("Offered to Integrations")
    open_items = anna.locator(".check-button[aria-pressed=false]")
    expect(open_items).to_have_text([NOTIFY, UPDATE, CLOSE])
    item(anna, UPDATE).get_by_role("button").click()
    expect(open_items).to_have_text([NOTIFY, CLOSE])
    marco.goto(ticket.get_absolute_url())
    expect(item(marco, UPDATE)).to_contain_text(re.compile("Anna Keller, .*ago|Anna Keller, .*now"))

    # The next version, from files on the page: only what changed is asked.
    second = tmp_path / "second"
    own_files(second, draw="4", attempts="2", changed="[gather]", change="Key IDs, yes.")
    text = (second / "en.md").read_text(encoding="utf-8")
    text = text.replace(SECRETS, f"{SECRETS} {KEY_IDS}").replace(ITEM, NEXT_ITEM)
    (second / "en.md").write_text(text, encoding="utf-8")
    marco.goto(f"{PAGE}versions/")
    marco.get_by_role("link", name="New version").click()
    marco.locator("summary").filter(has_text="Languages and files").click()
    marco.locator("#files").set_input_files(sorted(second.iterdir()))
    marco.get_by_role("button", name="Take them over").click()
    expect(marco.locator("#text-en")).to_have_value(re.compile(re.escape(KEY_IDS)))
    marco.get_by_role("button", name="Save the draft").click()
    expect(marco.locator("ins").filter(has_text=KEY_IDS)).to_be_visible()
    publish(2, by=marco, read_by=grace)

    # She is asked again, sees what differs, and learns that alone.
    anna.goto("/training/")
    asked = anna.locator("section").filter(has_text="Asked of you").locator("article")
    expect(asked).to_contain_text("to learn")
    expect(asked).to_contain_text("Version 2")
    asked.get_by_role("link").click()
    anna.get_by_role("link", name="What changed since the version you completed").click()
    expect(anna.locator("ins").filter(has_text=KEY_IDS)).to_be_visible()
    anna.get_by_role("link", name="Read all of it").click()
    take_lesson(anna, slides=3)
    expect(anna.locator("main")).to_contain_text("only what changed is asked")
    anna.get_by_role("button", name="Begin").click()
    assert take_check(anna, course_of(second), of=3, right=True) == {"gather"}
    expect(anna.locator("main")).to_contain_text("You have completed version 2.")
    # What was escalated before goes on by the version of its day.
    anna.goto(ticket.get_absolute_url())
    expect(item(anna, ITEM)).to_be_visible()
    expect(anna.locator("main")).to_contain_text("Ticket escalation, version 1")

    # Her lead sees both versions, on the page as in the file.
    marco.goto("/training/people/")
    rows = marco.locator(".matrix tbody tr")
    expect(rows).to_have_count(3)
    with marco.expect_download() as downloading:
        marco.get_by_role("link", name="CSV").click()
    with downloading.value.path().open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    cells = [
        (
            each["name"],
            *(" ".join((each[v], each[f"{v} score"])).strip() for v in ("v1", "v2")),
        )
        for each in lines
    ]
    assert cells == [
        ("Anna Keller", "completed 100", "completed 100"),
        ("Ben Osei", "", "asked"),
        ("Marco Ruiz", "", ""),
    ]
    shown = ((r"completed.* 100 %", r"completed.* 100 %"), (r"^to learn by ", "^$"), ("^$", "^$"))
    for place, (line, words) in enumerate(zip(lines, shown, strict=True)):
        expect(rows.nth(place).locator("th")).to_contain_text(line["name"])
        for column, wanted in enumerate(words):
            expect(rows.nth(place).locator("td").nth(column)).to_have_text(re.compile(wanted))
    rows.nth(0).get_by_role("link").click()
    attempts = marco.locator("section").filter(has_text="Attempts").locator("tbody tr")
    expect(attempts).to_have_count(3)
    expect(attempts.filter(has_text="not passed")).to_have_count(1)
    # What was refused is said there, too.
    watched.faults[:] = [each for each in watched.faults if "status of 422" not in each]
