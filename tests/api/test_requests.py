"""What every request of the API meets: who asks, how it is read, and how it is refused."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from staff import apitokens
from staff.apitokens import Scope
from staff.models import User
from tests.api.programs import Program
from tests.house import House
from tests.pages.acting import as_
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def test_without_a_token_nobody_is_let_in(house: House) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer hd_unknown"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YW5uYTpwYXNz"},
        {"Authorization": "Bearer hd_\xff\x00"},
    ):
        answer = Client().get("/api/v1/tickets/", headers=headers)

        assert answer.status_code == 401, headers
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_who_is_signed_in_at_the_desk_has_no_token_by_that(house: House) -> None:
    assert as_(house.anna).get("/api/v1/tickets/").status_code == 401


def test_a_token_that_is_over_opens_nothing(house: House) -> None:
    revoked, expired, dismissed = (Program(user) for user in (house.anna, house.ben, house.priya))
    apitokens.revoke(token_id=revoked.token.pk, now=timezone.now(), by=house.anna)
    long_ago = timezone.now() - timedelta(days=9)
    type(expired.token).objects.filter(pk=expired.token.pk).update(
        created_at=long_ago, expires_at=long_ago + timedelta(days=1)
    )
    User.objects.filter(pk=house.priya.pk).update(is_active=False)

    assert [each.get("/tickets/").status for each in (revoked, expired, dismissed)] == [401] * 3


def test_a_scope_that_is_missing_is_named(house: House) -> None:
    program = Program(house.anna, [Scope.CUSTOMERS_READ])

    answer = program.get("/tickets/")

    assert (answer.status, answer.slug, answer.body["scope"]) == (
        403,
        "missing-scope",
        "tickets:read",
    )
    assert program.get("/contacts/").status == 200


def test_addresses_that_lead_nowhere_answer_as_everything_here(anna: Program) -> None:
    for path in (
        "/",
        "/nothing/",
        "/tickets",
        "/tickets/1042/",
        "/tickets/hd-1/",
        "/%00/",
        "/ü/",
        "/a%0Ab/",
        "/tickets/%0A/promises/",
    ):
        answer = anna.get(path)
        assert (answer.status, answer.content_type) == (404, PROBLEM), path


def test_other_methods_are_told_which_there_are(anna: Program) -> None:
    for method in ("DELETE", "PUT", "OPTIONS", "TRACE", "PROPFIND"):
        answer = anna.ask(method, "/tickets/")
        assert (answer.status, answer.content_type) == (405, PROBLEM), method
        assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert anna.ask("HEAD", "/tickets/").status == 200


def test_the_answer_is_json_or_nothing(anna: Program) -> None:
    assert anna.get("/tickets/", headers={"Accept": "text/html"}).status == 406
    for accept in ("application/json", "*/*", "text/html, application/*;q=0.5", PROBLEM):
        assert anna.get("/tickets/", headers={"Accept": accept}).status == 200, accept


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '"text"',
        "null",
        "NaN",
        '{"subject": NaN}',
        '{"subject": Infinity}',
        '{"a": 1, "a": 2}',
        '{"subject": "\\u0000"}',
        '{"subject": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        b'{"subject": "\xff\xfe"}',
        b"\x00\x01",
    ],
    ids=range(15),
)
def test_a_body_that_cannot_be_read_is_refused(anna: Program, body: str | bytes) -> None:
    answer = anna.post("/tickets/", body)

    assert (answer.status, answer.content_type, answer.slug) == (400, PROBLEM, "malformed")


def test_a_body_of_another_kind_is_refused(anna: Program) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = anna.post("/tickets/", "a=1", content_type=kind)
        assert (answer.status, answer.content_type) == (415, PROBLEM), kind


def test_a_body_that_is_too_large_is_not_read(anna: Program) -> None:
    answer = anna.post("/contacts/", json.dumps({"email": "a" * 1_000_001}))

    assert (answer.status, answer.slug) == (413, "too-large")


def test_fields_that_do_not_exist_are_named_beside_those_that_are_wrong(anna: Program) -> None:
    answer = anna.post(
        "/tickets/",
        {
            "requester": {"email": "dana@norvik.example", "admin": True},
            "subject": 7,
            "text": "",
            "priority": 1,
            "attachments": [{"name": "a.txt", "data": "YQ=="}, {"name": "b.txt", "data": "#"}],
        },
    )

    assert answer.status == 400
    assert answer.faults == {
        "requester.admin": "unknown",
        "subject": "invalid",
        "text": "blank",
        "priority": "unknown",
        "attachments.1.data": "base64",
    }
    assert not Ticket.objects.exists()


def test_keys_of_an_address_that_do_not_exist_are_named_with_those_that_do(anna: Program) -> None:
    answer = anna.get("/tickets/?state=open&team=emea")

    assert (answer.status, answer.faults) == (400, {"state": "unknown"})
    assert "status" in answer.body["detail"]
    assert anna.get("/tickets/?team=emea&team=platform").faults == {"team": "repeated"}


def test_refusals_are_in_the_language_that_is_asked_for(anna: Program) -> None:
    said = [
        anna.get("/nothing/", headers={"Accept-Language": language}).body["title"]
        for language in ("en", "de")
    ]

    assert said[0] == "There is nothing here."
    assert said[0] != said[1]


def test_a_wrong_host_is_told_so_without_a_page(anna: Program) -> None:
    answer = anna.get("/tickets/", headers={"Host": "evil.example"})

    assert (answer.status, answer.content_type) == (400, PROBLEM)


def test_no_form_token_is_asked_for(house: House) -> None:
    program = Program(house.anna)
    program.client = Client(enforce_csrf_checks=True)

    answer = program.post("/contacts/", {"email": "new@norvik.example"})

    assert answer.status == 201, answer
