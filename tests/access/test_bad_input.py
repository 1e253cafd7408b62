"""Whatever is sent: an answer with the reason at the field, nothing half done, and never a 500.

The values are made from the forms themselves, so that a new field is tried as soon as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any
from urllib.parse import quote

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from pytest_django import Settings

from desk.escalationactions import ON_ESCALATION
from desk.escalationforms import EscalateForm
from desk.portal import pages
from desk.portal.forms import NewTicketForm
from desk.portal.views import tickets as portal_tickets
from desk.ticketactions import ON_TICKET
from tests.access.addresses import OURS
from tests.access.badvalues import HUGE, NUL, all_bad, good_value, one_bad
from tests.access.rooms import Rooms, ask, undone
from tests.pages.acting import HTMX, all_rows
from tests.pages.desk import html, words
from tests.portal.doors import NEW
from tickets import gathering

pytestmark = pytest.mark.django_db

#: Bytes that are no UTF-8: half a surrogate pair, and a byte that stands nowhere.
BROKEN = ("%ED%A0%80", "%FF")


def desk_forms(rooms: Rooms) -> Iterator[tuple[str, str, forms.Form]]:
    """Who sends it where, and the form."""
    ticket = rooms.own_ticket
    gathered = gathering.gathered(ticket)
    page = ticket.get_absolute_url()
    for name, action in ON_TICKET.items():
        yield "agent", f"{page}{name}/", action.make(None, ticket, gathered)
    for name, action in ON_ESCALATION.items():
        address = f"{page}escalations/{rooms.own.escalation}/{name}/"
        yield "priya", address, action.make(None, ticket, gathered)
    yield "agent", f"{page}escalate/", EscalateForm(gathered=gathered)


def customers_forms(rooms: Rooms) -> Iterator[tuple[str, str, forms.Form]]:
    ticket = rooms.own_ticket
    page = pages.page_of(ticket, rooms.house.dana, before=None, now=ticket.created_at)
    for name in portal_tickets.ACTS:
        yield "contact", f"/portal/{ticket.reference}/{name}/", portal_tickets._form(name, page)
    details = list(rooms.house.api.required_details.all())
    yield "visitor", "/new/?category=api", NewTicketForm(details=details)


def filled(form: forms.Form, sent: Mapping[str, Any]) -> forms.Form:
    """The form as if this had been sent with it."""
    data = QueryDict(mutable=True)
    for field, value in sent.items():
        data[field] = str(value)
    bound = copy(form)
    bound.data, bound.is_bound = data, True
    bound._errors, bound._bound_fields_cache = None, {}  # type: ignore[attr-defined]
    return bound


@pytest.mark.parametrize("whose", [desk_forms, customers_forms])
def test_every_field_refuses_what_it_cannot_take_and_says_so_at_itself(
    rooms: Rooms, whose: Callable[[Rooms], Iterator[tuple[str, str, forms.Form]]]
) -> None:
    wrong = []
    tried = 0
    for _person, address, form in whose(rooms):
        for name, sent in one_bad(form):
            tried += 1
            bound = filled(form, sent)
            if set(bound.errors) != {name}:
                wrong.append(f"{address}: {name}={sent[name][:40]!r}: {dict(bound.errors)}")
    assert wrong == [], "\n".join(wrong)
    assert tried > 20


@pytest.mark.parametrize("whose", [desk_forms, customers_forms])
def test_a_form_full_of_wrong_values_comes_back_with_reasons_and_nothing_is_changed(
    rooms: Rooms, whose: Callable[[Rooms], Iterator[tuple[str, str, forms.Form]]]
) -> None:
    for person, address, form in whose(rooms):
        for number, sent in enumerate(all_bad(form)):
            headers: Mapping[str, str] = HTMX if number % 2 and person != "contact" else {}
            with undone(read_only=True):
                answer = ask(rooms.people[person], "post", address, headers=headers, **sent)
            assert answer.status_code == 422, (address, sent)
            said = html(answer)
            assert re.search("field-error|toast-error|box-bad", said), (address, sent)
            assert "Traceback" not in said


def test_a_list_where_one_value_belongs_and_fields_nobody_knows_break_nothing(
    rooms: Rooms,
) -> None:
    for whose in (desk_forms, customers_forms):
        for person, address, form in whose(rooms):
            sent: dict[str, Any] = {name: [NUL, NUL] for name in form.fields}
            odd: dict[str, Any] = {f"{name}[]": ["1", "2"] for name in form.fields}
            with undone():
                answer = ask(
                    rooms.people[person], "post", address, **sent, **odd, role="admin", pk="1"
                )
            assert answer.status_code in (302, 422), address
    assert not rooms.house.anna.is_lead


def test_whoever_answers_a_page_that_is_no_longer_so_overwrites_nothing(rooms: Rooms) -> None:
    ticket = rooms.own_ticket
    gathered = gathering.gathered(ticket)
    tried = 0
    for name, action in ON_TICKET.items():
        form = action.make(None, ticket, gathered)
        if "version" not in form.fields:
            continue
        tried += 1
        sent = {each: good_value(each, field) for each, field in form.fields.items()}
        sent = {each: value for each, value in sent.items() if value is not None}
        before = all_rows()
        address = f"{ticket.get_absolute_url()}{name}/"
        answer = ask(rooms.people["agent"], "post", address, **{**sent, "version": 1})
        assert answer.status_code == 422, name
        assert "changed" in words(answer), name
        assert all_rows() == before, name
    assert tried >= 4


ADDRESS_VALUES = (
    "", "-1", "0", "1.5", HUGE, "x" * 5_000, "%00", *BROKEN, "[]", "n.1", f"{HUGE}.1", "1.n",
    "' OR 1=1 --", "%25", "\\", "\u0661\u0662", "{{7*7}}", "HD-1%00",
)  # fmt: skip
PARAMETERS = {
    "/desk/": ("view", "team", "assignee", "priority", "plan", "category", "org", "tag", "q", "after",
               "ticket"),
    "/desk/versions": ("page", "ticket", "team", "view"),
    "/offers/": ("offer", "page"),
    "/escalations/": ("team", "after", "lane"),
    "/mail/": ("state", "to", "about", "before"),
    "/mail/held/": ("before",),
    "/settings/tokens/": ("before",),
    "/tickets/{ticket}/": ("before", "pane"),
    "/tickets/{ticket}/messages/{message}/html/": ("pictures",),
    "/new/": ("category",),
    "/portal/": ("before",),
    "/portal/{ticket}/": ("before",),
}  # fmt: skip


def test_no_address_breaks_a_page_whatever_stands_behind_its_question_mark(rooms: Rooms) -> None:
    for path, names in PARAMETERS.items():
        place = rooms.own.at(path)
        person = "contact" if place.startswith("/portal/") else "agent"
        for value in ADDRESS_VALUES:
            said = value if value.startswith("%") else quote(value)
            for query in (
                "&".join(f"{name}={said}" for name in names),
                "&".join(f"{name}[]={said}&{name}=1&{name}={said}" for name in names),
            ):
                if path == "/desk/versions":
                    query += "&page=triage"
                with undone(read_only=True):
                    answer = rooms.people[person].get(f"{place}?{query}")
                assert answer.status_code in (200, 400), (place, query[:200])


def test_no_address_of_a_thing_breaks_whatever_stands_in_its_place(rooms: Rooms) -> None:
    places = ("ticket", "message", "accept", "attachment", "follow_up", "escalation", "letter",
              "held", "key", "token", "api_token")  # fmt: skip
    values = (
        "0",
        "-1",
        "1.5",
        HUGE,
        f"HD-{HUGE}",
        "x" * 3_000,
        "%00",
        *BROKEN,
        "..%2f..",
        "\u0661",
    )
    for name, address in OURS.items():
        for method, known in (("get", address.get), ("post", address.post)):
            if not known or name in ("desk:portal-sign-out",):
                continue
            for place in places:
                if "{" + place + "}" not in address.path:
                    continue
                for value in values:
                    said = value if "%" in value else quote(value)
                    path = rooms.own.at(address.path.replace("{" + place + "}", said))
                    with undone():
                        answer = ask(rooms.people["admin"], method, path)
                    assert answer.status_code in (302, 404, 405, 422), (method, path[:200])
                    if answer.status_code == 302:
                        assert answer.headers["Location"].startswith(("/portal/", "/tickets/HD-"))


FORMS_THAT_ARE_NONE = (
    ("application/json", b'{"text": "words"}'),
    ("application/x-www-form-urlencoded", b"text=%ED%A0%80%FF%00"),
    ("application/x-www-form-urlencoded", b"&&&=%"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="text'),
    ("multipart/form-data; boundary=b", b"\x00" * 100),
    ("text/plain; charset=utf-99", b"text=words"),
    ("", b""),
)


@pytest.mark.parametrize(("kind", "body"), FORMS_THAT_ARE_NONE)
def test_a_body_that_is_no_form_is_refused(rooms: Rooms, kind: str, body: bytes) -> None:
    before = all_rows()
    for person, address in addresses_of_forms(rooms):
        answer = rooms.people[person].generic("POST", address, body, content_type=kind)
        assert answer.status_code in (400, 422), (address, answer.status_code)
    assert all_rows() == before


def addresses_of_forms(rooms: Rooms) -> tuple[tuple[str, str], ...]:
    ticket = f"/tickets/{rooms.own.ticket}/"
    return (
        ("agent", f"{ticket}reply/"),
        ("agent", f"{ticket}escalate/"),
        ("agent", "/settings/"),
        ("agent", "/settings/tokens/"),
        ("priya", f"{ticket}escalations/{rooms.own.escalation}/decline/"),
        ("contact", f"/portal/{rooms.own.ticket}/answer/"),
        ("visitor", "/new/?category=api"),
    )


def test_ten_megabytes_of_text_are_refused_in_plain_words(rooms: Rooms) -> None:
    before = all_rows()
    text = "x" * 10_000_000
    for person, address in addresses_of_forms(rooms):
        for kind in ("application/x-www-form-urlencoded", None):
            if kind:
                answer = rooms.people[person].post(address, f"text={text}", content_type=kind)
            else:
                answer = rooms.people[person].post(address, {"text": text})
            assert answer.status_code == 413, (address, kind, answer.status_code)
            assert "too large" in words(answer)
    assert all_rows() == before


def test_thousands_of_fields_are_refused_in_plain_words(rooms: Rooms) -> None:
    for person, address in addresses_of_forms(rooms):
        answer = rooms.people[person].post(address, {f"f{n}": "1" for n in range(1_100)})
        assert answer.status_code == 413, address
        assert "too large" in words(answer)


def test_files_beyond_the_limits_are_refused_at_their_field(
    rooms: Rooms, settings: Settings
) -> None:
    before = all_rows()
    settings.HELPDESK_MAIL_LIMITS = {"raw": 2_000_000, "parts": 3}
    for person, address, sent in (
        ("contact", f"/portal/{rooms.own.ticket}/answer/", {"text": "See the log."}),
        ("visitor", "/new/?category=api", NEW),
    ):
        for files, status in (
            ([SimpleUploadedFile("a.log", b"x" * 2_000_001)], 422),
            ([SimpleUploadedFile(f"{n}.log", b"x") for n in range(4)], 422),
            ([SimpleUploadedFile("a.log", b"x" * 4_000_000)], 413),
        ):
            answer = rooms.people[person].post(address, {**sent, "attachments": files})
            assert answer.status_code == status, (address, len(files))
    assert all_rows() == before
