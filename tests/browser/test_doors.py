"""The customer's doors in a real browser: a phone, no script of ours, and nothing in anybody's way."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.soundness import follow
from tests.house import House
from tests.portal.doors import link_in
from tests.processes import ROOT, Installation
from tickets import portal

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PHONE = {"width": 360, "height": 780}
AXE = Path(ROOT / "node_modules/axe-core/axe.min.js")


def is_sound(page: Page) -> None:
    """Nothing serious for axe, and nothing wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious, page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_keeps_nobody_out(
    installation: Installation, watched: Watched, scheme: str
) -> None:
    house = House()
    ticket = house.ticket(text="It fails with a" + "a" * 300, now=timezone.now())
    house.reply(ticket, now=timezone.now())
    installation.start("web")
    dana = watched.window(viewport=PHONE, color_scheme=scheme)
    for path in (
        "/new/",
        "/new/?category=api",
        "/new/sent/",
        "/portal/sign-in/",
        "/portal/sign-in/sent/",
        link_in(portal.link_for(contact=house.dana, now=timezone.now())),
    ):
        dana.goto(path)
        is_sound(dana)
    follow(dana.get_by_role("button", name="Sign in"))
    is_sound(dana)
    follow(dana.get_by_role("link", name=ticket.subject))
    dana.get_by_text("Ask to escalate it").click()
    dana.locator("summary").first.click()
    is_sound(dana)


def test_the_whole_way_works_without_any_script(
    installation: Installation, watched: Watched
) -> None:
    house = House()
    ticket = house.ticket(now=timezone.now())
    installation.start("web")
    dana = watched.window(viewport=PHONE, java_script_enabled=False)
    dana.goto("/new/")
    dana.get_by_role("link", name="API integration").click()
    dana.get_by_label("Your name").fill("Ola Berg")
    dana.get_by_label("Your e-mail address").fill("ola@norvik.example")
    dana.get_by_label("What is it about?").fill("Another thing")
    dana.get_by_label("What happened?").fill("It fails.")
    dana.get_by_label("Files").set_input_files(
        {"name": "a.log", "mimeType": "text/plain", "buffer": b"log"}
    )
    dana.get_by_role("button", name="Send").click()
    expect(dana.locator("h1")).to_have_text("We have your request")

    dana.goto(link_in(portal.link_for(contact=house.dana, now=timezone.now())))
    dana.get_by_role("button", name="Sign in").click()
    dana.get_by_role("link", name=ticket.subject).click()
    dana.get_by_label("Your answer").fill("It is only POST.")
    dana.get_by_role("button", name="Send", exact=True).click()
    expect(dana.locator("main")).to_contain_text("Your answer is with us.")
    expect(dana.locator("main")).to_contain_text("It is only POST.")
