"""API tokens: what is kept of them, and when they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from staff import apitokens
from staff.apitokens import Scope
from staff.models import ApiToken, User
from tests.house import START, after

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann@example.test", name="Ann Agent")


def made(user: User, **changes: object) -> tuple[ApiToken, str]:
    asked: dict[str, object] = {
        "user": user,
        "name": "Nightly export",
        "scopes": [Scope.TICKETS_READ],
        "expires_at": START + MONTH,
        "now": START,
    }
    return apitokens.make(**{**asked, **changes})  # type: ignore[arg-type]


def test_a_token_is_found_by_its_text_and_only_its_hash_is_kept(ann: User) -> None:
    token, raw = made(ann, scopes=["tickets:write", "tickets:read"])

    assert raw.startswith("hd_")
    assert len(raw) == 46
    assert raw.startswith(token.prefix)
    assert len(token.prefix) == 9
    found = apitokens.find(raw, after(minutes=1))
    assert found == token
    assert found.user == ann
    assert found.scopes == ["tickets:read", "tickets:write"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT staff_apitoken::text FROM staff_apitoken")
        (row,) = cursor.fetchone()
    assert raw[9:] not in row
