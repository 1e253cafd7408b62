"""Programs escalate through the stations the pages use."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.models import Escalation, Promise
from notifications.models import OutgoingEmail
from tests.api.escalating import ASKED, act, escalate, offered
from tests.api.programs import Program
from tests.house import House
from tests.pages.acting import all_rows
from tickets.models import Detail, Ticket

pytestmark = pytest.mark.django_db


def test_an_agents_program_escalates_to_whom_the_desk_would_suggest(
    house: House, anna: Program, ticket: Ticket
) -> None:
    answer = escalate(anna, ticket)

    assert answer.status == 201, answer
    made = Escalation.objects.get()
    assert answer.headers["Location"] == f"/api/v1/escalations/{made.pk}/"
    body = answer.body
    assert (body["ticket"], body["kind"], body["state"], body["trigger"]) == (
        ticket.reference,
        "functional",
        "offered",
        "agent",
    )
    assert body["nature"] == "expertise"
    assert body["urgency"] == ticket.urgency
    assert body["opened_by"]["id"] == house.anna.pk
    assert body["current"]["to_team"]["slug"] == "integrations"
    assert body["current"]["to_user"] is None
    [handoff] = body["handoffs"]
    assert handoff["package"]["details"][0]["value"] == "key_4f2a91"
    assert handoff["package"]["ask"] == ASKED["ask"]
    assert handoff["path"]
    assert all(step["due_at"] and step["fired_at"] is None for step in handoff["path"])
    assert OutgoingEmail.objects.filter(kind="escalated", to_address=house.dana.email).exists()
    assert Promise.objects.get().state == "open"


def test_a_lead_escalates_as_a_lead(house: House, ticket: Ticket) -> None:
    assert escalate(Program(house.marco), ticket).body["trigger"] == "lead"


def test_a_team_and_somebody_of_it_can_be_named(
    house: House, anna: Program, ticket: Ticket
) -> None:
    body = escalate(
        anna, ticket, team="platform", user=house.jonas.pk, nature="access", urgency=1
    ).body

    assert body["current"]["to_team"]["slug"] == "platform"
    assert body["current"]["to_user"]["id"] == house.jonas.pk
    assert (body["nature"], body["urgency"]) == ("access", 1)


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({"team": "nobody"}, 400, "team"),
        ({"team": "integrations", "user": 999_999}, 400, "user"),
        ({"kind": "sideways"}, 400, "kind"),
        ({"urgency": 4}, 400, "urgency"),
        ({"urgency": "1"}, 400, "urgency"),
        ({"nature": ""}, 400, "nature"),
        ({"promised": "tomorrow"}, 400, "promised"),
        ({"promised": "2020-01-01T00:00:00Z"}, 422, "promised"),
        ({"team": "emea"}, 422, "team"),
        ({"details": {"key id": "x"}}, 400, "details"),
        ({"owner": 7}, 400, "owner"),
        ({"ask_customer": "yes"}, 400, "ask_customer"),
        ({"tried": "", "ask": ""}, 422, "ask"),
    ],
)
def test_what_cannot_be_done_names_the_field_and_changes_nothing(
    anna: Program, ticket: Ticket, said: dict[str, Any], status: int, field: str
) -> None:
    anna.get("/tickets/")
    before = all_rows()
    answer = escalate(anna, ticket, **said)

    assert answer.status == status, answer
    assert field in answer.faults, answer
    assert all_rows() == before


def test_somebody_of_another_team_is_no_choice(house: House, anna: Program, ticket: Ticket) -> None:
    answer = escalate(anna, ticket, team="integrations", user=house.ben.pk)

    assert (answer.status, answer.faults) == (422, {"user": "refused"})


def test_the_gate_names_what_is_missing_and_three_ways_lead_through(
    anna: Program, without: Ticket
) -> None:
    closed = escalate(anna, without)

    assert closed.status == 422
    assert closed.faults == {"override_reason": "gate_closed"}
    assert closed.body["missing"] == ["key-id"]
    assert "API key ID" in closed.body["detail"]
    assert not Escalation.objects.exists()


@pytest.mark.parametrize(
    ("more", "incomplete"),
    [
        ({"details": {"key-id": "key_77aa"}}, False),
        ({"ask_customer": True}, True),
        ({"override_reason": "The gateway is down for everybody."}, True),
    ],
)
def test_details_a_question_or_a_reason_open_the_gate(
    anna: Program, without: Ticket, more: dict[str, Any], incomplete: bool
) -> None:
    body = escalate(anna, without, **more).body

    assert body["incomplete"] is incomplete
    assert body["missing"] == (["key-id"] if incomplete else [])
    assert body["override_reason"] == more.get("override_reason", "")
    [detail] = body["handoffs"][0]["package"]["details"] or [{"value": None}]
    assert detail["value"] == more.get("details", {}).get("key-id")
    asked = Detail.objects.filter(ticket=without, asked_at__isnull=False).exists()
    assert asked is bool(more.get("ask_customer"))


def test_details_that_are_sent_along_are_kept_only_with_the_escalation(
    anna: Program, without: Ticket
) -> None:
    answer = escalate(anna, without, details={"key-id": "key_77aa"}, team="emea")

    assert answer.status == 422
    assert not Detail.objects.filter(ticket=without).exclude(value="").exists()


def test_an_escalation_to_authority_goes_to_the_teams_lead(
    house: House, anna: Program, without: Ticket
) -> None:
    body = escalate(anna, without, kind="hierarchical").body

    assert body["nature"] == "authority"
    assert body["current"]["to_team"]["slug"] == "emea"
    assert body["current"]["to_user"]["id"] == house.marco.pk


def test_a_ticket_is_escalated_once(anna: Program, ticket: Ticket) -> None:
    offered(anna, ticket)

    again = escalate(anna, ticket)

    assert (again.status, again.slug) == (409, "wrong-state")
    assert "Integrations" in again.body["detail"]


def test_a_version_that_is_old_is_refused_with_the_ticket_as_it_is(
    anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket, version=ticket.version)
    anna.patch(f"/tickets/{ticket.reference}/", {"version": ticket.version, "impact": 1})

    stale = act(priya, pk, "accept", version=ticket.version)

    assert (stale.status, stale.slug) == (409, "stale")
    assert stale.body["sent"] == ticket.version
    assert stale.body["current"] > ticket.version
    assert act(priya, pk, "accept", version=stale.body["current"]).status == 200


def test_the_same_key_escalates_once(anna: Program, ticket: Ticket) -> None:
    key = {"Idempotency-Key": "escalate-1"}
    path = f"/tickets/{ticket.reference}/escalations/"

    first = anna.post(path, ASKED, headers=key)
    again = anna.post(path, ASKED, headers=key)

    assert first.status == again.status == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.body == again.body
    assert Escalation.objects.count() == 1
