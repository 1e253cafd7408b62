"""A real browser: Debian's Chromium, driven by Playwright. Without one these tests are left out,
and the run says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from conftest import CHROMIUM
from staff.models import User


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    # As root Chromium has no sandbox; the rest keeps it from looking for hosts of its own.
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


PASSWORD = "for the length of a test"


def may_sign_in(*people: User) -> None:
    for person in people:
        person.set_password(PASSWORD)
        person.save()


#: Milliseconds an expectation is waited for; the machine may be busy.
expect.set_options(timeout=20_000)


class Watched:
    """Opens windows and keeps what must not happen in them: errors, and requests to elsewhere."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser = browser
        self.base = base
        self.faults: list[str] = []
        self._opened: list[BrowserContext] = []

    def window(self, **options: Any) -> Page:
        context: BrowserContext = self.browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "base_url": self.base, **options}
        )
        self._opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: (
                self.faults.append(f"{page.url}: {said.text}")
                if said.type in ("error", "warning")
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                self.faults.append(f"asked elsewhere: {request.url}")
                if not request.url.startswith((self.base, "data:", "blob:", "about:"))
                else None
            ),
        )
        return page

    def close(self) -> None:
        """Close all windows: they would go on asking for news, and hold the server up at its end."""
        for context in self._opened:
            context.close()

    def sign_in(self, email: str, password: str, **options: Any) -> Page:
        page = self.window(**options)
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        return page


@pytest.fixture
def watched(browser: Browser, installation: Any) -> Iterator[Watched]:
    """Windows on this test's installation; afterwards nothing went wrong in any of them."""
    made = Watched(browser, installation.url)
    yield made
    faults = [*made.faults]
    made.close()
    assert not faults
