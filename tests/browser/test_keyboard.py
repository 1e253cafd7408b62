"""The journey by keyboard alone: nothing needs a mouse, and nobody loses their place."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from helpdesk.demo import company
from tests.browser.conftest import Watched
from tests.processes import Installation

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def go_to(page: Page, place: Locator, *, within: int = 250) -> None:
    """Press Tab until something has the focus, as one does without a mouse."""
    expect(place).to_be_attached()
    for _press in range(within):
        if place.evaluate("element => element === document.activeElement"):
            assert place.is_visible(), "what has the focus must be seen"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never comes to {place}")


def press(page: Page, name: str, *, role: str = "button", within: Locator | None = None) -> None:
    go_to(page, (within or page.locator("main")).get_by_role(role, name=name, exact=True).first)  # type: ignore[arg-type]
    page.keyboard.press("Enter")


def fold(page: Page, name: str) -> Locator:
    """Open the form behind a link of these words; its first field has the focus then."""
    words = re.compile(rf"^\s*{name}\s*$")
    go_to(page, page.locator("main a").filter(has_text=words).last)
    page.keyboard.press("Enter")
    opened = page.locator("details.act").filter(has=page.locator("summary").filter(has_text=words))
    expect(opened.locator(":focus")).to_have_count(1)
    return opened.last


def write(page: Page, place: Locator, text: str) -> None:
    go_to(page, place)
    page.keyboard.type(text)


def has_a_place(page: Page) -> None:
    """Whatever was replaced, the keyboard is not thrown back to the beginning of the page."""
    expect(page.locator("main :focus")).to_have_count(1)


def test_the_journey_by_keyboard_alone(installation: Installation, watched: Watched) -> None:
    company.load(now=timezone.now(), past=0)
    installation.start("web")
    passwords = dict(
        line.split()[2:4]
        for line in company.sign_ins(now=timezone.now())
        if line.startswith("sign-in")
    )

    def sign_in(name: str) -> Page:
        email = f"{name}@brightquay.example"
        return watched.sign_in(email, passwords[email])

    # Triage: walk, look for something, see the keys, and come back to where one was.
    anna = sign_in("anna")
    pane = anna.locator("#ticket-pane")
    expect(pane).to_contain_text("502 Bad Gateway")
    anna.keyboard.press("j")
    anna.keyboard.press("j")
    anna.keyboard.press("k")
    row = anna.locator("[data-row]:focus")
    expect(row).to_have_count(1)
    walked_to = row.get_attribute("data-row")
    anna.keyboard.press("?")
    expect(anna.locator("#keys")).to_be_visible()
    anna.keyboard.press("Escape")
    expect(anna.locator("#keys")).to_be_hidden()
    assert row.get_attribute("data-row") == walked_to
    anna.keyboard.press("/")
    expect(anna.locator("input[name=q]")).to_be_focused()
    anna.keyboard.press("Escape")
    anna.keyboard.press("k")
    anna.keyboard.press("o")
    expect(anna).to_have_url(re.compile(r"/tickets/HD-\d+/$"))

    # The menus of the frame give the focus back to what opened them.
    opener = anna.locator("[popovertarget]").first
    if opener.count():
        go_to(anna, opener)
        anna.keyboard.press("Enter")
        expect(anna.locator("[popover]:popover-open")).to_have_count(1)
        anna.keyboard.press("Escape")
        expect(opener).to_be_focused()

    # A reply, a note, a refusal, and the words that stay where they are.
    anna.goto("/tickets/HD-1039/")
    talk = anna.locator(".tk-talk")
    anna.keyboard.press("r")
    expect(anna.locator("textarea[id^=reply-]")).to_be_focused()
    anna.keyboard.type("We restart the export now.")
    anna.keyboard.press("Control+Enter")
    expect(talk).to_contain_text("We restart the export now.")
    has_a_place(anna)
    anna.keyboard.press("Escape")
    anna.keyboard.press("n")
    expect(anna.locator("textarea[id^=note-]")).to_be_focused()
    anna.keyboard.type("Second time this week.")
    anna.keyboard.press("Control+Enter")
    expect(talk).to_contain_text("Second time this week.")
    has_a_place(anna)

    # A follow-up with a time.
    anna.keyboard.press("Escape")
    added = fold(anna, "Add a follow-up")
    write(anna, added.get_by_label("What to do"), "Look at the export again")
    go_to(anna, added.get_by_label("When"))
    anna.keyboard.type("12312026")
    anna.keyboard.press("ArrowRight")
    anna.keyboard.type("0300PM")
    press(anna, "Add a follow-up", within=added)
    expect(anna.locator(".tk-side")).to_contain_text("Look at the export again")
    has_a_place(anna)

    # Escalate: what is wrong is said at its field, where the keyboard is, and then it goes.
    anna.keyboard.press("Escape")
    anna.keyboard.press("!")
    expect(anna).to_have_url(re.compile("/HD-1039/escalate/$"))
    go_to(anna, anna.get_by_role("button", name="Escalate and tell the customer"))
    anna.keyboard.press("Enter")
    expect(anna.locator(".field-error, .box-bad").first).to_be_visible()
    has_a_place(anna)
    write(anna, anna.get_by_label("What was tried"), "Restarted it twice; it stops at 40 %.")
    write(anna, anna.get_by_label("What you ask for"), "Find out what holds the job.")
    go_to(anna, anna.get_by_role("button", name="Escalate and tell the customer"))
    anna.keyboard.press("Enter")
    expect(anna.locator("article.tk")).to_contain_text("Offered to")

    # The checklist: what was ticked keeps the focus, for the next one.
    item = anna.locator(".check-button[aria-pressed=false]").first
    go_to(anna, item)
    words = item.inner_text()
    anna.keyboard.press("Space")
    ticked = anna.locator(".check-button[aria-pressed=true]").filter(has_text=words)
    expect(ticked).to_have_count(1)
    has_a_place(anna)

    # The receiver: walk the offers, accept one, decline another.
    priya = sign_in("priya")
    priya.goto("/offers/")
    priya.keyboard.press("j")
    expect(priya.locator("[data-row]:focus")).to_have_count(1)
    priya.goto("/tickets/HD-1039/")
    declining = fold(priya, "Decline")
    go_to(priya, declining.get_by_label("Why"))
    priya.keyboard.press("ArrowDown")
    write(priya, declining.get_by_label("In words"), "The job's id is missing.")
    press(priya, "Decline", within=declining)
    expect(priya.locator("article.tk")).to_contain_text("Came back")
    has_a_place(priya)
    priya.goto("/tickets/HD-1036/")
    accepting = fold(priya, "Accept")
    write(priya, accepting.get_by_label("What you begin with"), "finding the proof")
    priya.keyboard.press("Enter")
    expect(priya.locator("article.tk")).to_contain_text("With Tier 2")
    has_a_place(priya)
    handing = fold(priya, "Hand on")
    go_to(priya, handing.get_by_label("To team"))
    priya.keyboard.type("Platform")
    press(priya, "Hand on", within=handing)
    expect(priya.locator("article.tk")).to_contain_text("Offered to Platform")
    has_a_place(priya)

    # The assignee: once the work is done, the ticket is resolved.
    anna.goto("/tickets/HD-1041/")
    resolving = fold(anna, "Resolve")
    write(anna, resolving.get_by_label("What came of it"), "The invitation went out.")
    press(anna, "Resolve", within=resolving)
    expect(anna.locator("article.tk")).to_contain_text("Resolved")
    has_a_place(anna)

    # Whose session is over comes to the sign-in page; what cannot be sent is said, and stays.
    def note(page: Page, words: str) -> None:
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.type(words)
        page.keyboard.press("Control+Enter")

    Session.objects.filter(expire_date__gt=timezone.now()).delete()
    note(anna, "Nobody is signed in.")
    expect(anna).to_have_url(re.compile(r"/accounts/login/\?next=%2Ftickets%2FHD-1041%2F$"))
    email = "priya@brightquay.example"
    priya = watched.sign_in(email, passwords[email])
    priya.goto("/tickets/HD-1036/")
    until_then = len(watched.faults)
    installation.kill("web")
    note(priya, "The server is away.")
    expect(priya.locator("#toasts [role=alert]")).to_contain_text("cannot be reached")
    expect(priya.locator("textarea[id^=note-]")).to_have_value("The server is away.")
    # Refused fields and the missing server are meant, and that a page of hers that stands open still
    # may ask for news without a session, or be asking as the server goes.
    away = ("net::ERR_CONNECTION_", "net::ERR_EMPTY_", "htmx:sendError", "htmx:afterRequest")
    watched.faults[:] = [
        each
        for place, each in enumerate(watched.faults)
        if not any(words in each for words in ("status of 422", "status of 401"))
        and not (place >= until_then and any(words in each for words in away))
    ]
