"""Coming in and going out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from staff.models import User
from tests.pages.desk import Desk, html, words

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    for user in (made.anna, made.marco, made.priya, made.sam):
        user.set_password(PASSWORD)
        user.save()
    return made


def sign_in(client: Client, user: User, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password, **more})


def test_everyone_lands_where_their_work_is(desk: Desk) -> None:
    places = {
        desk.anna: "/desk/",
        desk.marco: "/escalations/",
        desk.priya: "/offers/",
        desk.sam: "/desk/",
    }
    for user, place in places.items():
        client = Client()
        assert sign_in(client, user).headers["Location"] == "/"
        assert client.get("/").headers["Location"] == place


def test_one_goes_on_to_the_page_one_wanted(client: Client, desk: Desk) -> None:
    wanted = client.get("/desk/?view=mine").headers["Location"]

    page = client.get(wanted)
    assert 'value="/desk/?view=mine"' in html(page)
    answer = sign_in(client, desk.anna, next="/desk/?view=mine")

    assert answer.headers["Location"] == "/desk/?view=mine"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"],
)
def test_signing_in_leads_to_no_other_site(client: Client, desk: Desk, elsewhere: str) -> None:
    assert "evil" not in sign_in(client, desk.anna, next=elsewhere).headers["Location"]


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: Client, desk: Desk
) -> None:
    wrong = sign_in(client, desk.anna, "wrong horse battery")
    unknown = client.post(
        "/accounts/login/", {"login": "nobody@brightquay.example", "password": PASSWORD}
    )

    assert wrong.status_code == unknown.status_code == 200
    said = [words(page).replace(address, "") for page, address in ((wrong, ""), (unknown, ""))]
    assert said[0] == said[1]
    assert 'role="alert"' in html(wrong)


def test_nobody_signs_themselves_up(client: Client, desk: Desk) -> None:
    page = client.get("/accounts/signup/")

    assert "Accounts are made by an admin" in words(page)
    assert "<form" not in html(page)
    client.post(
        "/accounts/signup/",
        {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not User.objects.filter(email="eve@evil.example").exists()


def test_too_many_tries_are_told_to_wait(client: Client, desk: Desk) -> None:
    answers = [sign_in(client, desk.anna, f"guess {n}") for n in range(12)]

    assert answers[-1].status_code in (200, 429)
    assert "many" in words(answers[-1]).lower()
    assert client.get("/desk/").status_code == 302


def test_one_signs_out_by_a_press_and_not_by_a_link(client: Client, desk: Desk) -> None:
    client.force_login(desk.anna, BACKEND)

    client.get("/accounts/logout/")
    assert client.get("/desk/").status_code == 200
    client.post("/accounts/logout/")

    assert client.get("/desk/").status_code == 302


def test_whoever_was_disabled_is_out_at_their_next_request(client: Client, desk: Desk) -> None:
    client.force_login(desk.anna, BACKEND)
    User.objects.filter(pk=desk.anna.pk).update(is_active=False)

    assert client.get("/desk/").status_code == 302
    assert client.get("/desk/versions").status_code == 401


def test_the_pages_of_ones_account_stand_in_the_frame(client: Client, desk: Desk) -> None:
    client.force_login(desk.anna, BACKEND)

    for address in ("/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/"):
        page = client.get(address)
        assert page.status_code == 200, address
        assert 'class="rail"' in html(page), address


def test_a_forgotten_password_is_asked_for_on_a_page_of_ours(client: Client, desk: Desk) -> None:
    page = client.get("/accounts/password/reset/")

    assert 'class="public-card"' in html(page)
    assert "form-control" in html(page)
