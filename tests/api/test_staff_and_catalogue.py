"""Who works here, what tickets are about, and what customers bought: to be read, not changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.access.rooms import Rooms
from tests.api.programs import Program, queries
from tests.house import House

pytestmark = pytest.mark.django_db


def by_slug(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["slug"]: row for row in rows}


def test_staff_are_those_who_work_here_with_their_teams(house: House, anna: Program) -> None:
    house.away(house.mei, since=timezone.now())
    house.ben.is_active = False
    house.ben.save()

    people = {row["name"]: row for row in anna.get("/staff/").rows}

    assert "Ben Osei" not in people
    assert people["Priya Nair"]["teams"] == ["integrations"]
    assert people["Grace Lim"]["leads"] == ["integrations"]
    assert people["Grace Lim"]["role"] == "lead"
    assert (people["Mei Tanaka"]["away"], people["Priya Nair"]["away"]) == (True, False)
    assert list(people) == sorted(people)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("role=manager,admin", ["Helen Brandt", "Sam Okafor"]),
        ("team=integrations", ["Grace Lim", "Mei Tanaka", "Priya Nair"]),
        ("team=nobody", []),
        ("email=PRIYA@brightquay.example", ["Priya Nair"]),
        ("skill=none-such", []),
    ],
)
def test_staff_can_be_looked_for(house: House, anna: Program, query: str, names: list[str]) -> None:
    assert [row["name"] for row in anna.get(f"/staff/?{query}").rows] == names


def test_teams_stand_with_their_people_tiers_and_backups(house: House, anna: Program) -> None:
    teams = by_slug(anna.get("/teams/").rows)

    integrations = teams["integrations"]
    assert integrations["tier"] == 2
    assert [each["name"] for each in integrations["members"]] == ["Mei Tanaka", "Priya Nair"]
    assert [each["name"] for each in integrations["leads"]] == ["Grace Lim"]
    assert integrations["on_call"]["id"] == house.priya.pk
    assert integrations["backup_team"] == "platform"
    assert teams["platform"]["backup_team"] is None
    assert [row["slug"] for row in anna.get("/teams/?tier=1,3").rows] == ["emea", "platform"]
    assert [row["name"] for row in anna.get("/tiers/").rows] == ["Tier 1", "Tier 2", "Tier 3"]


def test_who_is_in_a_private_team_is_told_to_them_alone(rooms: Rooms) -> None:
    anna, rosa, sam = (Program(each) for each in (rooms.house.anna, rooms.rosa, rooms.house.sam))
    slug = rooms.rosa.teams.get().slug

    assert by_slug(anna.get("/teams/").rows)[slug]["members"] is None
    assert by_slug(anna.get("/teams/").rows)[slug]["leads"] is None
    for program in (rosa, sam):
        members = by_slug(program.get("/teams/").rows)[slug]["members"]
        assert rooms.rosa.pk in [each["id"] for each in members]
    assert anna.get(f"/staff/?team={slug}").rows == []
    [hidden] = anna.get(f"/staff/?email={rooms.rosa.email}").rows
    assert hidden["teams"] == []
    assert [row["id"] for row in rosa.get(f"/staff/?team={slug}").rows] == [rooms.rosa.pk]


def test_categories_say_which_details_they_require_and_who_knows_them(
    house: House, anna: Program
) -> None:
    [row] = anna.get("/categories/").rows

    assert row["slug"] == "api"
    [detail] = row["required_details"]
    assert (detail["key"], detail["labels"]) == ("key-id", {"de": "API-Schlüssel-ID"})
    assert [(each["tier"], each["team"]) for each in row["teams"]] == [
        (1, "emea"),
        (2, "integrations"),
        (3, "platform"),
    ]
    assert anna.get("/categories/?complexity=simple").rows == []
    assert [plan["slug"] for plan in anna.get("/plans/").rows] == ["gold", "silver"]


@pytest.mark.parametrize("path", ["/staff/", "/teams/", "/tiers/", "/categories/", "/plans/"])
def test_nothing_of_it_can_be_changed_or_grows_with_its_queries(
    house: House, sam: Program, path: str
) -> None:
    sam.get(path)
    assert len(queries(lambda: sam.get(path))) <= 5
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert sam.ask(method, path, {}).status == 405


@pytest.mark.parametrize("path", ["/staff/", "/teams/"])
def test_a_page_at_a_time_shows_each_once(house: House, anna: Program, path: str) -> None:
    seen: list[int] = []
    address: str | None = f"{path}?limit=2"
    while address:
        answer = anna.get(address)
        seen += [row["id"] for row in answer.rows]
        address = answer.body["next"]

    assert len(seen) == len(set(seen)) == len(anna.get(f"{path}?limit=100").rows)
