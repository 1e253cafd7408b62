"""Every address, asked by everybody, about what is theirs, what is not, and what is nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from desk.escalationactions import ON_ESCALATION
from staff.models import User
from tests.access.addresses import API, OURS, every_pattern
from tests.access.answers import PEOPLE, Address
from tests.access.libraries import ACCOUNTS, ADMIN_SITE, CONFIGURED
from tests.access.rooms import NOBODYS, SECRET, Rooms, ask, undone
from tests.pages.acting import HTMX, all_rows, as_
from tests.pages.desk import html
from tickets.listing import View
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

ADDRESSES: Mapping[str, Address] = {**OURS, **ACCOUNTS, **ADMIN_SITE, **API}
#: allauth notes on these pages what it needs afterwards: a secret for the reader's session until
#: they prove they have it, and the address an admin gave them as one of its own rows.
NOTES_SOMETHING = {"mfa_activate_totp", "account_email"}


def word(answer: Any) -> str:
    """What an answer comes to, in the words of the table."""
    if answer.status_code != 302:
        return str(answer.status_code)
    where = answer.headers["Location"]
    for start, said in (
        ("/accounts/login/", "in"),
        ("/portal/sign-in/", "portal"),
        ("/admin/login/", "admin"),
    ):
        if where.startswith(start) and where.partition("?")[0] in (start,):
            return said
    return "on"


def fits(said: str, expected: str) -> bool:
    return said in ("on", "422") if expected == "did" else said == expected


def askers(room: str, *, first: bool) -> frozenset[str]:
    """Who is asked of an address: all of its first, and of those alike who tell the rooms apart."""
    if first:
        return frozenset(PEOPLE)
    who = {"own": ("disabled", "contact", "agent"), "private": ("agent", "outsider", "lead")}
    return frozenset(who.get(room, ("agent",)))


def differences(rooms: Rooms, method: str, addresses: Mapping[str, Address]) -> Iterator[str]:
    for name, address in addresses.items():
        expected = address.get if method == "get" else address.post
        for room, line in expected.items():
            for number, path in enumerate(address.paths):
                place = getattr(rooms, room).at(path)
                who = askers(room, first=number == 0)
                for person, wanted in zip(PEOPLE, line.split(), strict=True):
                    if person not in who:
                        continue
                    reads = method == "get" and name not in NOTES_SOMETHING
                    with undone(read_only=reads):
                        said = word(ask(rooms.people[person], method, place))
                    if not fits(said, wanted):
                        yield f"{name}: {method} {place} by {person} ({room}): {said}, not {wanted}"


def test_every_address_is_in_the_table() -> None:
    known = {name.partition(",")[0] for name in ADDRESSES}
    for each in CONFIGURED:
        known |= {
            f"admin:{each}_{what}" for what in ("changelist", "add", "change", "delete", "history")
        }
    found = {name for _path, name in every_pattern()}
    catch_all = {name for name in found if "(?P<url>" in name or name.endswith("<path:object_id>/")}

    assert found - catch_all - known == set(), "new addresses: say who may see what"
    assert known - found == set(), "addresses that are gone"


def test_every_page_answers_each_person_as_the_table_says_and_changes_nothing(
    rooms: Rooms,
) -> None:
    wrong = list(differences(rooms, "get", ADDRESSES))
    assert wrong == [], "\n".join(wrong)


def test_every_form_answers_each_person_as_the_table_says(rooms: Rooms) -> None:
    wrong = list(differences(rooms, "post", ADDRESSES))
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_an_admin_comes_to_what_is_configured(rooms: Rooms, method: str) -> None:
    wrong = []
    for each in CONFIGURED:
        start = f"/admin/{each.replace('_', '/')}/"
        for path in (
            start,
            f"{start}add/",
            *(f"{start}{NOBODYS}/{what}/" for what in ("change", "delete", "history")),
        ):
            for person in ("disabled", "contact", "agent", "lead", "manager", "admin"):
                with undone(read_only=method == "get"):
                    said = word(ask(rooms.people[person], method, path))
                allowed = ("200", "403", "on") if person == "admin" else ("admin",)
                if said not in allowed:
                    wrong.append(f"{method} {path} by {person}: {said}")
    assert wrong == []


def test_no_form_is_taken_without_its_token(rooms: Rooms) -> None:
    taken = []
    for name, address in ADDRESSES.items():
        for room, line in address.post.items():
            for person in ("contact", "agent", "admin"):
                if line.split()[PEOPLE.index(person)] not in ("did", "200", "on", "422"):
                    continue
                strict = Client(enforce_csrf_checks=True)
                strict.cookies = deepcopy(rooms.people[person].cookies)
                for path in address.paths:
                    with undone(read_only=True):
                        answer = strict.post(getattr(rooms, room).at(path), {"text": "words"})
                    if answer.status_code != 403:
                        taken.append(f"{name} by {person}: {answer.status_code}")
    assert taken == []


def test_what_one_may_not_see_looks_as_if_it_were_not_there(rooms: Rooms) -> None:
    for name, address in OURS.items():
        for method, expected in (("get", address.get), ("post", address.post)):
            if expected.get("private", "").split()[3:4] != ["404"]:
                continue
            for path in address.paths:
                with undone():
                    hidden = ask(rooms.people["agent"], method, rooms.private.at(path))
                    nowhere = ask(rooms.people["agent"], method, rooms.nowhere.at(path))
                assert without_nonce(hidden) == without_nonce(nowhere), name
                assert hidden.headers.keys() == nowhere.headers.keys(), name


def test_the_way_to_somebody_elses_things_does_not_lead_over_ones_own_ticket(rooms: Rooms) -> None:
    """The ids of a private ticket's parts, in the address of a ticket one may see."""
    before = all_rows()
    for method, paths in (
        (
            "get",
            (
                "attachments/{attachment}/",
                "messages/{message}/html/",
                *(f"escalations/{{escalation}}/{action}/" for action in ON_ESCALATION),
            ),
        ),
        (
            "post",
            (
                "messages/{accept}/accept/",
                "follow-ups/{follow_up}/done/",
                *(f"escalations/{{escalation}}/{action}/" for action in ON_ESCALATION),
            ),
        ),
    ):
        for path in paths:
            mixed = f"/tickets/{rooms.own.ticket}/{rooms.private.at(path)}"
            for person in ("agent", "lead", "admin"):
                assert ask(rooms.people[person], method, mixed).status_code == 404, mixed
    mixed = f"/portal/{rooms.own.ticket}/files/{rooms.private.attachment}/"
    assert ask(rooms.people["contact"], "get", mixed).status_code == 404
    assert all_rows() == before


def test_no_page_says_a_word_of_a_private_teams_ticket_to_others(rooms: Rooms) -> None:
    private = rooms.private.ticket
    pages = [
        *(
            rooms.own.at(path)
            for name, address in OURS.items()
            if "own" in address.get and name not in ("desk:status", "desk:portal-enter")
            for path in address.paths
        ),
        *(f"/desk/?view={view}" for view in View),
        f"/desk/?q={SECRET}&view=all_open",
        f"/desk/?q={private}&view=all_open",
        f"/desk/?team={rooms.security.pk}&view=all_open",
        f"/desk/?view=all_open&ticket={private}",
        f"/desk/versions?ticket={private}",
        f"/escalations/?team={rooms.security.pk}",
        f"/mail/?about=ticket:{Ticket.number_in(private)}",
        f"/mail/?to={rooms.house.juergen.email}",
        f"/offers/?offer={rooms.private.escalation}",
    ]
    for person in ("visitor", "contact", "agent", "outsider", "lead"):
        for page in pages:
            answer = ask(rooms.people[person], "get", page)
            if answer.streaming:
                continue
            # The words searched for stand in the search field.
            said = html(answer).replace(f'value="{SECRET}"', "").replace(f"“{SECRET}”", "")
            assert SECRET not in said.replace(quote(SECRET), ""), (person, page)


def test_the_next_request_of_somebody_dismissed_is_refused_everywhere(rooms: Rooms) -> None:
    ben = User.objects.get(pk=rooms.house.ben.pk)
    browser = as_(ben)
    page = f"/tickets/{rooms.own.ticket}/"
    assert browser.get(page).status_code == 200
    User.objects.filter(pk=ben.pk).update(is_active=False)
    before = all_rows()

    assert browser.get("/desk/versions").status_code == 401
    assert word(browser.get(page)) == "in"
    assert word(browser.get(page, {"pane": 1}, headers=HTMX)) == "in"
    assert word(browser.post(f"{page}note/", {"text": "One more thing."})) == "in"
    assert all_rows() == before


def without_nonce(answer: Any) -> str:
    page = re.sub(r'nonce="[^"]*"', "", html(answer))
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)
