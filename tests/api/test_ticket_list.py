"""Tickets over the API: listed, narrowed, ordered, paged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.programs import Answer, Program, queries
from tests.house import START, House, after
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def references(answer: Answer) -> list[str]:
    return [row["reference"] for row in answer.rows]


def test_a_list_has_what_its_filters_leave(house: House, anna: Program) -> None:
    first = house.ticket(assignee=house.anna, impact=1, urgency=1)
    second = house.ticket(
        "Rechnung fehlt", text="Bitte prüfen.", by=house.juergen, now=after(hours=2)
    )
    house.status(second, "waiting_on_customer", now=after(hours=3))
    Ticket.objects.filter(pk=second.pk).update(tags=["vip"], customer_reference="INC-1")
    both, neither = [second.reference, first.reference], list[str]()
    for query, expected in {
        "": both,
        "status=new": [first.reference],
        "status=new,waiting_on_customer": both,
        "status=closed": neither,
        "team=emea": both,
        "team=platform": neither,
        "team=nothing": neither,
        "assignee=me": [first.reference],
        f"assignee={house.anna.pk}": [first.reference],
        "assignee=none": [second.reference],
        "priority=1": [first.reference],
        "priority=1,3": both,
        "category=api": [first.reference],
        f"organization={house.norvik.pk}": [first.reference],
        f"requester={house.juergen.pk}": [second.reference],
        "tag=vip": [second.reference],
        "customer_reference=INC-1": [second.reference],
        "escalated=false": both,
        "escalated=true": neither,
        "created_after=2026-11-24T10:00:00Z": [second.reference],
        "created_after=2026-11-24T11:00:00+01:00": [second.reference],
        "created_before=2026-11-24T10:00:00%2B01:00": neither,
        "created_before=2026-11-24T10:00:00Z&tag=vip": neither,
        "updated_after=2026-11-24T11:30:00Z": [second.reference],
    }.items():
        answer = anna.get(f"/tickets/?{query}")
        assert (answer.status, references(answer)) == (200, expected), query


@pytest.mark.parametrize(
    "query",
    [
        "status=",
        "status=odd",
        "status=new,",
        "team=a%20b",
        "assignee=0",
        "assignee=-1",
        "assignee=you",
        "assignee=99999999999999999999",
        "priority=5",
        "organization=x",
        "organization=1e3",
        "tag=",
        "tag=%00",
        "tag=%0A",
        f"tag={'x' * 41}",
        "escalated=yes",
        "created_after=yesterday",
        "created_after=2026-11-24",
        "created_after=2026-11-24T10:00:00",
        "created_after=9999-12-31T23:59:59-23:59",
        "created_after=0001-01-01T00:00:00%2B23:59",
        "created_after=2026-02-30T10:00:00Z",
        "ordering=id",
        "ordering=--created",
        "ordering=password",
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=%D9%A1",
        "cursor=",
        "cursor=x",
        "cursor=%00",
        "cursor=bnVsbA",
        "cursor=WzEsMiwzLDRd",
        "cursor=WyItY3JlYXRlZCIsMCxudWxsLC0xXQ",
        f"cursor={'a' * 501}",
    ],
)
def test_what_a_filter_cannot_take_is_refused(anna: Program, query: str) -> None:
    answer = anna.get(f"/tickets/?{query}")

    assert (answer.status, list(answer.faults)) == (400, [query.partition("=")[0]])


@pytest.mark.parametrize("name", ["created", "updated", "priority", "sla_due"])
@pytest.mark.parametrize("minus", ["", "-"])
def test_pages_lead_through_the_whole_list_and_back(
    house: House, anna: Program, name: str, minus: str
) -> None:
    made = [house.ticket(f"Ticket {number}") for number in range(7)]
    for number, ticket in enumerate(made):
        impact, urgency = ((1, 1), (2, 2), (3, 3))[number % 3]
        Ticket.objects.filter(pk=ticket.pk).update(
            # Some are the same, and some have none.
            sla_due_at=START + timedelta(microseconds=number // 2) if number % 3 else None,
            updated_at=START + timedelta(microseconds=number // 2),
            impact=impact,
            urgency=urgency,
            priority=min(impact + urgency - 1, 4),
        )
    whole = references(anna.get(f"/tickets/?ordering={minus}{name}"))
    assert len(whole) == 7

    page = anna.get(f"/tickets/?ordering={minus}{name}&limit=2")
    assert page.body["previous"] is None
    there, turns = references(page), 0
    while page.body["next"]:
        page = anna.get(page.body["next"])
        there += references(page)
        turns += 1
    assert (there, turns) == (whole, 3)
    back = references(page)
    while page.body["previous"]:
        page = anna.get(page.body["previous"])
        back = references(page) + back
    assert back == whole


def test_the_order_is_the_one_that_was_asked_for(house: House, anna: Program) -> None:
    low, high, none = house.ticket("Low"), house.ticket("High"), house.ticket("None")
    for ticket, impact, due in ((low, 3, after(hours=2)), (high, 1, after(hours=1))):
        Ticket.objects.filter(pk=ticket.pk).update(
            impact=impact, urgency=impact, priority=min(2 * impact - 1, 4), sla_due_at=due
        )
    names = {low.reference: "low", high.reference: "high", none.reference: "none"}

    for ordering, expected in {
        "created": "low high none",
        "-created": "none high low",
        "priority": "high none low",
        "sla_due": "high low none",
        "-sla_due": "low high none",
    }.items():
        answer = anna.get(f"/tickets/?ordering={ordering}")
        assert " ".join(names[each] for each in references(answer)) == expected, ordering


def test_a_cursor_of_another_order_is_refused(house: House, anna: Program) -> None:
    for _number in range(3):
        house.ticket()
    cursor = anna.get("/tickets/?limit=1").body["next"].partition("cursor=")[2]

    answer = anna.get(f"/tickets/?limit=1&ordering=updated&cursor={cursor}")

    assert (answer.status, answer.faults) == (400, {"cursor": "invalid"})


def test_a_list_takes_two_queries_however_long_it_is(house: House, anna: Program) -> None:
    for number in range(12):
        house.ticket(f"Ticket {number}", by=(house.dana, house.juergen)[number % 2])
    anna.get("/tickets/")

    assert len(queries(lambda: anna.get("/tickets/?limit=1"))) == 2
    assert len(queries(lambda: anna.get("/tickets/?status=new&ordering=sla_due"))) == 2
