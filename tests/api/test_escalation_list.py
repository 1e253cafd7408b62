"""Programs read which escalations there are, and what became of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from staff.apitokens import Scope
from tests.access.rooms import Rooms
from tests.api.escalating import act, escalate, offered
from tests.api.programs import Program, queries
from tests.house import House
from tickets.models import Ticket
from tickets.models.followup import FollowUpKind

pytestmark = pytest.mark.django_db


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
