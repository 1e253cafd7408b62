"""The engine's look: what it costs, and two at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import lifecycle, review
from escalation.authority import WrongState
from escalation.models import (
    Escalation,
    Handoff,
    Step,
)
from notifications.models import Notification, OutgoingEmail
from tests.atonce import at_once
from tests.escalation.looking import urgent
from tests.house import START, House, after, letters_of
from tickets.models import Ticket
from tickets.models.ticket import Channel

QUERIES_OF_A_LOOK = 53
"""For rule, package, promise, letters and notices of every ticket of a batch together."""


# What it costs


@pytest.mark.parametrize("number", [4, 50])
def test_a_batch_costs_a_fixed_number_of_queries(house: House, number: int) -> None:
    for _ticket in range(number):
        urgent(house, channel=Channel.API)
    house.sweep(START)
    with CaptureQueriesContext(connection) as queries:
        assert house.sweep(after(minutes=15)) == number
    assert Escalation.objects.count() == number
    assert len(queries) == QUERIES_OF_A_LOOK


def test_handing_on_to_backup_teams_costs_a_fixed_number_of_queries(house: House) -> None:
    def hand_on(number: int, since: datetime) -> int:
        for _ticket in range(number):
            ticket = urgent(house, channel=Channel.API, now=since)
            house.escalate(ticket, now=since)
        for minutes in (0, 5, 10, 15):
            house.sweep(since + timedelta(minutes=minutes))
        with CaptureQueriesContext(connection) as queries:
            house.sweep(since + timedelta(minutes=30))
        assert Handoff.objects.filter(offered_at=since + timedelta(minutes=30)).count() == number
        Ticket.objects.update(review_at=None)
        return len(queries)

    assert hand_on(4, START) == hand_on(12, after(hours=9))


def test_an_idle_sweep_asks_one_question(house: House) -> None:
    house.ticket()
    house.sweep(START)
    with CaptureQueriesContext(connection) as queries:
        assert house.sweep(after(seconds=1)) == 0
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_escalate_each_ticket_once(house: House) -> None:
    tickets = [urgent(house, channel=Channel.API) for _number in range(24)]
    house.sweep(START)
    looked = at_once(*[lambda: review.sweep(clock=lambda: after(minutes=15), batch=3)] * 2)
    assert sum(looked) == len(tickets)
    assert Escalation.objects.count() == len(tickets)
    assert Step.objects.count() == 0
    for model, kind in ((OutgoingEmail, "escalated"), (Notification, "staff_clock_breached")):
        rows = model._default_manager.filter(kind=kind)
        assert rows.count() == len(tickets), kind
    breached = Notification.objects.filter(kind="staff_clock_breached")
    assert all(len(notice.readers) == 2 for notice in breached)
    assert not Ticket.objects.exclude(review_error="").exists()


@pytest.mark.django_db(transaction=True)
def test_accepting_while_the_engine_looks_leaves_no_step_after_it(house: House) -> None:
    escalations = [house.escalate(urgent(house, channel=Channel.API)) for _number in range(8)]
    house.sweep(START)

    def accept_all() -> int:
        for escalation in escalations:
            lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=5), by=house.priya)
        return len(escalations)

    at_once(accept_all, lambda: review.sweep(clock=lambda: after(minutes=5), batch=2))
    steps = Step.objects.count()
    for minutes in (6, 15, 60):
        house.sweep(after(minutes=minutes))
    assert Step.objects.count() == steps
    assert set(Escalation.objects.values_list("state", flat=True)) == {"accepted"}
    assert not Ticket.objects.exclude(review_error="").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_is_too_late(house: House) -> None:
    escalation = house.escalate(urgent(house))

    def accept(by: Any) -> int:
        try:
            lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=1), by=by)
        except WrongState:
            return 0
        return 1

    assert sum(at_once(lambda: accept(house.priya), lambda: accept(house.mei))) == 1
    assert letters_of(escalation.ticket).count("accepted") == 1
    assert Handoff.objects.get(escalation=escalation).outcome == "accepted"
