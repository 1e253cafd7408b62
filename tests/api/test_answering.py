"""Programs answer what is offered, and end it, through the stations the pages use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from escalation.models import Escalation
from notifications.models import OutgoingEmail
from tests.api.escalating import act, offered
from tests.api.programs import Answer, Program
from tests.house import House
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def test_from_the_offer_to_what_came_of_it(
    house: House, anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)

    accepted = act(priya, pk, "accept", first_step="tracing a failed call")
    resolved = act(priya, pk, "resolve", outcome="The limit is raised.", cause="A low limit")

    assert accepted.status == resolved.status == 200
    assert (accepted.body["state"], accepted.body["owner"]["id"]) == ("accepted", house.priya.pk)
    assert accepted.body["handoffs"][0]["outcome"] == "accepted"
    assert all(step["due_at"] is None for step in accepted.body["handoffs"][0]["path"])
    assert (resolved.body["state"], resolved.body["outcome"], resolved.body["cause"]) == (
        "resolved",
        "The limit is raised.",
        "A low limit",
    )
    assert anna.get(f"/tickets/{ticket.reference}/").body["escalated"] is False


def test_who_accepts_second_hears_who_has_it(
    house: House, anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)
    act(priya, pk, "accept")

    late = act(Program(house.mei), pk, "accept")

    assert (late.status, late.slug) == (409, "wrong-state")
    assert "Priya Nair has it" in late.body["detail"]
    assert late.body["escalation"]["owner"]["id"] == house.priya.pk
    assert Escalation.objects.get().owner == house.priya


@pytest.mark.django_db(transaction=True)
def test_of_many_who_accept_at_once_one_has_it_and_all_others_hear_who(house: House) -> None:
    pk = offered(Program(house.anna), house.ticket(assignee=house.anna, now=timezone.now()))
    keys = [Program(user).raw for user in (house.priya, house.mei, house.grace, house.helen)]
    start = Barrier(len(keys))

    def accept(raw: str) -> Answer:
        start.wait()
        try:
            return act(Program.with_token(raw), pk, "accept")
        finally:
            connection.close()

    with ThreadPoolExecutor(len(keys)) as pool:
        answers = list(pool.map(accept, keys))

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    owner = Escalation.objects.get().owner
    assert owner is not None
    for late in answers:
        if late.status == 409:
            assert f"{owner.name} has it" in late.body["detail"]
            assert late.body["escalation"]["owner"]["id"] == owner.pk
    assert OutgoingEmail.objects.filter(kind="accepted").count() == 1


def test_what_is_declined_comes_back_and_is_offered_again(
    house: House, anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)

    declined = act(
        priya, pk, "decline", reason_code="wrong_team", reason="It is the gateway's."
    ).body
    again = act(anna, pk, "offer-again", team="platform", note="They say it is yours.").body

    assert (declined["state"], declined["handoffs"][0]["outcome"]) == ("returned", "declined")
    assert declined["handoffs"][0]["reason_code"] == "wrong_team"
    assert declined["handoffs"][0]["outcome_by"]["id"] == house.priya.pk
    assert (again["state"], again["hops"]) == ("offered", 2)
    assert [each["to_team"]["slug"] for each in again["handoffs"]] == ["integrations", "platform"]
    assert again["current"]["to_team"]["slug"] == "platform"
    assert again["handoffs"][1]["note"] == "They say it is yours."


def test_what_is_accepted_is_handed_on_or_sent_back(
    house: House, anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)
    act(priya, pk, "accept")

    handed = act(priya, pk, "hand-on", team="platform", user=house.jonas.pk).body
    jonas = Program(house.jonas)
    act(jonas, pk, "accept")
    back = act(jonas, pk, "send-back", reason_code="details_missing", missing=["key-id"]).body

    assert handed["current"]["to_user"]["id"] == house.jonas.pk
    assert (back["state"], back["handoffs"][-1]["missing"]) == ("returned", ["key-id"])


def test_a_lead_names_who_takes_it_on_and_who_goes_on(
    house: House, anna: Program, grace: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)

    named = act(grace, pk, "accept-for", owner=house.mei.pk, first_step="the log")
    other = act(grace, pk, "reassign", owner=house.priya.pk)

    assert named.body["owner"]["id"] == house.mei.pk
    assert other.body["owner"]["id"] == house.priya.pk


def test_who_escalated_withdraws_and_a_lead_de_escalates(
    house: House, anna: Program, grace: Program, ticket: Ticket
) -> None:
    first = offered(anna, ticket)
    withdrawn = act(anna, first, "withdraw")
    second = offered(anna, ticket)
    ended = act(grace, second, "de-escalate", reason="The customer says it works.")

    assert withdrawn.body["state"] == "withdrawn"
    assert ended.body["state"] == "de_escalated"
    assert ended.body["ended_by"]["id"] == house.grace.pk


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("accept", {}),
        ("decline", {"reason_code": "wrong_team"}),
        ("hand-on", {"team": "platform"}),
        ("de-escalate", {"reason": "Not needed."}),
        ("accept-for", {"owner": 1}),
    ],
)
def test_nobody_does_what_is_anothers_to_do(
    house: House, anna: Program, ticket: Ticket, action: str, body: dict[str, Any]
) -> None:
    pk = offered(anna, ticket)
    if "owner" in body:
        body = {"owner": house.mei.pk}

    answer = act(anna, pk, action, **body)

    assert (answer.status, answer.slug) == (403, "not-allowed"), answer
    assert Escalation.objects.get().state == "offered"


@pytest.mark.parametrize(
    ("action", "body", "status", "field"),
    [
        ("decline", {}, 400, "reason_code"),
        ("decline", {"reason_code": "bored"}, 400, "reason_code"),
        ("decline", {"reason_code": "other"}, 422, "reason"),
        ("decline", {"reason_code": "details_missing", "missing": ["nothing"]}, 422, "missing"),
        ("hand-on", {}, 400, "team"),
        ("hand-on", {"team": "integrations"}, 422, "team"),
        ("accept", {"first_step": 7}, 400, "first_step"),
        ("accept", {"version": 0}, 400, "version"),
        ("accept", {"hurry": True}, 400, "hurry"),
    ],
)
def test_an_answer_that_cannot_be_read_names_the_field(
    anna: Program,
    priya: Program,
    ticket: Ticket,
    action: str,
    body: dict[str, Any],
    status: int,
    field: str,
) -> None:
    pk = offered(anna, ticket)

    answer = act(priya, pk, action, **body)

    assert answer.status == status, answer
    assert field in answer.faults, answer


def test_what_came_back_meets_the_gate_again(
    anna: Program, priya: Program, without: Ticket
) -> None:
    pk = offered(anna, without, override_reason="Urgent.")
    act(priya, pk, "decline", reason_code="details_missing", missing=["key-id"])

    closed = act(anna, pk, "offer-again", team="integrations")

    assert closed.status == 422
    assert closed.body["missing"] == ["key-id"]
