"""Programs escalate, and answer what is offered, through the stations the pages use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from escalation.models import Escalation, Promise
from notifications.models import OutgoingEmail
from staff.apitokens import Scope
from tests.access.rooms import Rooms
from tests.api.programs import Answer, Program, queries
from tests.house import House
from tests.pages.acting import all_rows
from tickets.models import Detail, Ticket
from tickets.models.followup import FollowUpKind

pytestmark = pytest.mark.django_db

ASKED = {"tried": "Repeated the call: 502.", "ask": "Find out why the gateway refuses it."}


@pytest.fixture
def priya(house: House) -> Program:
    """A program that acts for Priya, of the team that knows the API."""
    return Program(house.priya)


@pytest.fixture
def grace(house: House) -> Program:
    """A program that acts for Grace, who leads that team."""
    return Program(house.grace)


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(assignee=house.anna, now=timezone.now())


@pytest.fixture
def without(house: House) -> Ticket:
    """A ticket that lacks a required detail."""
    return house.ticket(
        text="POST /v2 fails for every call.", assignee=house.anna, now=timezone.now()
    )


def escalate(program: Program, ticket: Ticket, **more: Any) -> Answer:
    return program.post(f"/tickets/{ticket.reference}/escalations/", {**ASKED, **more})


def offered(program: Program, ticket: Ticket, **more: Any) -> int:
    answer = escalate(program, ticket, **more)
    assert answer.status == 201, answer
    pk: int = answer.body["id"]
    return pk


def act(program: Program, pk: int, action: str, **body: Any) -> Answer:
    return program.post(f"/escalations/{pk}/{action}/", body)


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


def test_the_list_is_narrowed_as_the_board_is_and_further(house: House, anna: Program) -> None:
    now = timezone.now()
    first = offered(anna, house.ticket(assignee=house.anna, now=now))
    second = offered(anna, house.ticket(assignee=house.anna, now=now), team="platform", urgency=1)
    act(Program(house.jonas), second, "accept")

    def found(query: str) -> list[int]:
        answer = anna.get(f"/escalations/?{query}")
        assert answer.status == 200, answer
        return [row["id"] for row in answer.rows]

    assert found("") == [second, first]
    assert found("ordering=opened") == [first, second]
    assert found("state=offered") == [first]
    assert found("state=offered,accepted") == [second, first]
    assert found("open=false") == []
    assert found("team=platform") == [second]
    assert found("team=emea") == [second, first]
    assert found("team=nobody") == []
    assert found(f"owner={house.jonas.pk}") == [second]
    assert found("owner=none") == [first]
    assert found("opened_by=me") == [second, first]
    assert found("kind=hierarchical") == []
    assert found("trigger=agent&urgency=1") == [second]
    assert found("nature=expertise&incomplete=false") == [second, first]
    assert found("overdue=true") == []
    assert found("overdue=false") == [second, first]
    assert found("opened_before=2020-01-01T00:00:00Z") == []


def test_what_nobody_accepts_and_what_was_promised_is_overdue_in_time(
    house: House, anna: Program
) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    late = house.escalate(house.ticket(assignee=house.anna, now=long_ago), now=long_ago)
    fresh = offered(anna, house.ticket(assignee=house.anna, now=timezone.now()))

    assert [row["id"] for row in anna.get("/escalations/?overdue=true").rows] == [late.pk]
    assert [row["id"] for row in anna.get("/escalations/?overdue=false").rows] == [fresh]
    act(anna, late.pk, "withdraw", reason="It works again.")
    assert anna.get("/escalations/?overdue=true").rows == []


def test_a_list_takes_as_many_queries_for_fifty_as_for_one(house: House, anna: Program) -> None:
    now = timezone.now()
    offered(anna, house.ticket(assignee=house.anna, now=now))
    one = queries(lambda: anna.get("/escalations/?overdue=false&team=emea"))
    for _number in range(4):
        offered(anna, house.ticket(assignee=house.anna, now=now))
    five = queries(lambda: anna.get("/escalations/?overdue=false&team=emea"))

    # The token with its person, the escalations, and their newest hand-offs.
    assert len(one) == len(five) == 3, five


def test_a_private_teams_escalation_is_seen_by_nobody_else(rooms: Rooms) -> None:
    hidden = rooms.private.escalation
    anna, rosa = Program(rooms.house.anna), Program(rooms.rosa)

    assert hidden not in [row["id"] for row in anna.get("/escalations/").rows]
    assert hidden in [row["id"] for row in rosa.get("/escalations/").rows]
    for program in (anna, Program(rooms.rui), Program(rooms.house.marco)):
        assert program.get(f"/escalations/{hidden}/").status == 404
        assert act(program, hidden, "accept").status == 404
        assert act(program, hidden, "withdraw", reason="It is mine now.").status == 404
    assert rosa.get(f"/escalations/{hidden}/").status == 200


def test_reading_escalations_is_not_answering_them(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna, now=timezone.now())
    pk = offered(anna, ticket)
    reader = Program(house.priya, [Scope.ESCALATIONS_READ])

    assert reader.get(f"/escalations/{pk}/").status == 200
    assert act(reader, pk, "accept").slug == "missing-scope"
    assert escalate(reader, ticket).slug == "missing-scope"


def test_what_fell_due_on_the_path_is_told(house: House, anna: Program) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    escalation = house.escalate(house.ticket(assignee=house.anna, now=long_ago), now=long_ago)
    house.sweep(long_ago + timedelta(hours=2))

    [handoff, *_more] = anna.get(f"/escalations/{escalation.pk}/").body["handoffs"]

    fired = [step for step in handoff["path"] if step["fired_at"]]
    assert fired, handoff
    assert [step["number"] for step in handoff["path"]] == list(range(1, len(handoff["path"]) + 1))


def test_confirming_with_the_customer_is_left_to_the_assignee(
    house: House, anna: Program, priya: Program, ticket: Ticket
) -> None:
    pk = offered(anna, ticket)
    act(priya, pk, "accept")
    act(priya, pk, "resolve", outcome="The limit is raised.")

    [row] = [
        each
        for each in anna.get(f"/tickets/{ticket.reference}/follow-ups/?open=true").rows
        if each["kind"] == FollowUpKind.CONFIRM
    ]
    assert row["done_at"] is None
