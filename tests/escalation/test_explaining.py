"""Explaining: why a ticket was escalated, why not by the other rules, what happens next and when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import endings, lifecycle
from escalation.explanation import Explanation, explain_ticket
from escalation.tasks import database_clock
from tests.house import START, House, after
from tickets import followups
from tickets.models import Ticket
from tickets.models.followup import FollowUpKind
from tickets.models.ticket import Status


def explained(ticket: Ticket, *, now: datetime) -> Explanation:
    ticket = Ticket.objects.select_related(
        "team__tier", "requester", "organization__plan", "category", "assignee"
    ).get(pk=ticket.pk)
    return explain_ticket(ticket=ticket, now=now)


def rule(explanation: Explanation, key: str) -> dict[str, Any]:
    return next(rule for rule in explanation.to_json()["rules"] if rule["rule"] == key)


def coming(explanation: Explanation) -> list[tuple[str, datetime, str]]:
    return [(each.kind, each.at, each.who) for each in explanation.coming]


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("explain", *arguments, stdout=out)
    return out.getvalue()


# Why, and why not


def test_why_it_was_escalated_is_told_with_what_the_rule_saw(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1)
    house.sweep(after(minutes=15))
    [made] = explained(ticket, now=after(hours=5)).to_json()["made"]
    assert made["escalation"] == f"{ticket.reference}:functional:1"
    assert (made["rule"], made["policy"]) == ("p1-unanswered", "Default v1")
    assert made["at"] == after(minutes=15).isoformat()
    assert [(r["fact"], r["actual"], r["holds"]) for r in made["reasons"]] == [
        ("priority", "P1", True),
        ("unanswered_for", "15m wall", True),
    ]


def test_why_not_by_another_rule_with_the_fact_that_speaks_against_it(house: House) -> None:
    ticket = house.ticket()
    found = rule(explained(ticket, now=after(minutes=20)), "p1-unanswered")
    assert (found["decides"], found["holds"], found["skipped"]) == (False, False, None)
    by_fact = {reason["fact"]: reason for reason in found["reasons"]}
    assert by_fact["priority"]["holds"] is False
    assert by_fact["priority"]["actual"] == "P3"
    assert by_fact["unanswered_for"]["holds"] is True
    assert found["matches_from"] is None, "time alone will not make it a P1"


def test_when_a_rule_would_hold_if_nothing_but_time_passes(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1)
    house.sweep(START)
    explanation = explained(ticket, now=after(minutes=5))
    found = rule(explanation, "p1-unanswered")
    assert found["matches_from"] == after(minutes=15).isoformat()
    assert found["goes_to"] == "Integrations"
    assert ("rule", after(minutes=15), "Integrations") in coming(explanation)
    house.sweep(after(minutes=15) - timedelta(microseconds=1))
    assert not ticket.escalations.exists()
    house.sweep(after(minutes=15))
    assert ticket.escalations.get().handoffs.get().to_team.name == "Integrations", "as was told"


@pytest.mark.parametrize(
    ("situation", "skipped"),
    [("escalated", "escalated"), ("done", "fired"), ("over", "ended")],
)
def test_a_rule_that_is_not_asked_says_why(house: House, situation: str, skipped: str) -> None:
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.sweep(after(minutes=15))
    if situation != "escalated":
        escalation = ticket.escalations.get()
        lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=16), by=house.priya)
        lifecycle.resolve(
            escalation_id=escalation.pk, outcome="Done.", now=after(minutes=17), by=house.priya
        )
    if situation == "over":
        endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=after(minutes=18), by=house.anna)
    found = rule(explained(ticket, now=after(minutes=20)), "p1-unanswered")
    assert found["skipped"] == skipped
    assert found["decides"] is False


# What comes next


def test_what_comes_next_is_told_in_its_order_with_who_will_hear_of_it(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.escalate(ticket)
    followups.add(
        ticket_id=ticket.pk,
        kind=FollowUpKind.BY_HAND,
        key="call",
        due_at=after(minutes=50),
        text="Call Dana",
        now=START,
        by=house.anna,
    )
    house.sweep(after(minutes=1))
    told = coming(explained(ticket, now=after(minutes=1)))
    assert [at for _kind, at, _who in told] == sorted(at for _kind, at, _who in told)
    assert told[0] == ("path", after(minutes=30), "Integrations")
    assert ("follow_up", after(minutes=50), "Anna Keller") in told
    assert ("path", after(minutes=90), "Grace Lim") in told
    assert ("path", after(minutes=210), "Platform") in told
    assert ("clock", after(minutes=120), "") in told, "the acceptance"
    assert ("clock_warning", after(hours=3), "") in told
    assert ("promise_warning", after(hours=23), "Anna Keller") in told
    assert ("promise", after(hours=24), "Anna Keller") in told


def test_the_next_look_is_the_first_of_what_comes(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.escalate(ticket)
    now = after(minutes=1)
    for _look in range(8):
        house.sweep(now)
        explanation = explained(ticket, now=now)
        assert explanation.next_look is not None
        assert explanation.next_look == explanation.coming[0].at
        now = explanation.next_look


def test_a_resolved_ticket_closes_next(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=START, by=house.anna)
    house.sweep(START)
    assert coming(explained(ticket, now=after(hours=1))) == [("close", after(days=14), "")]


def test_what_stands_still_does_not_come(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.status(ticket, Status.ON_HOLD, now=after(hours=1))
    house.sweep(after(hours=1))
    assert coming(explained(ticket, now=after(hours=2))) == []


def test_explaining_writes_nothing(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1)
    with CaptureQueriesContext(connection) as queries:
        explained(ticket, now=after(minutes=20))
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert len(queries) < 30
    assert not ticket.escalations.exists()


# The command


def test_the_command_tells_it_in_words(house: House) -> None:
    now = database_clock()
    ticket = house.ticket(impact=1, urgency=1, now=now - timedelta(minutes=5, seconds=30))
    house.sweep(now - timedelta(minutes=5))
    text = command(ticket.reference)
    assert text.startswith(f"{ticket.reference} POST /v2/invoices returns 502  (P1, New)")
    assert "Escalated by rule\n  not so far" in text
    assert "p1-unanswered: does not hold → Integrations" in text
    assert "✓ The priority: wanted P1, is P1" in text
    assert "✗ Time without a reply: wanted at least 15 minutes, is 5 minutes" in text
    holds_from = now + timedelta(minutes=9, seconds=30)
    assert f"would hold from {holds_from:%a %d %b %H:%M:%S}" in text
    assert (
        f"{holds_from:%a %d %b %H:%M:%S}  Escalates by the rule"
        " “A P1 ticket has waited 15 minutes for a reply”  → Integrations"
    ) in text


def test_and_afterwards_why_it_was(house: House) -> None:
    now = database_clock()
    ticket = house.ticket(impact=1, urgency=1, now=now - timedelta(minutes=20))
    house.sweep(now - timedelta(minutes=5))
    text = command(str(ticket.pk))
    assert "p1-unanswered  (Default v1)" in text
    assert "Time without a reply: wanted at least 15 minutes, is 15 minutes" in text
    assert "p1-unanswered: is not asked: an escalation of this kind is open" in text
    assert "reopened-twice: does not hold → Marco Ruiz (Frontline EMEA)" in text
    assert "✗ Times reopened: wanted at least 2, is 0" in text
    assert "Path, step 2: ask the person on call  → Priya Nair" in text


def test_it_speaks_to_programs(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1, now=database_clock() - timedelta(minutes=20))
    house.sweep(database_clock())
    told = json.loads(command(ticket.reference, "--json"))
    assert told["ticket"] == ticket.reference
    assert [made["rule"] for made in told["made"]] == ["p1-unanswered"]
    assert [rule["rule"] for rule in told["rules"]] == [
        "p1-unanswered",
        "resolution-nearly-used",
        "reopened-twice",
        "customer-asks",
    ]
    assert {"at", "kind", "what", "who"} == set(told["coming"][0])
    assert datetime.fromisoformat(told["next_look"]).tzinfo is not None


def test_times_can_be_told_in_a_zone(house: House) -> None:
    now = database_clock()
    ticket = house.ticket(now=now)
    house.sweep(now)
    assert command(ticket.reference) != command(ticket.reference, "--zone", "Asia/Tokyo")


@pytest.mark.parametrize("arguments", [("HD-999999",), ("nonsense",)])
def test_a_ticket_that_is_not_there_is_said_plainly(
    house: House, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match="There is no ticket"):
        command(*arguments)


def test_an_unknown_zone_too(house: House) -> None:
    with pytest.raises(CommandError, match="no time zone"):
        command(house.ticket().reference, "--zone", "Moon/Crater")
