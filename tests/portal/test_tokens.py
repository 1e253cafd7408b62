"""Keys to the portal: once, soon, for one purpose, and never where they could be read."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications import delivery, identity
from notifications.models import OutgoingEmail
from tests.house import House
from tests.pages.acting import all_rows, as_
from tests.pages.desk import html, words
from tests.portal.doors import deliver, fill_in, letters_to, link_in, signed_in
from tickets import portal
from tickets.models import Contact, PortalKey, PortalSession

pytestmark = pytest.mark.django_db
SIGN_IN = "/portal/sign-in/"


def ask(client: Client, address: str) -> None:
    assert client.post(SIGN_IN, {"email": address}).headers["Location"] == f"{SIGN_IN}sent/"
    deliver()


def key_for(contact: Contact, **ago: float) -> str:
    """The path of a key that was made so long ago."""
    return link_in(portal.link_for(contact=contact, now=timezone.now() - timedelta(**ago)))


def is_in(client: Client) -> bool:
    return client.get("/portal/").status_code == 200


def test_a_contact_gets_a_link_looks_at_it_and_comes_in_by_its_button(
    client: Client, house: House
) -> None:
    ask(client, "DANA@norvik.example")
    [letter] = letters_to(house.dana.email)
    path = link_in(letter.text, "/portal/in/")

    assert "Sign in" in words(client.get(path))
    assert not is_in(client), "looking is not signing in"

    assert client.post(path).headers["Location"] == "/portal/"
    assert is_in(client)


def test_the_answer_is_the_same_for_who_is_not_known(client: Client, house: House) -> None:
    known = client.post(SIGN_IN, {"email": house.dana.email})
    unknown = client.post(SIGN_IN, {"email": "nobody@elsewhere.example"})
    deliver()

    assert known.headers["Location"] == unknown.headers["Location"]
    assert known.content == unknown.content
    assert not letters_to("nobody@elsewhere.example")


def test_three_links_an_hour_and_the_answer_stays_the_same(client: Client, house: House) -> None:
    for _time in range(20):
        ask(client, house.dana.email)

    assert len(letters_to(house.dana.email)) == 3


def test_one_place_cannot_ask_for_everybody(client: Client, house: House) -> None:
    for number in range(30):
        ask(client, f"nobody{number}@elsewhere.example")
    ask(client, house.dana.email)

    assert not letters_to(house.dana.email)
    ask(Client(REMOTE_ADDR="203.0.113.7"), house.dana.email)
    assert letters_to(house.dana.email)


def test_a_key_opens_once(house: House) -> None:
    path = key_for(house.dana)
    first, second = Client(), Client()

    first.post(path)
    answer = second.post(path)

    assert answer.headers["Location"] == SIGN_IN
    assert (is_in(first), is_in(second)) == (True, False)
    assert second.get(path).headers["Location"] == SIGN_IN


@pytest.mark.parametrize(("minutes", "opens"), [(29.9, True), (30.1, False)])
def test_a_key_expires_after_half_an_hour(
    client: Client, house: House, minutes: float, opens: bool
) -> None:
    path = key_for(house.dana, minutes=minutes)

    assert (client.get(path).status_code == 200) is opens
    client.post(path)
    assert is_in(client) is opens


@pytest.mark.parametrize(
    "tampered",
    ["x", "a" * 52, "%00", "..", "' OR 1=1 --", "ä" * 52, "\ud800", "a" * 5000],
)
def test_a_key_that_is_none_of_ours_leads_to_where_one_signs_in(
    client: Client, house: House, tampered: str
) -> None:
    path = f"/portal/in/{quote(tampered.encode('utf-8', 'surrogatepass'), safe='%.')}/"
    if tampered == "..":
        path = "/portal/in/%2e%2e/"

    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 302
        assert answer.headers["Location"] == SIGN_IN
    assert not is_in(client)


def test_a_key_with_one_letter_changed_opens_nothing(client: Client, house: House) -> None:
    path = key_for(house.dana)
    changed = path[:-2] + ("a" if path[-2] != "a" else "b") + "/"

    assert client.post(changed).headers["Location"] == SIGN_IN
    assert client.post(path).headers["Location"] == "/portal/"


def test_a_key_of_one_purpose_does_not_do_for_another(client: Client, house: House) -> None:
    fill_in(client)
    deliver()
    [letter] = letters_to(house.dana.email)
    key = link_in(letter.text, "/new/confirm/").split("/")[-2]
    sign_in_key = key_for(house.dana).split("/")[-2]

    assert client.post(f"/portal/in/{key}/").headers["Location"] == SIGN_IN
    assert client.post(f"/new/confirm/{sign_in_key}/").headers["Location"] == SIGN_IN
    house.dana.refresh_from_db()
    assert house.dana.verified_at is None
    assert not is_in(client)


def test_a_status_link_is_no_key(client: Client, house: House) -> None:
    ticket = house.ticket()

    answer = client.post(f"/portal/in/{identity.status_token(ticket.pk)}/")

    assert answer.headers["Location"] == SIGN_IN


def test_a_key_of_verification_is_used_once_and_gets_old(client: Client, house: House) -> None:
    fill_in(client, email="mia@elsewhere.example")
    fill_in(client, email="mia@elsewhere.example", subject="Again")
    deliver()
    first, second = (
        link_in(each.text, "/new/confirm/") for each in letters_to("mia@elsewhere.example")
    )

    assert client.post(first).status_code == 200
    assert client.post(first).headers["Location"] == SIGN_IN
    PortalKey.objects.update(expires_at=timezone.now())
    assert client.get(second).headers["Location"] == SIGN_IN


def test_no_row_holds_what_opens_a_door(client: Client, house: House, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    client.post(SIGN_IN, {"email": house.dana.email})
    settings.HELPDESK_CAPTURE_MAIL = False  # type: ignore[attr-defined]
    delivery.send_due(clock=timezone.now)
    [sent] = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    path = link_in(str(sent.body), "/portal/in/")
    key = path.split("/")[-2]
    client.post(path)
    cookie = client.cookies["portal"].value

    assert len(key) == 52, "256 bits in base32"
    dumped = _everything()
    assert key not in dumped
    assert cookie not in dumped
    assert key in str(sent.alternatives[0][0]), "it is a link in the HTML, too"
    # And staff, who see every letter, cannot come in as a customer.
    letter = OutgoingEmail.objects.get(kind="portal_sign_in")
    shown = html(as_(house.sam).get(f"/mail/{letter.pk}/html/"))
    assert key not in shown
    assert "only its reader is shown" in shown


def test_a_letter_that_has_to_be_sent_again_has_its_key_again(
    client: Client, house: House, settings: object
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    settings.HELPDESK_CAPTURE_MAIL = False  # type: ignore[attr-defined]
    client.post(SIGN_IN, {"email": house.dana.email})
    delivery.send_due(clock=timezone.now)
    OutgoingEmail.objects.update(
        state="queued", sent_at=None, next_attempt_at=timezone.now() - timedelta(seconds=1)
    )
    delivery.send_due(clock=timezone.now)

    first, second = (link_in(str(each.body), "/portal/in/") for each in mail.outbox)
    assert first == second
    assert client.post(second).headers["Location"] == "/portal/"


def _everything() -> str:
    """The text of every row of every table."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_the_cookie_is_no_scripts_and_no_staff_session(house: House) -> None:
    client = signed_in(house.dana)
    cookie = client.cookies["portal"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/portal/"
    assert "sessionid" not in client.cookies
    assert client.get("/desk/").headers["Location"].startswith("/accounts/login/")
    assert as_(house.anna).get("/portal/").headers["Location"] == SIGN_IN


def test_a_session_ends_by_itself(house: House) -> None:
    client = signed_in(house.dana)
    PortalSession.objects.update(expires_at=timezone.now())

    assert not is_in(client)


def test_signing_out_ends_this_session_and_no_other(house: House) -> None:
    here, there = signed_in(house.dana), signed_in(house.dana)
    stolen = here.cookies["portal"].value

    here.post("/portal/sign-out/")

    assert not is_in(here)
    assert is_in(there)
    thief = Client()
    thief.cookies["portal"] = stolen
    assert not is_in(thief), "the secret is worth nothing afterwards"


def test_signing_out_everywhere_ends_all_sessions_of_the_contact(house: House) -> None:
    here, there, other = (signed_in(each) for each in (house.dana, house.dana, house.juergen))

    here.post("/portal/sign-out/", {"everywhere": "1"})

    assert not is_in(here)
    assert not is_in(there)
    assert is_in(other)


@pytest.mark.parametrize("cookie", ["", "x", "ä", "a" * 5000])
def test_a_cookie_that_is_none_of_ours_signs_nobody_in(
    client: Client, house: House, cookie: str
) -> None:
    client.cookies["portal"] = cookie

    assert client.get("/portal/").headers["Location"] == SIGN_IN


def test_signing_in_proves_the_address(client: Client, house: House) -> None:
    fill_in(client)
    house.sweep(timezone.now())

    signed_in(house.dana)
    deliver()

    assert "received" in [each.kind for each in letters_to(house.dana.email)]


def test_looking_changes_nothing(client: Client, house: House) -> None:
    ticket = house.ticket()
    path, browser = key_for(house.dana), signed_in(house.dana)
    before = all_rows()

    for look in (SIGN_IN, f"{SIGN_IN}sent/", path, "/portal/"):
        client.get(look)
        browser.get(look)
    browser.get(f"/portal/{ticket.reference}/")
    for refused in ("/portal/sign-out/", "/portal/language/", f"/portal/{ticket.reference}/mute/"):
        assert browser.get(refused).status_code == 405

    assert all_rows() == before


def test_doors_are_kept_out_of_search_engines_and_caches(client: Client, house: House) -> None:
    page = client.get(key_for(house.dana))

    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in page.headers["Cache-Control"]
    assert not re.search(r'src="https?://', html(page))
