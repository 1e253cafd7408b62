"""Tickets over the API: opened, listed, read, changed."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from desk.api.fields import written
from staff.models import User
from tests.api.programs import Answer, Program, queries
from tests.house import START, House, after
from tickets import triage
from tickets.inbound.reader import limits
from tickets.models import Attachment, Contact, Detail, Event, Message, Ticket

pytestmark = pytest.mark.django_db

ASKED: dict[str, Any] = {
    "requester": {"email": "dana@norvik.example"},
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10. Our key is key_4f2a91.",
}
FILE = {"name": "../calls.log", "content_type": "text/plain", "data": "NTAyIDUwMg=="}


def references(answer: Answer) -> list[str]:
    return [row["reference"] for row in answer.rows]


def change(program: Program, ticket: Ticket, **changes: Any) -> Answer:
    """A change of the ticket as it is now."""
    version = Ticket.objects.values_list("version", flat=True).get(pk=ticket.pk)
    return program.patch(f"/tickets/{ticket.reference}/", {"version": version, **changes})


# Opening one.


def test_a_program_opens_a_ticket_for_a_customer(house: House, anna: Program) -> None:
    answer = anna.post(
        "/tickets/",
        {
            **ASKED,
            "customer_reference": "INC-88",
            "tags": ["invoices", "vip", "vip"],
            "details": {"region": "eu-west"},
            "attachments": [FILE],
        },
    )

    assert answer.status == 201, answer
    ticket = Ticket.objects.get()
    assert answer.headers["Location"] == f"/api/v1/tickets/{ticket.reference}/"
    assert answer.body == anna.get(answer.headers["Location"]).body
    assert answer.body["requester"]["id"] == house.dana.pk
    assert answer.body["category"] == "api", "told by the words, as with a mail"
    assert answer.body["team"]["slug"] == "emea"
    assert answer.body["tags"] == ["invoices", "vip"]
    assert (ticket.channel, ticket.customer_reference) == ("api", "INC-88")
    assert dict(Detail.objects.filter(ticket=ticket).values_list("key", "value")) == {
        "key-id": "key_4f2a91",
        "region": "eu-west",
    }
    [kept] = Attachment.objects.filter(message__ticket=ticket)
    assert (kept.name, kept.file.read()) == ("calls.log", b"502 502")
    [opened] = Event.objects.filter(ticket=ticket, kind="ticket_opened")
    assert (opened.user, opened.contact) == (house.anna, house.dana), "who answers for it"


def test_who_is_not_known_becomes_a_contact(house: House, anna: Program) -> None:
    for email, organization in (("ola@norvik.example", house.norvik), ("ola@gmail.com", None)):
        answer = anna.post(
            "/tickets/", {**ASKED, "requester": {"email": email, "name": "Ola Berg"}}
        )
        assert answer.status == 201, answer
        contact = Contact.objects.get(email=email)
        assert (contact.name, contact.organization) == ("Ola Berg", organization)


def test_who_is_known_by_an_id_or_an_address_stays_as_they_are(house: House, anna: Program) -> None:
    for requester in (
        {"id": house.dana.pk},
        {"email": "DANA@norvik.example", "name": "Somebody Else"},
    ):
        answer = anna.post("/tickets/", {**ASKED, "requester": requester})
        assert (answer.status, answer.body["requester"]["name"]) == (201, "Dana Reyes")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"requester": {}}, "requester"),
        ({"requester": {"id": 1, "email": "a@b.example"}}, "requester"),
        ({"requester": {"id": 999_999}}, "requester.id"),
        ({"requester": {"email": "nobody"}}, "requester.email"),
        ({"category": "nothing"}, "category"),
        ({"subject": "  \n "}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"text": "x" * 50_001}, "text"),
        ({"details": {"a b": "c"}}, "details"),
        ({"details": {f"k{n}": "v" for n in range(51)}}, "details"),
        ({"details": {"key-id": 7}}, "details.key-id"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"attachments": [{"name": "a", "data": "===="}]}, "attachments.0.data"),
        ({"attachments": [FILE] * (limits().parts + 1)}, "attachments"),
    ],
)
def test_what_is_wrong_with_a_new_ticket_is_named(
    anna: Program, wrong: dict[str, Any], field: str
) -> None:
    answer = anna.post("/tickets/", {**ASKED, **wrong})

    assert answer.status == 400, answer
    assert list(answer.faults) == [field]
    assert not Ticket.objects.exists()


def test_files_may_be_as_large_as_a_visitors(anna: Program) -> None:
    half = base64.b64encode(b"x" * (limits().raw // 2 + 1)).decode()
    two = [{"name": name, "data": half} for name in ("a", "b")]

    answer = anna.post("/tickets/", {**ASKED, "attachments": two})

    assert (answer.status, answer.faults) == (400, {"attachments": "too_large"})
    assert anna.post("/tickets/", {**ASKED, "attachments": two[:1]}).status == 201


def test_a_customer_id_that_nobody_has_is_refused(anna: Program) -> None:
    requester = {"email": "new@elsewhere.example", "customer_id": "NOBODY-1"}

    answer = anna.post("/tickets/", {**ASKED, "requester": requester})

    assert (answer.status, answer.slug) == (422, "refused")
    assert answer.faults == {"requester.customer_id": "refused"}


def test_opening_a_ticket_takes_so_many_queries(house: House, anna: Program) -> None:
    asked = {**ASKED, "text": "Nothing to find here."}
    anna.post("/tickets/", asked)

    plain = queries(lambda: anna.post("/tickets/", asked))
    keyed = queries(lambda: anna.post("/tickets/", asked, headers={"Idempotency-Key": "1"}))
    found = queries(lambda: anna.post("/tickets/", ASKED))

    # Each event asks once whether a webhook hears of it.
    assert len(plain) <= 9, "\n".join(plain)
    assert len(keyed) <= 11, "\n".join(keyed)
    assert len(found) <= 14, "\n".join(found)


# The list.


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


# Changing one.


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
