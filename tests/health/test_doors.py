"""Who may ask how the helpdesk is, by which words, and what they are told."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from helpdesk.health.middleware import HealthMiddleware
from helpdesk.health.readiness import NAMES
from tests.house import House
from tests.pages.acting import as_

TOKEN = "a-token-for-the-one-who-watches"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def watched(settings: Settings) -> None:
    """In production, with a token set."""
    settings.PRODUCTION = True
    settings.HELPDESK_METRICS_TOKEN = TOKEN


def test_that_the_process_answers_is_said_without_a_database_or_a_name_that_we_know(
    client: Client,
) -> None:
    """No ``django_db`` here: whatever asked the database would fail."""
    for path in ("/healthz", "/healthz?whatever=1"):
        answer = client.get(path, headers={"Host": "10.1.2.3:8000"})
        assert (answer.status_code, answer.content) == (200, b"ok\n")
        assert not answer.cookies
        assert answer.headers["Cache-Control"] == "no-store"
    head = client.head("/healthz")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "3")
    for method in ("post", "put", "delete", "options", "patch"):
        assert getattr(client, method)("/healthz").status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("watched")
def test_a_stranger_learns_what_is_wrong_and_the_operator_how_much(client: Client) -> None:
    stranger = client.get("/readyz", headers={"Host": "10.1.2.3:8000"})
    operator = client.get("/readyz", headers=bearer(TOKEN))

    assert stranger.status_code == operator.status_code == 200, operator.json()
    assert not stranger.cookies
    said = stranger.json()
    assert list(said["checks"]) == list(NAMES)
    assert all(list(check) == ["state"] for check in said["checks"].values())
    for name, check in operator.json()["checks"].items():
        assert list(check) == ["state", "number", "unit", "sentence"], name
        assert check["sentence"].endswith(".")
        assert isinstance(check["number"], int | float)


@pytest.mark.django_db
@pytest.mark.usefixtures("watched")
def test_metrics_are_for_who_bears_the_token_and_for_no_session(
    client: Client, house: House, settings: Settings
) -> None:
    house.anna.role = "admin"
    house.anna.save()
    for asking in (client, as_(house.anna)):
        for headers in ({}, bearer("wrong"), bearer(""), {"Authorization": f"Basic {TOKEN}"}):
            answer = asking.get("/metrics", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="metrics"'
            assert b"helpdesk" not in answer.content
    assert client.get("/metrics", headers=bearer(TOKEN)).status_code == 200

    settings.HELPDESK_METRICS_TOKEN = ""
    for headers in ({}, bearer(""), bearer(TOKEN)):
        for asking in (client, as_(house.anna)):
            assert asking.get("/metrics", headers=headers).status_code == 404
    assert "number" not in str(client.get("/readyz", headers=bearer("")).json())
    settings.PRODUCTION = False
    assert client.get("/metrics").status_code == 200, "on a machine of one's own"


def test_a_limit_that_is_misspelt_keeps_the_server_from_starting(
    settings: Settings,
) -> None:
    settings.HELPDESK_READY_LIMITS = {"review_failed": 60.0}
    with pytest.raises(ImproperlyConfigured, match=r"HELPDESK_READY_LIMITS.*review_failed"):
        HealthMiddleware(lambda request: pytest.fail(f"{request}"))
