"""Tickets over the API: changed, ended, snoozed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from desk.api.fields import written
from staff.models import User
from tests.api.programs import Answer, Program, queries
from tests.house import START, House, after
from tickets import triage
from tickets.models import Event, Message, Ticket

pytestmark = pytest.mark.django_db


def change(program: Program, ticket: Ticket, **changes: Any) -> Answer:
    """A change of the ticket as it is now."""
    version = Ticket.objects.values_list("version", flat=True).get(pk=ticket.pk)
    return program.patch(f"/tickets/{ticket.reference}/", {"version": version, **changes})


def test_a_change_goes_through_the_stations(house: House, anna: Program) -> None:
    ticket = house.ticket()

    answer = change(
        anna,
        ticket,
        impact=1,
        urgency=1,
        complexity="simple",
        assignee=house.ben.pk,
        status="on_hold",
        tags=["vip"],
        customer_reference="INC-1",
        work_item_url="https://bugs.example/1",
        work_item_state="open",
    )

    assert answer.status == 200, answer
    body = answer.body
    assert (body["priority"], body["complexity"]) == (1, "simple")
    assert (body["assignee"]["id"], body["status"]) == (house.ben.pk, "on_hold")
    assert (body["tags"], body["customer_reference"]) == (["vip"], "INC-1")
    assert (body["work_item_url"], body["work_item_state"]) == ("https://bugs.example/1", "open")
    assert body["category"] == "api", "what is not named stays"
    kinds = list(
        Event.objects.filter(ticket=ticket, user=house.anna).values_list("kind", flat=True)
    )
    assert kinds == ["assessed", "assigned", "status_changed", "labelled"]
    assert body["version"] > ticket.version


def test_a_ticket_is_moved_and_its_category_taken_away(house: House, anna: Program) -> None:
    ticket = house.ticket()

    body = change(anna, ticket, team="platform", category=None, assignee=None).body

    assert (body["team"]["slug"], body["category"]) == ("platform", None)
    again = change(anna, ticket, category="api", tags=[]).body
    assert again["category"] == "api"


def test_a_change_of_what_has_changed_meanwhile_is_refused_with_both_versions(
    house: House, anna: Program
) -> None:
    ticket = house.ticket()
    house.status(ticket, "on_hold", now=after(minutes=1))

    answer = anna.patch(
        f"/tickets/{ticket.reference}/", {"version": ticket.version, "status": "open"}
    )

    assert (answer.status, answer.slug) == (409, "stale")
    assert (answer.body["sent"], answer.body["current"]) == (ticket.version, ticket.version + 1)
    assert answer.body["ticket"] == anna.get(f"/tickets/{ticket.reference}/").body


def test_a_change_is_made_whole_or_not_at_all(house: House, anna: Program) -> None:
    ticket = house.ticket()
    private = house.team("security", "Security", 2, is_private=True)
    triage.move(ticket_id=ticket.pk, team_id=private.pk, now=START, by=house.sam)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    private.members.add(house.anna)

    # Ben cannot see it there.
    answer = change(anna, ticket, impact=1, tags=["vip"], assignee=house.ben.pk)

    assert (answer.status, answer.faults) == (422, {"assignee": "refused"})
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, ""),
        ({"team": "nothing"}, "team"),
        ({"team": None}, "team"),
        ({"category": "nothing"}, "category"),
        ({"impact": 4}, "impact"),
        ({"impact": "1"}, "impact"),
        ({"impact": True}, "impact"),
        ({"status": "closed"}, "status"),
        ({"status": "new"}, "status"),
        ({"assignee": 0}, "assignee"),
        ({"work_item_url": "javascript:alert(1)"}, "work_item_url"),
        ({"held": False}, "held"),
        ({"review_at": None}, "review_at"),
        ({"organization": 1}, "organization"),
        ({"version": 2**40}, "version"),
        ({"version": "1"}, "version"),
    ],
)
def test_what_is_wrong_with_a_change_is_named(
    house: House, anna: Program, changes: dict[str, Any], field: str
) -> None:
    ticket = house.ticket()

    answer = change(anna, ticket, **changes)

    assert answer.status == 400, answer
    assert [each["field"] for each in answer.body["errors"]] == [field]


def test_a_change_needs_the_version_that_was_looked_at(house: House, anna: Program) -> None:
    answer = anna.patch(f"/tickets/{house.ticket().reference}/", {"impact": 1})

    assert (answer.status, answer.faults) == (400, {"version": "required"})


def test_who_does_not_work_here_any_more_is_given_nothing(house: House, anna: Program) -> None:
    ticket = house.ticket()
    User.objects.filter(pk=house.ben.pk).update(is_active=False)

    assert change(anna, ticket, assignee=house.ben.pk).faults == {"assignee": "refused"}


# Ends, and out of sight for a while.


def test_a_ticket_is_resolved_closed_and_opened_again(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna)
    path = f"/tickets/{ticket.reference}"

    assert anna.post(f"{path}/close/").status == 422, "not before it is resolved"
    resolved = anna.post(f"{path}/resolve/", {"outcome": "The limit is raised.", "cause": "Limit"})
    assert (resolved.status, resolved.body["status"]) == (200, "resolved")
    assert anna.post(f"{path}/resolve/", {"outcome": "Again."}).status == 422
    assert anna.post(f"{path}/close/", {}).body["status"] == "closed"
    assert anna.post(f"{path}/reopen/").body["status"] == "open"
    assert anna.post(f"{path}/resolve/", {}).faults == {"outcome": "required"}


def test_an_action_may_say_the_version_it_is_for(house: House, anna: Program) -> None:
    ticket = house.ticket()
    house.status(ticket, "on_hold", now=after(minutes=1))

    answer = anna.post(
        f"/tickets/{ticket.reference}/resolve/", {"outcome": "Done.", "version": ticket.version}
    )

    assert (answer.status, answer.slug) == (409, "stale")


def test_while_an_escalation_is_open_a_ticket_is_not_resolved(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)

    answer = anna.post(f"/tickets/{ticket.reference}/resolve/", {"outcome": "Done."})

    assert (answer.status, answer.slug) == (422, "refused")
    assert anna.get(f"/tickets/{ticket.reference}/").body["escalated"] is True


def test_a_ticket_is_snoozed_and_woken(house: House, anna: Program) -> None:
    ticket = house.ticket()
    path = f"/tickets/{ticket.reference}"
    until = written(timezone.now().replace(microsecond=0) + timedelta(days=1))

    assert anna.post(f"{path}/snooze/", {"until": until}).body["snoozed_until"] == until
    assert anna.get(f"{path}/").body["snoozed_until"] == until
    assert anna.post(f"{path}/unsnooze/").body["snoozed_until"] is None
    over = anna.post(f"{path}/snooze/", {"until": "2026-01-01T00:00:00Z"})
    assert (over.status, over.faults) == (422, {"until": "refused"})
    assert anna.post(f"{path}/snooze/", {"until": "tomorrow"}).faults == {"until": "offset"}


def test_the_timeline_says_what_happened(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna)
    anna.post(f"/tickets/{ticket.reference}/messages/", {"kind": "note", "text": "Timeouts."})
    path = f"/tickets/{ticket.reference}/events/"

    answer = anna.get(path)
    assert answer.rows[0]["kind"] == "noted"
    assert answer.rows[0]["user"]["id"] == house.anna.pk
    assert answer.rows[0]["data"] == {"message": Message.objects.latest("pk").pk}
    assert [row["kind"] for row in anna.get(f"{path}?kind=ticket_opened").rows] == ["ticket_opened"]
    assert len(queries(lambda: anna.get(path))) == 3
