"""``/mail/``, the mail that waits for a person, and mails shown as they were written."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from notifications import outbox
from notifications.models import OutgoingEmail
from tests.house import House
from tests.pages.acting import EVIL, ago, all_rows, as_, has_no_markup_of, press, queries
from tests.pages.desk import Markup, Response, html, words
from tickets.inbound.ingest import ingest
from tickets.models import Attachment, InboundEmail, Message, Ticket

pytestmark = pytest.mark.django_db

LIST_QUERIES = 6
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(now=ago(minutes=30), assignee=house.anna)


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


def frame(page: Response) -> dict[str, str]:
    """The one iframe of a page."""
    [found] = [carried for tag, carried in Markup(html(page)).elements if tag == "iframe"]
    return found


def directives(answer: HttpResponseBase) -> dict[str, str]:
    policy = answer.headers["Content-Security-Policy"]
    parts = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: value for name, _space, value in parts}


# Letters


def test_every_letter_stands_here_newest_first(house: House, ticket: Ticket, anna: Client) -> None:
    press(anna, ticket, "reply", text="We are on it.", status="open")
    house.escalate(ticket, now=ago(seconds=1))

    page = anna.get("/mail/")

    said = words(page)
    assert "to Dana Reyes" in said
    assert "With Tier 2: reply expected" in said
    assert "queued" in said
    rows = re.findall(r'class="mail-row"[^>]*href="(/mail/\d+/)', html(page))
    newest = OutgoingEmail.objects.order_by("-pk").values_list("pk", flat=True)
    assert rows == [f"/mail/{pk}/" for pk in newest]


def test_a_letter_is_shown_as_its_reader_sees_it(
    house: House, ticket: Ticket, anna: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=1))
    letter = OutgoingEmail.objects.get(kind="escalated")

    page = anna.get(f"/mail/{letter.pk}/")

    assert "has been escalated to Tier 2, Integrations" in words(page)
    assert "Dana Reyes <dana@norvik.example>" in words(page)
    assert "en · Europe/Oslo" in words(page)
    shown = frame(page)
    assert shown["sandbox"] == ""
    inside = anna.get(shown["src"])
    assert "has been escalated to Tier 2, Integrations" in html(inside)
    assert directives(inside)["default-src"] == "'none'"
    assert "sandbox" in directives(inside)
    assert inside.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_letter_that_was_taken_back_says_so(house: House, ticket: Ticket, anna: Client) -> None:
    house.escalate(ticket, now=ago(seconds=1))
    outbox.withdraw(about=ticket.about, kinds=("escalated",), now=timezone.now())

    said = words(anna.get("/mail/?state=withdrawn"))

    assert "withdrawn" in said
    assert len(re.findall("to Dana Reyes", said)) == 1


def test_filters_narrow_the_list(house: House, ticket: Ticket, anna: Client) -> None:
    other = house.ticket("Andere Sache", by=house.juergen, now=ago(minutes=9))
    for each in (ticket, other):
        press(anna, each, "reply", text="We are on it.", status="open")

    def found(query: str) -> set[str]:
        return set(re.findall(r"to (Dana Reyes|Jürgen Adler)", words(anna.get(f"/mail/?{query}"))))

    assert found("to=dana") == {"Dana Reyes"}
    assert found("to=JUERGEN@") == {"Jürgen Adler"}
    assert found(f"about=ticket:{other.pk}") == {"Jürgen Adler"}
    assert found("state=queued") == {"Dana Reyes", "Jürgen Adler"}
    assert found("state=sent") == set()
    assert found("to=%25") == set()


@pytest.mark.parametrize(
    "query",
    [
        "state=nonsense",
        "state=%00",
        "about=ticket:x",
        "about=ticket:1;drop",
        "before=x",
        "before=-1",
        "before=99999999999999999999",
        "to=" + "a" * 300,
    ],
)
def test_what_cannot_be_shown_is_said(house: House, anna: Client, query: str) -> None:
    answer = anna.get(f"/mail/?{query}")

    assert answer.status_code == 400
    assert "This address asks for something that cannot be shown." in words(answer)


def test_older_letters_follow_without_repeating_or_losing_one(
    house: House, ticket: Ticket, anna: Client
) -> None:
    for number in range(60):
        press(anna, ticket, "reply", text=f"reply {number}", status="open")

    first = anna.get("/mail/?to=dana")
    onward = re.search(r'href="(/mail/\?to=dana&amp;before=\d+)"', html(first))
    assert onward is not None
    second = anna.get(onward[1].replace("&amp;", "&"))

    pages = [re.findall(r'href="/mail/(\d+)/', html(page)) for page in (first, second)]
    assert [len(page) for page in pages] == [50, 10]
    assert len({pk for page in pages for pk in page}) == 60


def test_letters_of_private_teams_are_only_for_their_people(
    house: House, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "reply", text="secret words", status="open")
    letter = OutgoingEmail.objects.get(kind="reply")
    secret = house.team("secret", "Secret matters", 1, is_private=True)
    rui = house.person("Rui Costa", secret)
    Ticket.objects.filter(pk=ticket.pk).update(team=secret)

    for address in ("/mail/", f"/mail/?about={ticket.about}", "/mail/?to=dana"):
        assert ticket.reference not in words(anna.get(address))
    for address in (f"/mail/{letter.pk}/", f"/mail/{letter.pk}/html/"):
        assert anna.get(address).status_code == 404
    for user in (rui, house.helen, house.sam):
        assert "secret words" in words(as_(user).get(f"/mail/{letter.pk}/"))


def test_hostile_words_stay_text_in_letters(house: House, anna: Client) -> None:
    house.dana.name = EVIL
    house.dana.save()
    ticket = house.ticket(EVIL, now=ago(minutes=9), assignee=house.anna)
    press(anna, ticket, "reply", text=EVIL, status="open")
    letter = OutgoingEmail.objects.get(kind="reply")

    has_no_markup_of(anna.get("/mail/"))
    has_no_markup_of(anna.get(f"/mail/{letter.pk}/"))
    has_no_markup_of(anna.get(f"/mail/{letter.pk}/html/"))


def test_the_list_costs_the_same_however_many_letters_there_are(
    house: House, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "reply", text="We are on it.", status="open")
    few = queries(anna, "/mail/")
    for number in range(20):
        other = house.ticket(f"ticket {number}", by=house.juergen, now=ago(minutes=9))
        press(anna, other, "reply", text="We are on it.", status="open")
        house.escalate(other, now=ago(seconds=2))

    many = queries(anna, "/mail/")

    assert len(many) <= len(few) <= LIST_QUERIES, "\n".join(many)


def test_mail_is_only_read_and_only_by_who_signed_in(
    house: House, client: Client, ticket: Ticket, anna: Client
) -> None:
    press(anna, ticket, "reply", text="We are on it.", status="open")
    letter = OutgoingEmail.objects.get(kind="reply")
    before = all_rows()

    for address in ("/mail/", f"/mail/{letter.pk}/", f"/mail/{letter.pk}/html/", "/mail/held/"):
        assert anna.get(address).status_code == 200
        assert anna.post(address).status_code == 405
        assert client.get(address).headers["Location"].startswith("/accounts/login/")
    assert all_rows() == before
    for nothing in ("/mail/999999/", "/mail/999999/html/", "/mail/99999999999999999999/"):
        assert anna.get(nothing).status_code == 404


# Mail that waits for a person


def _held(raw: bytes) -> InboundEmail:
    outcome = ingest(raw=raw, source="test", mailbox="support", now=timezone.now())
    return InboundEmail.objects.get(pk=outcome.inbound_id)


@pytest.fixture
def suspended(house: House) -> InboundEmail:
    """A mail that says who it is from, but looks like somebody signing up elsewhere."""
    held = _held(
        b"From: Service <no-reply@service.example>\nTo: support@brightquay.example\n"
        b"Subject: Your verification code\nMessage-ID: <s@service.example>\n\n"
        b"Your verification code is 123456.\n"
    )
    assert held.outcome == "suspended"
    return held


@pytest.fixture
def quarantined(house: House) -> InboundEmail:
    held = _held(b"\xff\xd8\xff\xe0 no mail at all")
    assert held.outcome == "quarantined"
    return held


def test_what_waits_is_shown_with_its_reason(
    house: House, anna: Client, suspended: InboundEmail, quarantined: InboundEmail
) -> None:
    said = words(anna.get("/mail/held/"))

    for held in (suspended, quarantined):
        assert held.reason in said
    assert "Suspended" in said
    assert "Quarantined" in said
    assert "2 wait for a person" in words(anna.get("/mail/"))


def test_a_lead_lets_a_suspended_mail_in(house: House, suspended: InboundEmail) -> None:
    marco = as_(house.marco)
    assert "Let it in" in words(marco.get("/mail/held/"))

    marco.post(f"/mail/held/{suspended.pk}/release/")

    ticket = Ticket.objects.get()
    assert f"It is on {ticket.reference} now." in words(marco.get("/mail/held/"))
    assert "No mail waits" in words(marco.get("/mail/held/"))


def test_a_quarantined_mail_is_read_again(house: House, quarantined: InboundEmail) -> None:
    marco = as_(house.marco)

    marco.post(f"/mail/held/{quarantined.pk}/retry/")

    assert "Nothing has changed: It does not begin with a header field." in words(
        marco.get("/mail/held/")
    )
    assert InboundEmail.objects.get(pk=quarantined.pk).attempts == 2


def test_only_leads_let_mail_in_and_only_by_pressing(
    house: House, anna: Client, suspended: InboundEmail, quarantined: InboundEmail
) -> None:
    marco, before = as_(house.marco), all_rows()

    assert "Let it in" not in words(anna.get("/mail/held/"))
    for pk, action in ((suspended.pk, "release"), (quarantined.pk, "retry")):
        assert anna.post(f"/mail/held/{pk}/{action}/").status_code == 403
        assert marco.get(f"/mail/held/{pk}/{action}/").status_code == 405
        browser = as_(house.marco, checks_csrf=True)
        assert browser.post(f"/mail/held/{pk}/{action}/").status_code == 403
    assert marco.post(f"/mail/held/{suspended.pk}/delete/").status_code == 404
    assert marco.post("/mail/held/999999/release/").status_code == 404
    assert all_rows() == before


def test_pressing_twice_makes_one_ticket(house: House, suspended: InboundEmail) -> None:
    marco = as_(house.marco)

    for _press in range(2):
        assert marco.post(f"/mail/held/{suspended.pk}/release/").status_code == 302

    assert Ticket.objects.count() == 1


def test_hostile_mail_that_waits_stays_text(house: House, anna: Client) -> None:
    InboundEmail.objects.create(
        source=EVIL,
        header_message_id=EVIL,
        sha256=b"\0" * 32,
        raw=b"x",
        size=1,
        envelope_from=EVIL,
        received_at=timezone.now(),
        outcome="quarantined",
        reason=EVIL,
    )

    has_no_markup_of(anna.get("/mail/held/"))


# As it was written


HTML_MAIL = """\
From: Dana Reyes <dana@norvik.example>
To: support@brightquay.example
Subject: The API fails
Message-ID: <html@norvik.example>
MIME-Version: 1.0
Content-Type: multipart/related; boundary="b"

--b
Content-Type: text/html; charset=utf-8

<h1 onclick="alert(1)" style="position:fixed;color:red">Look</h1>
<script>alert(2)</script><style>body{background:url(https://t.example/s)}</style>
<img src="cid:shot@x"><img src="https://tracker.example/pixel.gif">
<img src="cid:vector@x"><form action="/admin/"><input name="p"></form>
<a href="javascript:alert(3)" hx-get="/admin/" hx-trigger="load">here</a>
<a href="https://norvik.example/doc">doc</a><iframe src="/desk/"></iframe>
<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=//evil.example">
--b
Content-Type: image/png; name="shot.png"
Content-ID: <shot@x>
Content-Transfer-Encoding: base64

{pixel}
--b
Content-Type: image/svg+xml; name="v.svg"
Content-ID: <vector@x>

<svg xmlns="http://www.w3.org/2000/svg" onload="alert(4)"/>
--b--
"""


@pytest.fixture
def written(house: House) -> Message:
    """What Dana wrote in HTML, as it came by mail."""
    raw = HTML_MAIL.replace("{pixel}", base64.b64encode(PIXEL).decode())
    held = _held(raw.encode())
    assert held.message is not None
    return held.message


def address_of(message: Message) -> str:
    return f"{message.ticket.get_absolute_url()}messages/{message.pk}/html/"


def test_the_ticket_offers_a_mail_as_it_was_written(
    house: House, anna: Client, written: Message
) -> None:
    page = anna.get(written.ticket.get_absolute_url())

    assert "Show as it was written" in words(page)
    shown = frame(page)
    assert shown["src"] == address_of(written)
    assert shown["loading"] == "lazy", "nothing is read before somebody asks"
    assert "allow-scripts" not in shown["sandbox"]
    assert "allow-same-origin" not in shown["sandbox"]
    assert "as it was written" in shown["title"]


def test_a_plain_mail_has_nothing_else_to_show(house: House, anna: Client, ticket: Ticket) -> None:
    message = ticket.messages.get()

    assert "Show as it was written" not in words(anna.get(ticket.get_absolute_url()))
    assert anna.get(address_of(message)).status_code == 404


def test_what_is_shown_runs_nothing_and_loads_nothing(
    house: House, anna: Client, written: Message
) -> None:
    answer = anna.get(address_of(written))

    source = html(answer)
    body = source[source.index("<body") :]
    assert ">Look</h1>" in body
    assert 'href="https://norvik.example/doc"' in body
    for gone in (
        "<script",
        "alert(",
        "onclick",
        "javascript:",
        "hx-",
        "<form",
        "<input",
        "<iframe",
        "<base",
        "<meta",
        "tracker.example",
        "t.example",
        "position",
        "svg",
    ):
        assert gone not in body, gone
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["form-action"] == "'none'"
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


def test_pictures_in_the_mail_are_shown_without_a_request(
    house: House, anna: Client, written: Message
) -> None:
    source = html(anna.get(address_of(written)))

    assert re.findall(r'src="([^"]*)"', source) == [
        f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    ]


def test_pictures_from_elsewhere_are_loaded_when_asked_for(
    house: House, anna: Client, written: Message
) -> None:
    answer = anna.get(f"{address_of(written)}?pictures=1")

    assert 'src="https://tracker.example/pixel.gif"' in html(answer)
    assert directives(answer)["img-src"] == "data: https:"
    assert directives(answer)["default-src"] == "'none'"


def test_only_raster_pictures_are_taken_by_what_they_are(
    house: House, anna: Client, written: Message
) -> None:
    picture = Attachment.objects.get(content_type="image/png")
    picture.file.save("x", ContentFile(b"<svg onload=alert(1)>"))

    assert "src=" not in html(anna.get(address_of(written)))


def test_a_mail_that_is_gone_or_cannot_be_made_safe_shows_its_text(
    house: House, anna: Client, written: Message
) -> None:
    deep = b"From: a@b.example\nContent-Type: text/html\n\n" + b"<div>" * 5000
    InboundEmail.objects.filter(message=written).update(raw=deep)
    assert "could not be made safe" in words(anna.get(address_of(written)))

    InboundEmail.objects.filter(message=written).delete()

    answer = anna.get(address_of(written))
    assert "Its HTML is not kept any more." in words(answer)
    assert written.text.splitlines()[0] in words(answer)


def test_it_is_as_private_as_its_ticket(
    house: House, client: Client, anna: Client, ticket: Ticket, written: Message
) -> None:
    elsewhere = f"{ticket.get_absolute_url()}messages/{written.pk}/html/"
    assert anna.get(elsewhere).status_code == 404, "through another ticket"
    assert anna.post(address_of(written)).status_code == 405
    assert client.get(address_of(written)).status_code == 302
    secret = house.team("secret", "Secret matters", 1, is_private=True)

    Ticket.objects.filter(pk=written.ticket_id).update(team=secret)

    assert anna.get(address_of(written)).status_code == 404
    assert as_(house.helen).get(address_of(written)).status_code == 200


def test_looking_changes_nothing(house: House, anna: Client, written: Message) -> None:
    before: Any = all_rows()

    anna.get(address_of(written))
    anna.get(f"{address_of(written)}?pictures=1")

    assert all_rows() == before
