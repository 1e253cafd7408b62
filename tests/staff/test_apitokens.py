"""API tokens: what is kept of them, and when they stop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from staff import apitokens
from staff.apitokens import Scope, TokenRefused
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


def test_whatever_else_is_sent_finds_nothing(ann: User) -> None:
    token, raw = made(ann)

    for wrong in ("", "hd_", raw[:-1], raw + "x", raw.upper(), token.digest, "a\x00b", "\ud800"):
        assert apitokens.find(wrong, START) is None, wrong


def test_finding_a_token_takes_one_query_whatever_was_sent(ann: User) -> None:
    _token, raw = made(ann)
    _other, expired = made(ann, expires_at=after(seconds=1))
    apitokens.find(raw, after(seconds=1))

    for sent in (raw, expired, "nothing", ""):
        with CaptureQueriesContext(connection) as queries:
            found = apitokens.find(sent, after(seconds=2))
            assert (found is not None and found.user.name) == (sent == raw and "Ann Agent")
        assert len(queries) == 1, sent


def test_a_use_is_written_down_at_most_once_a_minute(ann: User) -> None:
    token, raw = made(ann)
    used = []
    for seconds in (0, 30, 59, 60, 90, 120):
        apitokens.find(raw, after(seconds=seconds))
        token.refresh_from_db()
        used.append(token.last_used_at)

    assert used == [after(seconds=second) for second in (0, 0, 0, 60, 60, 120)]


def test_a_token_ends_at_its_moment_and_with_its_person(ann: User) -> None:
    _token, raw = made(ann, expires_at=after(days=1))

    assert apitokens.find(raw, after(days=1) - timedelta(microseconds=1)) is not None
    assert apitokens.find(raw, after(days=1)) is None
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert apitokens.find(raw, START) is None
    with pytest.raises(TokenRefused):
        made(ann)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": " \n "}),
        ("name", {"name": "x" * 81}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["tickets:read", "tickets:delete"]}),
        ("expires_at", {"expires_at": START}),
        ("expires_at", {"expires_at": START + timedelta(days=366, seconds=1)}),
    ],
)
def test_what_no_token_can_have_is_refused_by_its_name(
    ann: User, field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(TokenRefused) as refused:
        made(ann, **changes)
    assert refused.value.field == field
    assert not ApiToken.objects.exists()


def test_only_live_tokens_count_towards_the_fifty(ann: User) -> None:
    bob = User.objects.create_user("bob@example.test", name="Bob")
    made(bob)
    for _number in range(apitokens.MOST - 1):
        made(ann)
    made(ann, expires_at=after(hours=1))
    with pytest.raises(TokenRefused):
        made(ann, now=after(minutes=59))
    made(ann, now=after(hours=1))
    with pytest.raises(TokenRefused):
        made(ann, now=after(hours=1))
    apitokens.revoke(token_id=ApiToken.objects.filter(user=ann).latest("pk").pk, now=START, by=ann)
    made(ann, now=after(hours=1))


def test_a_token_is_revoked_once_by_its_person_or_an_admin(ann: User) -> None:
    bob = User.objects.create_user("bob@example.test", name="Bob", role="manager")
    sam = User.objects.create_user("sam@example.test", name="Sam", role="admin")
    token, raw = made(ann)

    with pytest.raises(ApiToken.DoesNotExist):
        apitokens.revoke(token_id=token.pk, now=START, by=bob)
    assert apitokens.find(raw, START) == token
    assert apitokens.revoke(token_id=token.pk, now=START, by=sam)
    assert not apitokens.revoke(token_id=token.pk, now=after(hours=1), by=ann)
    token.refresh_from_db()
    assert (token.revoked_at, token.revoked_by) == (START, sam)
    assert apitokens.find(raw, START) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_make_the_fiftieth_at_once_one_does(ann: User) -> None:
    for _number in range(apitokens.MOST - 1):
        made(ann)

    def make(_number: int) -> bool:
        try:
            made(ann)
        except TokenRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 1
    assert ann.api_tokens.live(START).count() == apitokens.MOST
