"""Every field of every body, given what it cannot take: refused with its name, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from tests.access.rooms import Rooms, undone
from tests.api.programs import Program
from tests.api.test_access import BODIES, at, operations

pytestmark = pytest.mark.django_db

DEEP: Any = "deep"
for _level in range(200):
    DEEP = [DEEP]

STRANGE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    2**31,
    2**63,
    10**400,
    "",
    "\n",
    "1",
    "true",
    # What a text may hold and no other field takes, at once: most of these are carried out.
    "=HYPERLINK(1) '; DROP TABLE tickets_ticket; -- {{ 7*7 }} <script>alert(1)</script> ../../etc",
    "a\u202eb\x1b[31m",
    "x" * 100_000,
    "𝔘" * 1000,
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59-23:59",
    [],
    [None],
    ["x", 1],
    [{}],
    {},
    {"": ""},
    {"id": None},
    {"id": [1]},
    {"constructor": 1, "__class__": 2},
    DEEP,
]


def fields(shape: type[serializers.BaseSerializer[Any]]) -> Iterator[str]:
    yield from shape().fields  # type: ignore[attr-defined]


def test_no_field_of_a_body_breaks_anything(rooms: Rooms) -> None:
    program = Program(rooms.house.sam)
    broken = []
    for method, name, path, operation in operations():
        if method == "get":
            continue
        place = at(path, rooms.own)
        bodies: list[Any] = [*STRANGE] if name == "tickets" else [None, [], DEEP]
        if operation.takes is not None:
            base = BODIES.get(f"{method} {name}", {})
            bodies += [
                {**base, field: value} for field in fields(operation.takes) for value in STRANGE
            ]
        for body in bodies:
            with undone():
                answer = program.ask(method.upper(), place, body)
            if answer.status >= 500:
                broken.append(f"{method} {path} {str(body)[:80]}: {answer.status}")
            elif answer.status >= 400 and "problem" not in answer.content_type:
                broken.append(f"{method} {path} {str(body)[:80]}: {answer.content_type}")
    assert broken == [], "\n".join(broken)


FOREIGN = [
    ("post", "/tickets/", {"requester": {"id": 0}, "subject": "s", "text": "t"}, "requester.id"),
    (
        "post",
        "/tickets/",
        {"requester": {"id": 987_654}, "subject": "s", "text": "t"},
        "requester.id",
    ),
    ("post", "/contacts/", {"email": "a@b.example", "organization": 987_654}, "organization"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), FOREIGN)
def test_a_key_of_nothing_is_named(
    anna: Program, method: str, path: str, body: Any, field: str
) -> None:
    answer = anna.ask(method.upper(), path, body)

    assert (answer.status, list(answer.faults)) == (400, [field])
