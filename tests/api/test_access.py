"""Every operation, asked with the tokens of everybody, about what is theirs and what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from desk.api import urls
from desk.api.operations import Operation, operation_of
from staff.apitokens import Scope
from tests.access.rooms import NOBODYS, SECRET, Room, Rooms, undone
from tests.api.programs import Program
from tests.pages.acting import all_rows

pytestmark = pytest.mark.django_db

#: By the name of an address, a body that says what it needs.
BODIES: dict[str, dict[str, Any]] = {
    "post organizations": {"name": "Verdejo", "customer_id": "VER-6045", "plan": "silver"},
    "post contacts": {"email": "lia@verdejo.example"},
    "post tickets": {
        "requester": {"email": "lia@verdejo.example"},
        "subject": "words",
        "text": "words",
    },
    "post messages": {"kind": "note", "text": "words"},
    "patch ticket": {"version": 1, "impact": 1},
    "put detail": {"value": "words"},
    "post follow-ups": {"text": "words", "due_at": "2099-01-01T00:00:00Z"},
    "post resolve": {"outcome": "words"},
    "post snooze": {"until": "2099-01-01T00:00:00Z"},
    "post ticket-escalations": {"ask": "words", "kind": "hierarchical"},
    "post new-time": {"due": "2099-01-01T00:00:00Z", "reason": "words"},
    "post update": {"headline": "words", "text": "words"},
    "post escalation-accept-for": {"owner": NOBODYS},
    "post escalation-decline": {"reason_code": "wrong_team"},
    "post escalation-send-back": {"reason_code": "wrong_team"},
    "post escalation-hand-on": {"team": "platform"},
    "post escalation-offer-again": {"team": "platform"},
    "post escalation-de-escalate": {"reason": "words"},
    "post escalation-resolve": {"outcome": "words"},
    "post escalation-reassign": {"owner": NOBODYS},
}
PARTS = {
    "attachments": "attachment",
    "escalations": "escalation",
    "follow-ups": "follow_up",
    "messages": "message",
}


def operations() -> Iterator[tuple[str, str, str, Operation]]:
    """Every operation: method, name and address with its places, and what it declares."""
    for pattern in urls.urlpatterns:
        view: Any = pattern.callback.view_class()  # type: ignore[attr-defined]
        for method in ("get", "post", "put", "patch", "delete"):
            declared = operation_of(view, method)
            if declared is not None:
                yield method, pattern.name or "", f"/api/v1/{pattern.pattern}", declared


def at(path: str, room: Room) -> str:
    """An address with what stands in a room."""

    def fill(place: re.Match[str]) -> str:
        before = path[: place.start()].rstrip("/").rpartition("/")[2]
        kind = place[1]
        if kind == "ticket":
            return room.ticket
        if kind == "key":
            return "key-id"
        return str(getattr(room, PARTS.get(before, ""), NOBODYS))

    return re.sub(r"<([a-z]+):[a-z]+>", fill, path)


OF_TICKETS = [each for each in operations() if "<ticket:" in each[2]]
OF_ESCALATIONS = [each for each in operations() if "/escalations/<id:" in each[2]]


def test_a_ticket_is_there_for_whoever_sees_it_and_for_nobody_else(rooms: Rooms) -> None:
    house = rooms.house
    people = {
        "agent": house.anna,
        "outsider": rooms.rui,
        "lead": house.marco,
        "member": rooms.rosa,
        "manager": house.helen,
        "admin": house.sam,
    }
    programs = {name: Program(user) for name, user in people.items()}
    wrong = []
    for method, name, path, _operation in [*OF_TICKETS, *OF_ESCALATIONS]:
        body = BODIES.get(f"{method} {name}")
        for person, program in programs.items():
            for room in ("own", "private", "nowhere"):
                with undone():
                    answer = program.ask(method.upper(), at(path, getattr(rooms, room)), body)
                hidden = room == "nowhere" or (
                    room == "private" and person in ("agent", "outsider", "lead")
                )
                if (answer.status == 404) != hidden:
                    wrong.append(f"{method} {path} by {person} ({room}): {answer}")
                if hidden and SECRET in answer.raw.decode():
                    wrong.append(f"{method} {path} by {person} tells")
    assert wrong == [], "\n".join(wrong)


def test_the_way_to_a_private_part_does_not_lead_over_ones_own_ticket(rooms: Rooms) -> None:
    mixed = replace(rooms.private, ticket=rooms.own.ticket)
    programs = [Program(user) for user in (rooms.house.anna, rooms.house.sam)]
    for program in programs:
        program.get("/tickets/")  # a first use is written down
    before = all_rows()
    for program in programs:
        for method, name, path, _operation in OF_TICKETS:
            if "<id:" in path:
                answer = program.ask(
                    method.upper(), at(path, mixed), BODIES.get(f"{method} {name}")
                )
                assert answer.status == 404, (path, answer)
    assert all_rows() == before


def test_lists_and_filters_say_nothing_of_a_private_teams_ticket(rooms: Rooms) -> None:
    program = Program(rooms.house.anna)
    for query in (
        "",
        "team=security",
        f"assignee={rooms.rosa.pk}",
        f"requester={rooms.house.juergen.pk}",
        f"organization={rooms.house.steinbach.pk}",
        "escalated=true",
        "ordering=sla_due",
    ):
        answer = program.get(f"/tickets/?{query}")
        assert answer.status == 200
        assert SECRET not in answer.raw.decode(), query
        assert rooms.private.ticket not in answer.raw.decode(), query


def test_every_operation_asks_for_its_scope_and_for_no_other(rooms: Rooms) -> None:
    user = rooms.house.sam
    only = {scope: Program(user, [scope]) for scope in Scope}
    without = {
        scope: Program(user, [other for other in Scope if other != scope]) for scope in Scope
    }
    wrong = []
    for method, name, path, operation in operations():
        if operation.scope is None:
            continue
        body = BODIES.get(f"{method} {name}")
        place = at(path, rooms.own)
        with undone():
            lacking = without[operation.scope].ask(method.upper(), place, body)
        with undone():
            having = only[operation.scope].ask(method.upper(), place, body)
        if (lacking.status, lacking.slug) != (403, "missing-scope"):
            wrong.append(f"{method} {path} without: {lacking}")
        if having.status == 401 or (having.status == 403 and having.slug == "missing-scope"):
            wrong.append(f"{method} {path} with: {having}")
    assert wrong == [], "\n".join(wrong)


def test_to_write_needs_more_than_a_scope_to_read() -> None:
    for method, _name, path, operation in operations():
        if operation.scope is not None:
            assert operation.scope.endswith(":read" if method == "get" else ":write"), path
