"""The API's documentation in a real browser: without a network, under our content policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.api.programs import Program
from tests.browser.conftest import PASSWORD, Watched, may_sign_in
from tests.house import House
from tests.processes import Installation

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_operations_are_listed_and_can_be_tried(
    house: House, installation: Installation, watched: Watched
) -> None:
    may_sign_in(house.anna)
    token = Program(house.anna).raw
    installation.start("web")
    page = watched.sign_in(house.anna.email, PASSWORD)

    page.goto("/api/docs/")

    expect(page.locator(".opblock").filter(has_text="Escalate a ticket")).to_be_visible()
    expect(page.locator(".opblock").filter(has_text="Open a ticket").first).to_be_visible()
    # With a token an operation is tried from the page.
    page.get_by_role("button", name="Authorize").first.click()
    page.locator("#auth-bearer-value").fill(token)
    bearer = page.locator(".auth-container", has=page.locator("#auth-bearer-value"))
    bearer.get_by_role("button", name="Apply credentials").click()
    expect(page.locator(".auth-container h6", has_text="Authorized")).to_be_visible()
    page.locator(".close-modal").click()
    tiers = page.locator(".opblock").filter(has_text="List tiers")
    tiers.locator(".opblock-summary-control").click()
    tiers.get_by_role("button", name="Try it out").click()
    tiers.get_by_role("button", name="Execute").click()
    expect(tiers.locator(".live-responses-table")).to_contain_text("Tier 1")
    # A problem's type leads to what it means.
    page.goto("/api/docs/#key-reused")
    expect(page.locator("#key-reused")).to_be_visible()
