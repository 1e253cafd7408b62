"""A token's text on the screen: copied with a button, and gone with its page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from staff.models import ApiToken
from tests.browser.conftest import PASSWORD, Watched, may_sign_in
from tests.house import House
from tests.processes import Installation

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_token_is_copied_and_no_way_back_shows_it_again(
    installation: Installation, watched: Watched
) -> None:
    person = House().anna
    may_sign_in(person)
    installation.start("web")
    anna = watched.sign_in(person.email, PASSWORD)
    anna.context.grant_permissions(["clipboard-read", "clipboard-write"])
    anna.goto("/settings/tokens/")
    anna.get_by_label("Name").fill("Nightly export")
    anna.get_by_label("Read tickets").check()
    anna.get_by_role("button", name="Make the token").click()

    field = anna.get_by_label("Token", exact=True)
    raw = field.input_value()
    assert raw.startswith(ApiToken.objects.get().prefix)
    assert len(raw) == 46
    anna.get_by_role("button", name="Copy").click()
    expect(anna.get_by_role("button", name="Copied")).to_be_visible()
    assert anna.evaluate("navigator.clipboard.readText()") == raw

    anna.get_by_role("link", name="I have copied it").click()
    expect(anna.get_by_role("heading", name="Nightly export")).to_be_visible()
    anna.go_back()
    assert raw not in anna.content()
    assert field.count() == 0 or field.input_value() == ""
    assert ApiToken.objects.count() == 1
