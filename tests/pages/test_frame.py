"""The frame of every page: what it lets in, what it leads to, how it tells times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from desk import timewords
from notifications.identity import status_token
from staff.models import User
from tests.pages.desk import Desk, Markup, html, words

BACKEND = "django.contrib.auth.backends.ModelBackend"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

SIGNED_IN = (
    "/desk/",
    "/desk/?view=all_open&priority=1",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/logout/",
    "/nothing-here/",
)
ANYBODY = ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nothing-here/")


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


@pytest.fixture
def anna(client: Client, desk: Desk) -> Client:
    client.force_login(desk.anna, BACKEND)
    return client


def pages(desk: Desk) -> list[tuple[str, HttpResponse]]:
    """Every page of the frame, as Anna and as a visitor."""
    desk.anna.set_password("correct horse battery")
    desk.anna.save()
    status = f"/s/{status_token(desk.ticket(tags=['a']).pk)}/"
    anna, visitor = Client(), Client()
    anna.force_login(desk.anna, BACKEND)
    found: list[tuple[str, Any]] = [(address, anna.get(address)) for address in SIGNED_IN]
    found += [(address, visitor.get(address)) for address in (*ANYBODY, status, "/s/wrong/")]
    assert {page.status_code for _address, page in found} == {200, 404}
    return found


def test_every_page_forbids_what_is_not_its_own(desk: Desk) -> None:
    for address, page in pages(desk):
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy, address
        assert "unsafe-eval" not in policy, address
        assert "default-src 'self'" in policy, address
        assert "object-src 'none'" in policy, address
        assert "frame-ancestors 'none'" in policy, address
        assert page.headers["X-Frame-Options"] == "DENY", address
        assert page.headers["X-Content-Type-Options"] == "nosniff", address


def test_no_page_needs_what_the_policy_forbids(desk: Desk) -> None:
    for address, page in pages(desk):
        markup = Markup(html(page))
        assert markup.inline_scripts == [], address
        for tag, carried in markup.elements:
            assert tag != "style", address
            for name in carried:
                assert name != "style", f"{address}: <{tag}>"
                assert not name.startswith("on"), f"{address}: <{tag} {name}>"
                assert not name.startswith("hx-on"), f"{address}: <{tag} {name}>"


def test_no_page_asks_another_machine_for_anything(desk: Desk) -> None:
    for address, page in pages(desk):
        for tag, carried in Markup(html(page)).elements:
            for name in ("src", "href", "action", "data", "poster", "srcset", "hx-get", "hx-post"):
                value = carried.get(name, "")
                assert not re.match(r"\s*(?:https?:)?//", value), (
                    f"{address}: <{tag} {name}={value}>"
                )


def test_every_page_has_one_heading_a_title_a_language_and_a_main_part(desk: Desk) -> None:
    for address, page in pages(desk):
        markup = Markup(html(page))
        tags = [tag for tag, _carried in markup.elements]
        assert tags.count("h1") == 1, address
        assert tags.count("main") == 1, address
        assert dict(markup.elements)["html"]["lang"] == "en", address
        title = re.search(r"<title>(.*?)</title>", html(page), re.DOTALL)
        assert title is not None, address
        assert title[1].strip().endswith("· Helpdesk"), address
        assert not title[1].strip().startswith("·"), address


def test_every_id_of_a_page_is_its_own_and_every_label_has_a_field(desk: Desk) -> None:
    for address, page in pages(desk):
        elements = Markup(html(page)).elements
        ids = [carried["id"] for _tag, carried in elements if "id" in carried]
        assert len(ids) == len(set(ids)), address
        for tag, carried in elements:
            if tag == "label" and "for" in carried:
                assert carried["for"] in ids, f"{address}: {carried['for']}"
            for name in ("popovertarget", "aria-labelledby"):
                if name in carried:
                    assert carried[name] in ids, f"{address}: {carried[name]}"


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "409", "429", "500"])
def test_an_error_page_needs_neither_a_request_nor_a_database(code: str) -> None:
    page = render_to_string(f"{code}.html")

    assert code[:3] in page
    assert "<h1>" in page


def test_a_form_without_its_token_is_refused_in_plain_words(desk: Desk) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(desk.anna, BACKEND)

    page = strict.post("/desk/single-keys", {"single_keys": "off"})

    assert page.status_code == 403
    assert "This form is out of date" in words(page)


def test_the_rail_shows_a_person_the_places_of_their_role(desk: Desk) -> None:
    places = {
        desk.anna: ["/desk/", "/search/", "/offers/", "/mail/", "/training/"],
        desk.marco: ["/desk/", "/search/", "/offers/", "/escalations/", "/mail/", "/training/"],
        desk.sam: [
            "/desk/",
            "/search/",
            "/offers/",
            "/escalations/",
            "/mail/",
            "/training/",
            "/admin/",
        ],
    }
    for user, expected in places.items():
        client = Client()
        client.force_login(user, BACKEND)
        elements = Markup(html(client.get("/desk/"))).elements
        shown = [
            carried["href"]
            for tag, carried in elements
            if tag == "a" and carried.get("class") == "rail-item"
        ]
        assert shown == expected, user
        here = [
            carried["href"] for tag, carried in elements if carried.get("aria-current") == "page"
        ]
        assert here == ["/desk/"], user


def test_the_rail_counts_the_offers_that_wait_for_this_person(desk: Desk) -> None:
    desk.escalated(desk.ticket())
    desk.escalated(desk.ticket(), accepted=True)

    for user, waiting in ((desk.priya, 1), (desk.anna, 0)):
        client = Client()
        client.force_login(user, BACKEND)
        hidden = "" if waiting else "hidden"
        page = re.sub(r"\s+", " ", html(client.get("/desk/")))
        assert f'data-count="offers" {hidden}>{waiting}<' in page
        assert client.get("/desk/versions").json()["counts"] == {"offers": waiting}


def test_single_keys_can_be_turned_off_and_on(anna: Client, desk: Desk) -> None:
    assert "data-single-keys" in html(anna.get("/desk/"))

    answer = anna.post("/desk/single-keys", {"single_keys": "off", "next": "/desk/?view=mine"})

    assert answer.headers["Location"] == "/desk/?view=mine"
    assert "data-single-keys" not in html(anna.get("/desk/"))
    anna.post("/desk/single-keys", {"single_keys": "on"})
    assert User.objects.get(pk=desk.anna.pk).single_keys


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "javascript:1", ""])
def test_turning_keys_off_leads_to_no_other_site(anna: Client, onward: str) -> None:
    answer = anna.post("/desk/single-keys", {"single_keys": "off", "next": onward})

    assert answer.headers["Location"] == "/desk/"


def test_a_signed_in_person_reads_their_own_language_and_zone(anna: Client, desk: Desk) -> None:
    User.objects.filter(pk=desk.anna.pk).update(language="de", zone="Asia/Tokyo")
    desk.ticket(due=timedelta(minutes=30))

    page = anna.get("/desk/", headers={"Accept-Language": "en"})

    assert '<html lang="de">' in html(page)
    assert "(Asia/Tokyo)" in html(page)


def test_a_zone_that_no_longer_exists_breaks_nothing(anna: Client, desk: Desk) -> None:
    User.objects.filter(pk=desk.anna.pk).update(zone="Mars/Olympus")

    assert anna.get("/desk/").status_code == 200


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(minutes=65), "1 h 05"),
        (timedelta(hours=23, minutes=59), "23 h 59"),
        (timedelta(hours=52), "2 d 4 h"),
        (timedelta(days=9, hours=3), "9 d"),
    ],
)
def test_a_length_of_time_is_said_in_at_most_two_units(length: timedelta, said: str) -> None:
    assert timewords.span(length) == said


def test_a_due_time_says_what_is_left_or_how_late_it_is() -> None:
    assert timewords.left(NOW + timedelta(minutes=31), NOW) == "31 min"
    assert timewords.left(NOW - timedelta(minutes=40), NOW) == "40 min late"
    assert timewords.relative(NOW - timedelta(hours=3, minutes=20), NOW) == "3 h ago"
    assert timewords.relative(NOW - timedelta(days=30), NOW) == "25 Oct"
    assert timewords.relative(NOW - timedelta(days=400), NOW) == "20 Oct 2025"


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlin", "Tue 24 Nov, 10:00 (Berlin, UTC+1)"),
        ("America/Sao_Paulo", "Tue 24 Nov, 06:00 (Sao Paulo, UTC-3)"),
        ("Asia/Kolkata", "Tue 24 Nov, 14:30 (Kolkata, UTC+5:30)"),
        ("UTC", "Tue 24 Nov, 09:00 (UTC)"),
    ],
)
def test_a_time_told_to_somebody_elsewhere_names_its_place(zone: str, said: str) -> None:
    with timezone.override(ZoneInfo(zone)), translation.override("en"):
        assert timewords.told(NOW) == said
