"""What is said on a ticket, what is known of it, and what is to be done, over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from desk.api.fields import written
from tests.api.programs import Program, queries
from tests.house import START, House, after, letters_of
from tickets import closing
from tickets.models import Event, FollowUp, Message, Ticket

pytestmark = pytest.mark.django_db

FILE = {"name": "calls.html", "content_type": "text/html", "data": "PHNjcmlwdD4="}


def path(ticket: Ticket, rest: str = "") -> str:
    return f"/tickets/{ticket.reference}/{rest}"


def test_a_reply_goes_to_the_customer(house: House, anna: Program) -> None:
    ticket = house.ticket()

    answer = anna.post(path(ticket, "messages/"), {"kind": "reply", "text": "We look into it."})

    assert answer.status == 201, answer
    assert (answer.body["kind"], answer.body["internal"]) == ("reply", False)
    assert answer.body["user"]["id"] == house.anna.pk
    now = anna.get(path(ticket)).body
    assert (now["status"], now["assignee"]["id"]) == ("waiting_on_customer", house.anna.pk)
    assert letters_of(ticket) == ["reply"]


def test_a_note_stays_among_staff(house: House, anna: Program) -> None:
    ticket = house.ticket()

    answer = anna.post(path(ticket, "messages/"), {"kind": "note", "text": "Timeouts."})

    assert (answer.status, answer.body["internal"]) == (201, True)
    assert letters_of(ticket) == []


def test_what_a_customer_says_comes_with_its_files(house: House, anna: Program) -> None:
    ticket = house.ticket()
    house.status(ticket, "waiting_on_customer", now=after(minutes=1))
    ola = house.contact("Ola Berg", house.norvik)

    answer = anna.post(
        path(ticket, "messages/"),
        {
            "kind": "customer",
            "contact": ola.pk,
            "text": "It still fails, see the log.",
            "attachments": [FILE],
        },
    )

    assert answer.status == 201, answer
    assert answer.body["contact"]["id"] == ola.pk
    assert anna.get(path(ticket)).body["status"] == "open", "it wakes the ticket"
    [file] = answer.body["attachments"]
    handed = anna.get(file["url"])
    assert (handed.status, handed.raw) == (200, b"<script>")
    assert handed.headers["Content-Disposition"].startswith("attachment")
    assert handed.headers["X-Content-Type-Options"] == "nosniff"
    assert handed.content_type == "application/octet-stream"
    assert Event.objects.get(ticket=ticket, kind="message_received").user == house.anna


def test_a_word_on_a_closed_ticket_opens_a_new_one(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna)
    anna.post(path(ticket, "resolve/"), {"outcome": "Done."})
    closing.close(ticket_id=ticket.pk, now=timezone.now(), by=house.anna)

    answer = anna.post(path(ticket, "messages/"), {"kind": "customer", "text": "It is back."})

    assert answer.status == 201
    continued = answer.body["ticket"]
    assert continued != ticket.reference
    assert anna.get(f"/tickets/{continued}/").body["continues"] == ticket.reference


def test_only_the_requester_and_their_colleagues_are_on_a_ticket(
    house: House, anna: Program
) -> None:
    ticket = house.ticket()

    answer = anna.post(
        path(ticket, "messages/"),
        {"kind": "customer", "contact": house.juergen.pk, "text": "Let me in."},
    )

    assert (answer.status, answer.faults) == (422, {"contact": "refused"})


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"text": "x"}, "kind"),
        ({"kind": "mail", "text": "x"}, "kind"),
        ({"kind": "note", "text": " "}, "text"),
        ({"kind": "note", "text": "x", "status": "open"}, "status"),
        ({"kind": "note", "text": "x", "attachments": [FILE]}, "attachments"),
        ({"kind": "reply", "text": "x", "contact": 1}, "contact"),
        ({"kind": "reply", "text": "x", "status": "resolved"}, "status"),
        ({"kind": "customer", "text": "x", "contact": 999_999}, "contact"),
        ({"kind": "note", "text": "x", "user": 1}, "user"),
        ({"kind": "note", "text": "x", "internal": False}, "internal"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(
    house: House, anna: Program, said: dict[str, Any], field: str
) -> None:
    answer = anna.post(path(house.ticket(), "messages/"), said)

    assert (answer.status, list(answer.faults)) == (400, [field])


def test_a_reply_to_what_has_changed_is_refused_where_the_version_is_said(
    house: House, anna: Program
) -> None:
    ticket = house.ticket()
    house.status(ticket, "on_hold", now=after(minutes=1))

    answer = anna.post(
        path(ticket, "messages/"), {"kind": "note", "text": "x", "version": ticket.version}
    )

    assert (answer.status, answer.body["current"]) == (409, ticket.version + 1)
    assert Message.objects.filter(ticket=ticket).count() == 1


def test_a_conversation_is_read_in_pages(house: House, anna: Program) -> None:
    ticket = house.ticket()
    for number in range(5):
        anna.post(path(ticket, "messages/"), {"kind": "note", "text": f"Note {number}"})

    newest = anna.get(path(ticket, "messages/?limit=2"))
    assert [row["text"] for row in newest.rows] == ["Note 4", "Note 3"]
    assert [row["text"] for row in anna.get(newest.body["next"]).rows] == ["Note 2", "Note 1"]
    customers = anna.get(path(ticket, "messages/?kind=customer&internal=false"))
    assert [row["contact"]["id"] for row in customers.rows] == [house.dana.pk]
    assert len(queries(lambda: anna.get(path(ticket, "messages/")))) == 4


def test_details_are_told_set_and_asked_for(house: House, anna: Program) -> None:
    ticket = house.ticket(text="Every call fails.")

    told = anna.get(path(ticket, "details/")).body
    assert told["completeness"] == 0
    [missing] = told["details"]
    assert (missing["key"], missing["required"], missing["value"]) == ("key-id", True, None)
    asked = anna.post(path(ticket, "ask/"), {"keys": ["key-id"]})
    assert (asked.status, asked.body["status"]) == (200, "waiting_on_customer")
    assert letters_of(ticket) == ["detail_needed"]
    known = anna.put(path(ticket, "details/key-id/"), {"value": "key_4f2a91"}).body
    assert known["completeness"] == 100
    [detail] = known["details"]
    assert (detail["value"], detail["set_by"]) == ("key_4f2a91", house.anna.pk)
    assert detail["asked_at"] is not None
    nothing = anna.post(path(ticket, "ask/"))
    assert (nothing.status, nothing.faults) == (422, {"keys": "refused"})


@pytest.mark.parametrize("value", ["", None, 7, ["x"], {"a": 1}, "x" * 1001])
def test_a_detail_is_a_line_of_text(house: House, anna: Program, value: Any) -> None:
    answer = anna.put(path(house.ticket(), "details/key-id/"), {"value": value})

    assert (answer.status, list(answer.faults)) == (400, ["value"])


def test_a_follow_up_is_added_and_ticked_off(house: House, anna: Program) -> None:
    ticket = house.ticket()
    due = written(timezone.now().replace(microsecond=0) + timedelta(hours=3))

    made = anna.post(
        path(ticket, "follow-ups/"),
        {"text": "Ask again.", "due_at": due, "user": house.ben.pk, "every": "4h"},
    )

    assert made.status == 201, made
    assert (made.body["user"]["id"], made.body["due_at"]) == (house.ben.pk, due)
    assert [row["id"] for row in anna.get(path(ticket, "follow-ups/?open=true")).rows] == [
        made.body["id"]
    ]
    for _again in range(2):
        done = anna.post(path(ticket, f"follow-ups/{made.body['id']}/done/"))
        assert (done.status, done.body["done_at"] is not None) == (200, True)
    assert anna.get(path(ticket, "follow-ups/?open=true")).rows == []
    assert len(anna.get(path(ticket, "follow-ups/?open=false")).rows) == 1


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"due_at": "2026-01-01T00:00:00Z"}, 422, "due_at"),
        ({"due_at": "2100-01-01T00:00:00Z"}, 400, "due_at"),
        ({"due_at": 1}, 400, "due_at"),
        ({"every": "often"}, 422, "every"),
        ({"user": 999_999}, 400, "user"),
        ({"text": ""}, 400, "text"),
    ],
)
def test_what_is_wrong_with_a_follow_up_is_named(
    house: House, anna: Program, wrong: dict[str, Any], status: int, field: str
) -> None:
    asked = {"text": "Ask again.", "due_at": "2099-01-01T00:00:00Z", **wrong}

    answer = anna.post(path(house.ticket(), "follow-ups/"), asked)

    assert (answer.status, list(answer.faults)) == (status, [field])
    assert not FollowUp.objects.exists()


def test_a_follow_up_that_is_no_longer_needed_is_not_ticked_off(
    house: House, anna: Program
) -> None:
    ticket = house.ticket()
    made = anna.post(
        path(ticket, "follow-ups/"), {"text": "x", "due_at": "2099-01-01T00:00:00Z"}
    ).body["id"]
    FollowUp.objects.filter(pk=made).update(dropped_at=START)

    assert anna.post(path(ticket, f"follow-ups/{made}/done/")).status == 422
