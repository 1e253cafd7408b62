"""What the screenshots show: pages of the demo, each signed in as whom it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from helpdesk.smaller import smaller

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 120_000
"""Milliseconds until something has to be seen: HD-1042 escalates 45 s after the start."""

#: By what follows a picture's name: width, height, and the colours a visitor prefers.
LOOKS: dict[str, tuple[int, int, str]] = {
    "": (1440, 900, "light"),
    "-dark": (1440, 900, "dark"),
    "-phone": (360, 740, "light"),
    "-phone-dark": (360, 740, "dark"),
}


@dataclass(frozen=True, slots=True)
class Signs:
    """How to come in, as ``manage.py up`` says it."""

    url: str
    people: dict[str, tuple[str, str]]
    portal: str

    @classmethod
    def read(cls, lines: Iterator[str]) -> Signs:
        """Read lines until the last of them; ``ValueError`` where they end before."""
        url, people = "", {}
        for line in lines:
            word, _colon, rest = line.strip().partition(": ")
            if word == "ready":
                url = rest
            elif word == "sign-in":
                role, email, password = rest.split(" ", 2)
                people[role] = email, password
            elif word == "portal":
                return cls(url, people, rest)
        raise ValueError("The desk did not start.")


class Gallery:
    """Takes pictures of one installation; whoever signs in does so once."""

    def __init__(self, browser: Browser, signs: Signs, folder: Path) -> None:
        self._browser, self._signs, self._folder = browser, signs, folder
        self._states: dict[str, Any] = {}
        self.taken: dict[Path, bytes] = {}

    def take_all(self) -> None:
        """In the order of the story: first what is to be seen before HD-1042 escalates."""
        self.take("triage", "agent", "/desk/")
        self.take("ticket", "agent", "/tickets/HD-1042/")
        self.take("escalate", "agent", "/tickets/HD-1039/escalate/")
        self._wait_for_the_escalation()
        self.take("offers", "receiver", "/offers/", then=_open_offer)
        self.take("board", "lead", "/escalations/")
        self.take("mail", "agent", "/mail/", then=_open_letter)
        self.take("lesson", "agent", "/training/ticket-escalation/lesson/?step=gather")
        self.take("people", "lead", "/training/people/")
        self.take("status", "", self._status_page())
        self._sign_in_to_the_portal()
        self.take("portal", "customer", "/portal/HD-1042/")

    def write(self) -> int:
        """Write what was taken, as small as it gets; returns how many bytes it is."""
        return sum(path.write_bytes(smaller(picture)) for path, picture in self.taken.items())

    def take(
        self, name: str, role: str, address: str, *, then: Callable[[Page], None] | None = None
    ) -> None:
        """A page in every look, as somebody of this role sees it."""
        for suffix, (width, height, colours) in LOOKS.items():
            page = self._window(role, width=width, height=height, colours=colours)
            page.goto(address, wait_until="networkidle")
            if then is not None:
                then(page)
                page.wait_for_load_state("networkidle")
            path = self._folder / f"{name}{suffix}.png"
            self.taken[path] = page.screenshot(animations="disabled", caret="hide")
            page.context.close()

    def _window(
        self, role: str, *, width: int = 1440, height: int = 900, colours: str = "light"
    ) -> Page:
        context = self._browser.new_context(
            base_url=self._signs.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if colours == "dark" else "light",
            locale="en-GB",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            storage_state=self._state(role),
        )
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    def _state(self, role: str) -> Any:
        if not role or role in self._states:
            return self._states.get(role)
        email, password = self._signs.people[role]
        context = self._browser.new_context(base_url=self._signs.url)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        self._states[role] = context.storage_state()
        context.close()
        return self._states[role]

    def _wait_for_the_escalation(self) -> None:
        """Until Dana's notice has been made."""
        page = self._window("agent")
        page.goto("/desk/")
        page.locator('[data-row="HD-1042"]').get_by_text("Offered to Tier 2").wait_for()
        page.goto("/tickets/HD-1042/")
        page.context.close()

    def _status_page(self) -> str:
        """The link in Dana's notice."""
        page = self._window("agent")
        page.goto("/mail/")
        _open_letter(page)
        text = page.locator("#letter").inner_text()
        page.context.close()
        start = text.index("/s/")
        return text[start:].split()[0].rstrip(".,")

    def _sign_in_to_the_portal(self) -> None:
        context = self._browser.new_context(base_url=self._signs.url)
        page = context.new_page()
        page.goto(urlsplit(self._signs.portal).path)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="POST /v2/invoices returns 502").wait_for()
        self._states["customer"] = context.storage_state()
        context.close()


def _open_offer(page: Page) -> None:
    page.get_by_role("link", name="HD-1042").first.click()
    page.locator(".offer").get_by_text("NOR-4471").first.wait_for()


def _open_letter(page: Page) -> None:
    page.get_by_role("link", name="to Dana Reyes").first.click()
    page.locator("#letter").get_by_text("has been escalated").first.wait_for()
