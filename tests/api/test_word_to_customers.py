"""What customers were told, why, and what became of it: read by programs, and told anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from escalation.models import Decision, Promise
from notifications import rendering
from notifications.models import DeliveryEvent, OutgoingEmail
from staff.apitokens import Scope
from tests.api.programs import Program, queries
from tests.house import House
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def escalated(house: House) -> Ticket:
    ticket = house.ticket(assignee=house.anna, now=timezone.now())
    house.escalate(ticket, now=timezone.now())
    return ticket


def test_promises_are_the_times_the_customer_was_told(
    house: House, anna: Program, escalated: Ticket
) -> None:
    promise = Promise.objects.get()

    [row] = anna.get(f"/tickets/{escalated.reference}/promises/").rows

    assert (row["id"], row["kind"], row["state"]) == (promise.pk, "reply", "open")
    assert row["escalation"] == promise.escalation_id
    assert row["made_by"]["id"] == house.anna.pk
    assert row["letter"] == promise.email_id
    assert anna.get(f"/tickets/{escalated.reference}/promises/?state=kept").rows == []


def test_another_time_takes_the_place_of_the_first(anna: Program, escalated: Ticket) -> None:
    first = Promise.objects.get()
    due = (timezone.now() + timedelta(days=3)).replace(microsecond=0)

    answer = anna.post(
        f"/tickets/{escalated.reference}/new-time/",
        {"due": due.isoformat(), "reason": "The vendor has not answered yet."},
    )

    assert answer.status == 201, answer
    assert answer.body["replaces"] == first.pk
    assert answer.body["due_at"] == due.isoformat().replace("+00:00", "Z")
    assert answer.body["slips"] == 1
    assert OutgoingEmail.objects.filter(kind="new_expected_time").exists()


@pytest.mark.parametrize(
    ("path", "said", "status", "field"),
    [
        ("new-time", {"due": "2020-01-01T00:00:00Z", "reason": "Later."}, 422, "due"),
        ("new-time", {"due": "soon", "reason": "Later."}, 400, "due"),
        ("new-time", {"due": "2099-01-01T00:00:00Z"}, 400, "reason"),
        ("update", {"headline": "", "text": "It goes on."}, 400, "headline"),
        ("update", {"headline": "News", "text": " "}, 400, "text"),
        (
            "update",
            {"headline": "News", "text": "It goes on.", "next_word_by": "2020-01-01T00:00:00Z"},
            422,
            "next_word_by",
        ),
    ],
)
def test_word_that_cannot_be_sent_names_the_field(
    anna: Program, escalated: Ticket, path: str, said: dict[str, str], status: int, field: str
) -> None:
    letters = OutgoingEmail.objects.count()

    answer = anna.post(f"/tickets/{escalated.reference}/{path}/", said)

    assert answer.status == status, answer
    assert field in answer.faults
    assert OutgoingEmail.objects.count() == letters


def test_no_time_stands_on_a_ticket_that_has_none(house: House, anna: Program) -> None:
    ticket = house.ticket(assignee=house.anna, now=timezone.now())

    answer = anna.post(
        f"/tickets/{ticket.reference}/new-time/",
        {"due": "2099-01-01T00:00:00Z", "reason": "Later."},
    )

    assert (answer.status, answer.slug) == (422, "refused")


def test_an_update_keeps_the_promise_and_makes_the_next(anna: Program, escalated: Ticket) -> None:
    answer = anna.post(
        f"/tickets/{escalated.reference}/update/",
        {
            "headline": "The cause is found",
            "text": "A limit of the gateway is too low.",
            "next_word_by": "2099-01-01T00:00:00Z",
        },
    )

    assert answer.status == 200, answer
    assert answer.body["last_public_update_at"] is not None
    states = [row["state"] for row in anna.get(f"/tickets/{escalated.reference}/promises/").rows]
    assert states == ["open", "kept"]


def test_deliveries_say_what_became_of_each_letter_and_not_what_it_says(
    anna: Program, escalated: Ticket
) -> None:
    letter = OutgoingEmail.objects.get(kind="escalated")
    rendered = rendering.render(mail=letter)
    OutgoingEmail.objects.filter(pk=letter.pk).update(subject=rendered.subject, text=rendered.text)
    DeliveryEvent.objects.create(
        email=letter,
        about=letter.about,
        kind="bounced",
        source="dsn",
        at=timezone.now(),
        recipient=letter.to_address,
        status="5.1.1",
        said="no such mailbox",
        event_key="one",
    )

    answer = anna.get(f"/tickets/{escalated.reference}/deliveries/?kind=escalated")

    [row] = answer.rows
    assert (row["id"], row["state"], row["to"]) == (letter.pk, "queued", letter.to_address)
    assert row["message_id"] == letter.message_id
    [event] = row["events"]
    assert (event["kind"], event["told_by"], event["status"]) == ("bounced", "dsn", "5.1.1")
    assert rendered.text[:40] not in answer.raw.decode()
    assert anna.get(f"/tickets/{escalated.reference}/deliveries/?state=failed").rows == []


def test_letters_take_as_many_queries_for_ten_as_for_one(
    house: House, anna: Program, escalated: Ticket
) -> None:
    path = f"/tickets/{escalated.reference}/deliveries/"
    anna.get(path)  # a first use is written down
    before = queries(lambda: anna.get(path))
    for number in range(6):
        house.reply(escalated, now=timezone.now() + timedelta(seconds=number))

    after = queries(lambda: anna.get(path))

    # The token with its person, whether the ticket may be seen, the letters, what was heard of them.
    assert len(before) == len(after) == 4, after


def test_the_explanation_is_the_engines_own(house: House, anna: Program) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    ticket = house.ticket(assignee=house.anna, now=long_ago, impact=1, urgency=1)
    house.sweep(timezone.now())

    explained = anna.get(f"/tickets/{ticket.reference}/explanation/").body
    decisions = anna.get(f"/tickets/{ticket.reference}/decisions/").rows

    decision = Decision.objects.filter(ticket=ticket).latest("pk")
    assert explained["ticket"] == ticket.reference
    assert {rule["rule"] for rule in explained["rules"]} >= {decision.rule_key}
    assert all(rule["goes_to"] for rule in explained["rules"])
    assert explained["coming"]
    assert explained["at"].endswith("Z")
    assert decisions[0]["rule"] == decision.rule_key == explained["made"][0]["rule"]
    assert decisions[0]["escalation"] == decision.escalation_id
    assert decisions[0]["reasons"] == explained["made"][0]["reasons"]
    assert any(reason["holds"] for reason in decisions[0]["reasons"])
    rule = f"/tickets/{ticket.reference}/decisions/?rule="
    assert anna.get(f"{rule}{decision.rule_key}").rows == decisions
    assert anna.get(f"{rule}nothing-like-it").rows == []


def test_reading_them_asks_for_the_scope_of_escalations(house: House, escalated: Ticket) -> None:
    program = Program(house.anna, [Scope.TICKETS_READ, Scope.TICKETS_WRITE])

    for part in ("promises", "decisions", "explanation", "escalations"):
        assert program.get(f"/tickets/{escalated.reference}/{part}/").slug == "missing-scope"
    assert program.get(f"/tickets/{escalated.reference}/deliveries/").status == 200
