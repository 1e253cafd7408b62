"""The demo's three minutes in a real browser, by the four who walk them: agent, receiver, lead
and customer.
"""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.demo import company
from tests.browser.conftest import Watched
from tests.browser.soundness import follow
from tests.processes import Installation

pytestmark = [pytest.mark.slow, pytest.mark.browser]

#: The demo's own 45 seconds, less what a test need not wait for.
HEAD_START = timedelta(seconds=10)
PATIENCE = 70_000


def test_the_first_minutes_of_the_demo(installation: Installation, watched: Watched) -> None:
    company.load(now=timezone.now(), past=40, curtain=lambda: timezone.now() - HEAD_START)
    # Without a mail server letters are captured, as on anybody's first day.
    del installation.environment["EMAIL_URL"]
    installation.start("web", "engine", "mail", "beat")
    passwords = dict(
        line.split()[2:4]
        for line in company.sign_ins(now=timezone.now())
        if line.startswith("sign-in")
    )

    def sign_in(name: str) -> tuple[str, str]:
        email = f"{name}@brightquay.example"
        return email, passwords[email]

    # 0:00 Anna walks the list by keyboard, sees the countdown, and why it will escalate.
    anna = watched.sign_in(*sign_in("anna"))
    expect(anna).to_have_url(re.compile("/desk/"))
    row = anna.locator('[data-row="HD-1042"]')
    expect(row).to_contain_text("POST /v2/invoices returns 502")
    pane = anna.locator("#ticket-pane")
    expect(pane).to_contain_text("502 Bad Gateway")
    anna.keyboard.press("j")
    expect(pane).to_contain_text("Cannot invite a colleague")
    anna.keyboard.press("k")
    expect(pane).to_contain_text("502 Bad Gateway")
    expect(pane).to_contain_text("A P1 ticket has waited 15 minutes for a reply")

    # 0:45 It escalates while she watches, without a press.
    expect(row).to_contain_text("Offered to Tier 2", timeout=PATIENCE)
    anna.goto("/mail/")
    anna.get_by_role("link", name="to Dana Reyes").first.click()
    letter = anna.locator("#letter")
    expect(letter).to_contain_text("has been escalated to Tier 2, Integrations")
    expect(letter).to_contain_text("captured, not sent")

    # 1:15 Priya accepts from the package; Dana is told who has it.
    priya = watched.sign_in(*sign_in("priya"))
    priya.goto("/offers/")
    priya.get_by_role("link", name="HD-1042").first.click()
    expect(priya.locator(".offer")).to_contain_text("NOR-4471")
    priya.get_by_label("What you begin with").fill("tracing inv_88120 through the edge")
    priya.get_by_role("button", name="Accept").click()
    expect(priya.locator("article.tk")).to_contain_text("With Tier 2")
    anna.goto("/mail/")
    anna.get_by_role("link", name="to Dana Reyes").first.click()
    expect(letter).to_contain_text("Priya Nair of Integrations has taken on HD-1042")

    # 2:00 Marco sees what is broken on his board, and gives HD-1032 a new expected time there.
    marco = watched.sign_in(*sign_in("marco"))
    expect(marco).to_have_url(re.compile("/escalations/"))
    broken = marco.locator(".lane-broken")
    expect(broken).to_contain_text("HD-1032")
    card = broken.locator("article", has_text="HD-1032")
    card.get_by_text("Act", exact=True).click()
    card.get_by_role("link", name="New time").click()
    in_two_hours = timezone.now().astimezone(ZoneInfo("Europe/Madrid")) + timedelta(hours=2)
    card.get_by_label("New expected time").fill(f"{in_two_hours:%Y-%m-%dT%H:%M}")
    card.get_by_label("Why it takes longer").fill("both accounts are corrected at once")
    card.get_by_role("button", name="New time").click()
    expect(marco).to_have_url(re.compile("/escalations/"))
    expect(marco.locator(".lane-broken")).not_to_contain_text("HD-1032")
    anna.goto("/mail/")
    anna.get_by_role("link", name="to Maya Ortiz").first.click()
    expect(letter).to_contain_text("both accounts are corrected at once")

    # He sees that the notice of HD-1036 came back, and so does whoever answers for it.
    untold = marco.locator("article", has_text="HD-1036")
    expect(untold).to_contain_text("Customer not told")
    untold.get_by_role("link", name="Data residency proof").click()
    ticket = marco.locator("article.tk")
    expect(ticket).to_contain_text("a letter came back (5.1.1)")
    expect(ticket).to_contain_text("Customer not told")

    # 2:40 Dana's ticket behind a link of her own, on a phone, in the dark.
    link = next(
        line for line in company.sign_ins(now=timezone.now()) if line.startswith("portal")
    ).split()[1]
    dana = watched.window(viewport={"width": 360, "height": 780}, color_scheme="dark")
    dana.goto(link[link.index("/portal/") :])
    follow(dana.get_by_role("button", name="Sign in"))
    assert dana.evaluate("document.documentElement.scrollWidth") <= 360
    dana.get_by_role("link", name="POST /v2/invoices returns 502").click()
    expect(dana.locator("main")).to_contain_text("Escalated to Tier 2, Integrations")
    assert dana.evaluate("document.documentElement.scrollWidth") <= 360

    # Escalating by hand, by keyboard alone.
    anna.goto("/tickets/HD-1039/")
    anna.keyboard.press("!")
    expect(anna).to_have_url(f"{installation.url}/tickets/HD-1039/escalate/")
    anna.get_by_label("What was tried").fill("Restarted the export twice; it stops at 40 %.")
    anna.get_by_label("What you ask for").fill("Find out what holds the job.")
    anna.get_by_role("button", name="Escalate and tell the customer").press("Enter")
    expect(anna.locator("article.tk")).to_contain_text("Offered to Integrations")
