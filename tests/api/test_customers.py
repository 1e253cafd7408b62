"""Organizations and contacts over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.programs import Program, queries
from tests.house import START, House
from tickets import triage
from tickets.models import Contact, Organization
from tickets.models.ticket import Channel

pytestmark = pytest.mark.django_db

VERDEJO = {
    "name": "Verdejo",
    "customer_id": "VER-6045",
    "plan": "silver",
    "zone": "America/Sao_Paulo",
    "domains": ["Verdejo.example", "@verdejo.test"],
}


def test_an_admin_writes_an_organization_down_and_changes_it(house: House, sam: Program) -> None:
    made = sam.post("/organizations/", {**VERDEJO, "account_manager": house.helen.pk})

    assert made.status == 201, made
    assert made.body["domains"] == ["verdejo.example", "verdejo.test"]
    assert made.body["account_manager"]["name"] == "Helen Brandt"
    path = made.headers["Location"]
    changed = sam.patch(
        path, {"plan": "gold", "domains": ["verdejo.test"], "account_manager": None}
    )
    assert changed.status == 200
    assert (changed.body["plan"], changed.body["domains"]) == ("gold", ["verdejo.test"])
    assert changed.body["account_manager"] is None
    assert changed.body["name"] == "Verdejo", "what is not named stays"
    assert sam.get(path).body == changed.body


def test_organizations_are_for_admins_to_write(house: House, anna: Program) -> None:
    path = f"/organizations/{house.norvik.pk}/"

    for answer in (anna.post("/organizations/", VERDEJO), anna.patch(path, {"name": "Else"})):
        assert (answer.status, answer.slug) == (403, "not-allowed")
    assert anna.get(path).body["name"] == "Norvik Logistics"


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"customer_id": "NOR-4471"}, 422, "customer_id"),
        ({"domains": ["norvik.example"]}, 422, "domains"),
        ({"domains": ["not a domain"]}, 422, "domains"),
        ({"domains": "verdejo.example"}, 400, "domains"),
        ({"plan": "platinum"}, 400, "plan"),
        ({"zone": "Mars/Olympus"}, 400, "zone"),
        ({"account_manager": 999_999}, 400, "account_manager"),
        ({"name": ""}, 400, "name"),
        ({"name": None}, 400, "name"),
    ],
)
def test_what_is_wrong_with_an_organization_is_named(
    sam: Program, wrong: dict[str, Any], status: int, field: str
) -> None:
    before = Organization.objects.count()

    answer = sam.post("/organizations/", {**VERDEJO, **wrong})

    assert (answer.status, list(answer.faults)) == (status, [field])
    assert Organization.objects.count() == before


def test_organizations_are_found(house: House, anna: Program) -> None:
    for query, expected in {
        "ordering=name": ["Norvik Logistics", "Steinbach"],
        "ordering=-name&limit=1": ["Steinbach"],
        "customer_id=nor-4471": ["Norvik Logistics"],
        "plan=silver": ["Steinbach"],
        "domain=NORVIK.example": ["Norvik Logistics"],
    }.items():
        assert [row["name"] for row in anna.get(f"/organizations/?{query}").rows] == expected, query
    assert len(queries(lambda: anna.get("/organizations/"))) == 3


def test_whoever_works_here_writes_a_contact_down(house: House, anna: Program) -> None:
    made = anna.post(
        "/contacts/",
        {"email": "Ola@Norvik.example", "name": "Ola Berg", "organization": house.norvik.pk},
    )

    assert made.status == 201, made
    assert made.body["email"] == "ola@norvik.example"
    assert made.body["organization"]["plan"] == "gold"
    path = made.headers["Location"]
    changed = anna.patch(path, {"phone": "+47 22 00 00 00", "language": "de"})
    assert (changed.status, changed.body["phone"], changed.body["language"]) == (
        200,
        "+47 22 00 00 00",
        "de",
    )
    assert anna.get(path).body == changed.body


def test_what_opens_tickets_to_a_contact_is_set_by_admins(
    house: House, anna: Program, sam: Program
) -> None:
    path = f"/contacts/{house.dana.pk}/"
    for change in (
        {"email": "evil@elsewhere.example"},
        {"organization": house.steinbach.pk},
        {"organization": None},
        {"is_escalation_contact": True},
    ):
        answer = anna.patch(path, change)
        assert (answer.status, answer.faults) == (403, {next(iter(change)): "not_allowed"})
        assert sam.patch(path, change).status == 200
    as_it_is = {"email": "evil@elsewhere.example", "is_escalation_contact": True, "name": "D."}
    assert anna.patch(path, as_it_is).status == 200, "what is so already is no change"
    new = {"email": "x@norvik.example", "is_escalation_contact": True}
    assert anna.post("/contacts/", new).status == 403


def test_another_address_is_one_that_nobody_has_proven(house: House, sam: Program) -> None:
    Contact.objects.filter(pk=house.dana.pk).update(verified_at=START)

    sam.patch(f"/contacts/{house.dana.pk}/", {"name": "Dana R."})
    assert Contact.objects.get(pk=house.dana.pk).verified_at == START
    answer = sam.patch(f"/contacts/{house.dana.pk}/", {"email": "dana@norvik.test"})

    assert answer.body["verified_at"] is None


def test_an_address_is_one_contacts(house: House, anna: Program) -> None:
    answer = anna.post("/contacts/", {"email": "DANA@norvik.example"})

    assert (answer.status, answer.faults) == (422, {"email": "refused"})


def test_contacts_are_found(house: House, anna: Program) -> None:
    for query, expected in {
        "ordering=name": ["Dana Reyes", "Jürgen Adler"],
        "email=Dana@norvik.example": ["Dana Reyes"],
        f"organization={house.steinbach.pk}": ["Jürgen Adler"],
        "is_escalation_contact=true": [],
        "created_after=2099-01-01T00:00:00Z": [],
    }.items():
        assert [row["name"] for row in anna.get(f"/contacts/?{query}").rows] == expected, query
    assert len(queries(lambda: anna.get("/contacts/"))) == 2


def test_who_is_known_from_a_private_teams_tickets_alone_is_not_there_for_others(
    house: House, anna: Program, sam: Program
) -> None:
    secret = house.contact("Zara Holm", house.norvik)
    private = house.team("security", "Security", 2, is_private=True)
    ticket = house.ticket(by=secret, channel=Channel.MAIL)
    triage.move(ticket_id=ticket.pk, team_id=private.pk, now=START, by=house.sam)
    path = f"/contacts/{secret.pk}/"

    assert "Zara" not in str(anna.get("/contacts/").body)
    assert (anna.get(path).status, anna.patch(path, {"name": "X"}).status) == (404, 404)
    asked = {"subject": "S", "text": "T", "requester": {"id": secret.pk}}
    assert anna.post("/tickets/", asked).faults == {"requester.id": "does_not_exist"}
    assert sam.get(path).status == 200
