"""``/settings/``: what people set for themselves, and the tokens with which programs act for them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from staff import apitokens
from staff.models import ApiToken, Scope, User
from tests.pages.acting import EVIL, ago, all_rows, as_, form
from tests.pages.desk import Desk, Markup, html, words

pytestmark = pytest.mark.django_db

YOU = "/settings/"
TOKENS = "/settings/tokens/"
RAW = re.compile(r"hd_[A-Za-z0-9_-]{43}")
#: Session, reader, the count in the rail, and the tokens.
QUERIES = 4


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


@pytest.fixture
def anna(desk: Desk) -> Client:
    return as_(desk.anna)


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Nightly export",
        "scopes": ["tickets:read", "customers:read"],
        "lasts": "30",
        "until": "",
        **changes,
    }


def make(client: Client, **changes: Any) -> str:
    """Make a token on the page and copy its text."""
    answer = client.post(TOKENS, asked(**changes))
    assert answer.status_code == 201, words(answer)
    return raw_in(answer)


def raw_in(answer: Any) -> str:
    found = set(RAW.findall(html(answer)))
    assert len(found) == 1
    return str(found.pop())


def known(raw: str, now: datetime | None = None) -> ApiToken | None:
    return apitokens.find(raw, now or timezone.now())


def preferences(**changes: str) -> dict[str, str]:
    """What Anna's form sends when she leaves it as it is."""
    return {
        "language": "en",
        "zone": "Europe/Berlin",
        "signature": "",
        "mail_notifications": "on",
        "single_keys": "on",
        **changes,
    }


def day(ahead: int) -> str:
    """A day so far ahead, as Anna's form says it."""
    here = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).date()
    return (here + timedelta(days=ahead)).isoformat()


# You


def test_somebody_changes_language_zone_and_signature_and_reads_the_next_page_so(
    anna: Client, desk: Desk
) -> None:
    sent = preferences(language="de", zone="Asia/Tokyo", signature="Best\nAnna")
    answer = anna.post(YOU, sent, follow=True)

    desk.anna.refresh_from_db()
    assert (desk.anna.language, desk.anna.zone) == ("de", "Asia/Tokyo")
    assert desk.anna.signature.splitlines() == ["Best", "Anna"]
    assert '<html lang="de"' in html(answer)


def test_what_is_left_unchecked_is_turned_off(anna: Client, desk: Desk) -> None:
    sent = preferences()
    del sent["mail_notifications"], sent["single_keys"]
    anna.post(YOU, sent)

    desk.anna.refresh_from_db()
    assert not desk.anna.mail_notifications
    assert not desk.anna.single_keys
    assert "data-single-keys" not in html(anna.get(YOU))


def test_nobody_gives_themselves_another_name_address_or_role(anna: Client, desk: Desk) -> None:
    anna.post(YOU, preferences(name="The boss", email="boss@x.example", role="admin", is_active=""))

    assert User.objects.filter(
        pk=desk.anna.pk, name="Anna Keller", email=desk.anna.email, role="agent", is_active=True
    ).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "xx"),
        ("zone", "Mars/Olympus"),
        ("zone", "a\x00b"),
        ("signature", "x" * 2001),
        ("signature", "a\x00b"),
    ],
)
def test_a_wrong_preference_is_refused_at_its_field_and_nothing_is_kept(
    anna: Client, field: str, value: str
) -> None:
    before = all_rows()
    answer = anna.post(YOU, preferences(**{field: value}))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in html(answer)
    assert all_rows() == before


def test_the_menu_leads_to_the_settings_and_they_to_password_and_second_factor(
    anna: Client,
) -> None:
    links = {each.get("href") for _tag, each in Markup(html(anna.get("/desk/"))).elements}
    assert YOU in links
    links = {each.get("href") for _tag, each in Markup(html(anna.get(YOU))).elements}
    assert {TOKENS, "/accounts/password/change/", "/accounts/2fa/"} <= links


def test_the_tab_of_a_page_is_where_one_is(anna: Client) -> None:
    for page in (YOU, TOKENS):
        here = [
            each["href"]
            for _tag, each in Markup(html(anna.get(page))).elements
            if "settings-tab" in each.get("class", "") and "aria-current" in each
        ]
        assert here == [page]


# Making a token


def test_a_token_is_shown_once_and_is_nowhere_afterwards(anna: Client, desk: Desk) -> None:
    raw = make(anna)

    token = known(raw)
    assert token is not None
    assert token.user == desk.anna
    assert token.scopes == ["tickets:read", "customers:read"]
    page = anna.get(TOKENS)
    assert token.prefix in html(page)
    assert "Nightly export" in words(page)
    assert raw not in html(page)
    with connection.cursor() as cursor:
        for table in ("staff_apitoken", "django_session", "django_cache"):
            if table in connection.introspection.table_names():
                cursor.execute(f"SELECT t::text FROM {table} t")  # noqa: S608
                assert raw not in str(cursor.fetchall()), table


def test_no_browser_may_keep_a_page_of_tokens(anna: Client) -> None:
    for answer in (anna.post(TOKENS, asked()), anna.get(TOKENS)):
        assert "no-store" in answer.headers["Cache-Control"]


def test_a_form_sent_twice_makes_one_token_and_says_where_the_first_one_is(anna: Client) -> None:
    hidden = form(html(anna.get(TOKENS)), TOKENS)
    make(anna, **hidden)
    again = anna.post(TOKENS, asked(**hidden), follow=True)

    assert ApiToken.objects.count() == 1
    assert RAW.search(html(again)) is None
    assert "shown once" in words(again)


@pytest.mark.parametrize(("lasts", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_token_expires_when_it_was_said_to(anna: Client, lasts: str, days: int) -> None:
    raw = make(anna, lasts=lasts)
    end = timezone.now() + timedelta(days=days)

    assert known(raw, end - timedelta(minutes=1)) is not None
    assert known(raw, end) is None


def test_a_token_with_a_last_day_works_until_the_readers_midnight(anna: Client) -> None:
    raw = make(anna, lasts="date", until=day(7))
    midnight = datetime.fromisoformat(day(8)).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert known(raw, midnight - timedelta(seconds=1)) is not None
    assert known(raw, midnight) is None


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 81}),
        ("name", {"name": "a\x00b"}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["tickets:read", "everything"]}),
        ("scopes", {"scopes": ["a\x00b"]}),
        ("lasts", {"lasts": "10000"}),
        ("lasts", {"lasts": ""}),
        ("until", {"lasts": "date", "until": ""}),
        ("until", {"lasts": "date", "until": "soon"}),
        ("until", {"lasts": "date", "until": "2020-01-01"}),
        ("until", {"lasts": "date", "until": "9999-12-31"}),
        ("until", {"lasts": "date", "until": "0001-01-01"}),
    ],
)
def test_what_no_token_can_have_is_refused_at_its_field(
    anna: Client, field: str, changes: dict[str, Any]
) -> None:
    before = all_rows()
    answer = anna.post(TOKENS, asked(**changes))

    assert answer.status_code == 422
    errors = re.findall(r'id="id_(\w+)_error"', html(answer))
    assert errors == [field]
    assert RAW.search(html(answer)) is None
    assert all_rows() == before


def test_a_year_is_the_longest(anna: Client) -> None:
    make(anna, lasts="date", until=day(365))
    answer = anna.post(TOKENS, asked(lasts="date", until=day(367)))

    assert answer.status_code == 422
    assert "within a year" in words(answer)


def test_the_fifty_first_live_token_is_refused_until_one_is_revoked(
    anna: Client, desk: Desk
) -> None:
    for number in range(apitokens.MOST):
        apitokens.make(
            user=desk.anna,
            name=f"Program {number}",
            scopes=["staff:read"],
            expires_at=timezone.now() + timedelta(days=1),
            now=timezone.now(),
        )
    refused = anna.post(TOKENS, asked())
    assert refused.status_code == 422
    assert "50 live tokens" in words(refused)
    assert 'value="Nightly export"' in html(refused)

    anna.post(f"{TOKENS}{ApiToken.objects.earliest('pk').pk}/revoke/")
    make(anna)


# The list


def old_token(user: User, name: str, **changes: Any) -> ApiToken:
    """A token that was made two days ago, for a day longer than it has had."""
    token, _raw = apitokens.make(
        user=user,
        name=name,
        scopes=[Scope.TICKETS_READ],
        expires_at=ago(days=-1),
        now=ago(days=2),
    )
    ApiToken.objects.filter(pk=token.pk).update(**changes)
    return token


def test_the_list_says_of_each_token_how_it_stands_and_when_it_was_used(
    anna: Client, desk: Desk
) -> None:
    old_token(desk.anna, "Live one", last_used_at=ago(hours=3))
    old_token(desk.anna, "Late one", expires_at=ago(minutes=1))
    old_token(desk.anna, "Gone one", revoked_at=ago(hours=1), revoked_by=desk.sam)

    said = words(anna.get(TOKENS))
    assert re.search(r"Gone one revoked .*Revoked 1 h ago by Sam Okafor", said)
    assert re.search(r"Late one expired Revoke: Late one .*Last used never", said)
    assert re.search(r"Live one live Revoke: Live one .*Last used 3 h ago", said)


def test_nobody_sees_anybody_elses_tokens(desk: Desk) -> None:
    token = old_token(desk.anna, "Annas export")

    for other in (desk.ben, desk.marco, desk.sam):
        assert "Annas export" not in html(as_(other).get(TOKENS))
        address = f"{TOKENS}{token.pk}/revoke/"
        assert as_(other).get(address).status_code == 404
        assert as_(other).post(address).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_tokens_are_paged_and_take_the_same_few_queries_however_many_there_are(
    anna: Client, desk: Desk
) -> None:
    anna.get(TOKENS)
    for number in range(45):
        old_token(desk.anna, f"Program {number:02}", revoked_at=ago(days=1), revoked_by=desk.sam)
    seen: list[str] = []
    address = TOKENS
    while address:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = html(anna.get(address))
        assert len(queries) == QUERIES
        seen += re.findall(r"Program (\d\d)</h2>", page)
        further = re.search(r'href="(\?before=\d+)"', page)
        address = f"{TOKENS}{further[1]}" if further else ""
    assert seen == [f"{number:02}" for number in reversed(range(45))]


def test_the_page_of_oneself_takes_as_few_queries(anna: Client) -> None:
    anna.get(YOU)
    with CaptureQueriesContext(connection) as queries:
        anna.get(YOU)
    assert len(queries) == QUERIES - 1


def test_a_name_is_text_wherever_it_is_shown(anna: Client) -> None:
    made = anna.post(TOKENS, asked(name=EVIL[:80]))
    token = ApiToken.objects.get()

    for page in (made, anna.get(TOKENS), anna.get(f"{TOKENS}{token.pk}/revoke/")):
        assert "<img src=x" not in html(page)
        # What it would say, were it a template's.
        assert "49\"'" not in words(page)


# Revoking


def test_a_revoked_token_fails_at_once_and_for_good(anna: Client) -> None:
    raw = make(anna)
    token = known(raw)
    assert token is not None
    asked_first = anna.get(f"{TOKENS}{token.pk}/revoke/")
    assert "cannot be undone" in words(asked_first)
    assert known(raw) is not None

    told = anna.post(f"{TOKENS}{token.pk}/revoke/", follow=True)
    assert "is revoked" in words(told)
    assert known(raw) is None
    revoked = ApiToken.objects.get().revoked_at

    again = anna.post(f"{TOKENS}{token.pk}/revoke/", follow=True)
    assert "revoked already" in words(again)
    assert "revoked already" in words(anna.get(f"{TOKENS}{token.pk}/revoke/", follow=True))
    assert ApiToken.objects.get().revoked_at == revoked


def test_the_tokens_of_somebody_disabled_fail_at_once(anna: Client, desk: Desk) -> None:
    raw = make(anna)
    User.objects.filter(pk=desk.anna.pk).update(is_active=False)

    assert known(raw) is None
    assert anna.get(TOKENS).status_code == 302


# What an admin sees


def test_an_admin_sees_everybodys_tokens_and_revokes_them_but_reads_none(
    anna: Client, desk: Desk
) -> None:
    raw = make(anna)
    token = ApiToken.objects.get()
    sam = as_(desk.sam)
    listed = sam.get("/admin/staff/apitoken/")
    row = sam.get(f"/admin/staff/apitoken/{token.pk}/change/")
    for page in (listed, row):
        assert "Nightly export" in html(page)
        assert raw not in html(page)
        assert token.digest not in html(page)
    assert sam.get("/admin/staff/apitoken/add/").status_code == 403
    assert sam.post(f"/admin/staff/apitoken/{token.pk}/change/", {"name": "x"}).status_code == 403
    assert sam.post(f"/admin/staff/apitoken/{token.pk}/delete/", {"post": "yes"}).status_code == 403

    told = sam.post(
        "/admin/staff/apitoken/",
        {"action": "revoke", "_selected_action": [token.pk]},
        follow=True,
    )
    assert "1 token is revoked" in words(told)
    assert known(raw) is None
    token.refresh_from_db()
    assert token.revoked_by == desk.sam
    assert "by Sam Okafor" in words(anna.get(TOKENS))
