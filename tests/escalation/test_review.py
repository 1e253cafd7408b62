"""The review: it may look twice, late or at once from two sides, and the result is the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from escalation import endings, lifecycle, review
from escalation.models import (
    Clock,
    ClockRun,
    Decision,
    Escalation,
    Handoff,
    PolicyVersion,
    Promise,
    Step,
)
from escalation.models.escalation import Kind, Trigger
from notifications.models import Notification, OutgoingEmail
from staff.models import CalendarVersion
from tests.escalation.looking import review_at, urgent
from tests.house import START, House, after, letters_of, steps_of, told
from tickets import closing, followups
from tickets.models import Detail, Event, FollowUp, Ticket
from tickets.models.followup import FollowUpKind
from tickets.models.ticket import Channel, Status

WRITTEN: tuple[type[models.Model], ...] = (
    Ticket,
    Clock,
    ClockRun,
    Decision,
    Escalation,
    Handoff,
    Step,
    Promise,
    Detail,
    FollowUp,
    Event,
    OutgoingEmail,
    Notification,
)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row the engine writes."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in WRITTEN
    }


def look_again(*tickets: Ticket) -> None:
    """Something rang; nothing happened."""
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(review_at=START)


# Rule 1


def test_a_p1_that_waits_a_quarter_of_an_hour_escalates_by_itself_once(house: House) -> None:
    ticket = urgent(house)
    house.sweep(after(minutes=14, seconds=59))
    assert not ticket.escalations.exists()
    house.run(since=after(minutes=15), until=after(minutes=25), every=timedelta(seconds=30))
    escalation = ticket.escalations.get()
    assert (escalation.trigger, escalation.rule_key) == (Trigger.RULE, "p1-unanswered")
    assert (escalation.nature, escalation.urgency) == ("overdue", 1)
    assert escalation.opened_at == after(minutes=15)
    assert escalation.handoffs.get().to_team == house.integrations
    assert letters_of(ticket) == ["received", "escalated"]
    ticket.refresh_from_db()
    assert ticket.held


def test_the_decision_is_kept_with_its_reasons(house: House) -> None:
    ticket = urgent(house)
    house.sweep(after(minutes=15))
    decision = Decision.objects.get(ticket=ticket)
    assert decision.escalation == ticket.escalations.get()
    assert decision.policy_version == PolicyVersion.objects.in_force()
    assert [
        (reason["fact"], reason["wanted"], reason["actual"], reason["holds"])
        for reason in decision.reasons
    ] == [
        ("priority", "P1", "P1", True),
        ("unanswered_for", "15m wall", "15m wall", True),
    ]


def test_a_rule_asks_the_customer_for_what_is_missing_in_its_letter(house: House) -> None:
    ticket = urgent(house, text="Nothing works.")
    house.sweep(after(minutes=15))
    assert ticket.escalations.get().missing == ["key-id"]
    assert Detail.objects.get(ticket=ticket).asked_at == after(minutes=15)


def test_an_answered_ticket_is_left_alone(house: House) -> None:
    ticket = urgent(house)
    house.reply(ticket, now=after(minutes=14))
    house.sweep(after(minutes=15))
    assert not ticket.escalations.exists()


def test_a_reply_at_the_very_instant_counts(house: House) -> None:
    ticket = urgent(house)
    house.reply(ticket, now=after(minutes=15))
    house.sweep(after(minutes=15))
    assert not ticket.escalations.exists()


def test_a_rule_that_has_escalated_does_not_do_so_again_until_the_ticket_is_reopened(
    house: House,
) -> None:
    ticket = urgent(house)
    house.sweep(after(minutes=15))
    escalation = ticket.escalations.get()
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=16), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Done.", now=after(minutes=20), by=house.priya
    )
    house.run(since=after(minutes=20), until=after(minutes=60), every=timedelta(minutes=5))
    assert ticket.escalations.count() == 1
    endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=after(minutes=61), by=house.anna)
    house.answer(ticket, "It fails again, please look.", now=after(minutes=90))
    house.run(since=after(minutes=90), until=after(minutes=110), every=timedelta(minutes=5))
    assert ticket.escalations.count() == 2


def test_one_look_carries_out_what_one_rule_sets_going_in_another(house: House) -> None:
    house.publish(
        text="""
rules:
  - key: to-experts
    name: It is urgent
    when: {fact: priority, op: is, value: P1}
    to: [{category_tier: 2}]
    nature: expertise
  - key: to-the-lead
    name: Experts have it
    when: {fact: escalated, op: contains, value: functional}
    to: [{team_lead: true}]
    kind: hierarchical
    nature: authority
"""
    )
    ticket = urgent(house)
    house.sweep(START)
    assert set(ticket.escalations.values_list("kind", flat=True)) == {
        Kind.FUNCTIONAL,
        Kind.HIERARCHICAL,
    }
    assert Decision.objects.filter(ticket=ticket).count() == 2


# Twice, late


def test_looking_again_changes_nothing(house: House) -> None:
    first, second, third = urgent(house), house.ticket(assignee=house.anna), house.ticket()
    house.escalate(second)
    house.sweep(after(minutes=20))
    closing.resolve(
        ticket_id=third.pk,
        outcome="Fixed.",
        reopen_until=after(days=3),
        now=after(minutes=25),
        by=house.anna,
    )
    house.sweep(after(minutes=30))
    before = everything()
    for _look in range(3):
        look_again(first, second, third)
        assert house.sweep(after(minutes=30)) == 3
        assert everything() == before


def test_what_has_not_changed_is_not_written(house: House) -> None:
    due, other = urgent(house), house.ticket(assignee=house.anna)
    house.escalate(other)
    house.sweep(after(minutes=1))
    house.sweep(after(minutes=15))
    before = _row_versions()
    look_again(due)
    house.sweep(after(minutes=15))
    after_ = _row_versions()
    changed = {row for row in before if before[row] != after_[row]}
    assert changed <= {("tickets_ticket", due.pk)}
    assert before.keys() == after_.keys()


def _row_versions() -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    with connection.cursor() as cursor:
        for model in WRITTEN:
            table = model._meta.db_table
            cursor.execute(f"SELECT id, ctid::text FROM {table}")  # noqa: S608
            found |= {(table, pk): version for pk, version in cursor.fetchall()}
    return found


def test_a_sweep_goes_on_until_nothing_is_due(house: House) -> None:
    tickets = [house.ticket() for _number in range(5)]
    assert review.sweep(clock=lambda: after(minutes=1), batch=2) == 5
    assert all((review_at(ticket) or START) > after(minutes=1) for ticket in tickets)
    assert review.sweep(clock=lambda: after(minutes=1), batch=2) == 0


# When it looks next


def test_it_looks_again_exactly_when_something_is_owed(house: House) -> None:
    ticket = urgent(house)
    house.sweep(START)
    assert review_at(ticket) == after(minutes=11, seconds=15), "three quarters of 15 minutes"
    house.sweep(after(minutes=11, seconds=15))
    assert review_at(ticket) == after(minutes=15), "first response, and rule 1"
    house.sweep(after(minutes=15))
    assert review_at(ticket) == after(minutes=20), "the first step of the path"
    lifecycle.accept(
        escalation_id=ticket.escalations.get().pk, now=after(minutes=16), by=house.priya
    )
    house.sweep(after(minutes=16))
    assert review_at(ticket) == after(minutes=60), "the last warning before 1 h 15 min"
    house.reply(ticket, now=after(minutes=17))
    house.sweep(after(minutes=17))
    assert review_at(ticket) == after(minutes=180), "three quarters of the resolution target"
    followups.add(
        ticket_id=ticket.pk,
        kind=FollowUpKind.BY_HAND,
        key="call",
        due_at=after(minutes=29),
        now=after(minutes=18),
        by=house.anna,
    )
    house.sweep(after(minutes=18))
    assert review_at(ticket) == after(minutes=29)


def test_nothing_is_due_before_and_nothing_is_late(house: House) -> None:
    """Following ``review_at`` alone gives what looking every minute gives."""
    once = urgent(house, channel=Channel.API)
    house.sweep(START)
    while (now := review_at(once)) and now <= after(hours=3):
        house.sweep(now)
    by_timer = _story(once)
    Ticket.objects.all().update(review_at=None)
    often = urgent(house, channel=Channel.API)
    house.run(since=START, until=after(hours=3), every=timedelta(seconds=15))
    assert by_timer == _story(often)
    assert len(by_timer) > 12


def _story(ticket: Ticket) -> list[tuple[str, datetime]]:
    return list(
        Event.objects.filter(ticket=ticket, user=None)
        .order_by("at", "kind")
        .values_list("kind", "at")
    )


def test_nothing_is_planned_for_a_ticket_that_is_closed(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=1), by=house.anna)
    house.sweep(after(hours=1))
    assert review_at(ticket) == after(days=14, hours=1), "it closes by itself then"
    endings.close(ticket_id=ticket.pk, now=after(hours=2), by=house.anna)
    house.sweep(after(hours=2))
    ticket.refresh_from_db()
    assert (ticket.review_at, ticket.sla_due_at, ticket.sla_due_kind) == (None, None, "")


def test_a_simulated_past_and_a_fast_clock_are_both_due(house: House) -> None:
    ticket = house.ticket()
    assert review_at(ticket) == START
    house.sweep(START)
    house.status(ticket, Status.OPEN, now=datetime(2199, 1, 1, tzinfo=START.tzinfo))
    looked_at = review_at(ticket)
    assert looked_at is not None
    assert looked_at.year < 2199, "the database's clock counts"


# A ticket that cannot be reviewed


def broken_path(ticket: Ticket) -> None:
    """A row that no version of ours would write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE escalation_handoff SET path = %s WHERE escalation_id IN"
            " (SELECT id FROM escalation_escalation WHERE ticket_id = %s)",
            [json.dumps([{"action": "remind", "after": "soon"}] * 3), ticket.pk],
        )


def test_one_poison_ticket_is_set_aside_and_the_others_go_through(house: House) -> None:
    tickets = [house.ticket(assignee=house.anna) for _number in range(4)]
    escalations = [house.escalate(ticket) for ticket in tickets]
    house.sweep(START)
    poison = tickets[1]
    broken_path(poison)
    assert house.sweep(after(minutes=30)) == 4
    for ticket, escalation in zip(tickets, escalations, strict=True):
        fired = steps_of(escalation.handoffs.get())
        assert fired == ([] if ticket == poison else [("remind", "")])
    poison.refresh_from_db()
    assert poison.review_attempts == 1
    assert poison.review_at == after(minutes=31)
    assert poison.review_error.startswith("DurationError: “soon” is not a duration")
    assert told(house.sam) == ["admin_poison_ticket"]
    assert "admin_poison_ticket" not in told(house.anna)


def test_it_is_tried_again_each_time_twice_as_late_up_to_a_day(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    house.sweep(START)
    broken_path(ticket)
    now, waits = after(minutes=30), []
    for _attempt in range(14):
        house.sweep(now)
        following = review_at(ticket)
        assert following is not None
        waits.append(following - now)
        now = following
    minute = timedelta(minutes=1)
    assert waits[:4] == [minute, 2 * minute, 4 * minute, 8 * minute]
    assert waits[-1] == timedelta(days=1)


def test_once_it_is_mended_it_catches_up_and_the_error_is_gone(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    house.sweep(START)
    path = escalation.handoffs.get().path
    broken_path(ticket)
    house.sweep(after(minutes=30))
    Handoff.objects.filter(escalation=escalation).update(path=path)
    house.sweep(after(minutes=31))
    ticket.refresh_from_db()
    assert (ticket.review_attempts, ticket.review_error) == (0, "")
    assert steps_of(escalation.handoffs.get()) == [("remind", "")]
    broken_path(ticket)
    house.sweep(after(hours=2))
    assert told(house.sam) == ["admin_poison_ticket"] * 2, "admins hear of another failure"


def test_what_a_failed_look_wrote_is_gone_with_it(house: House) -> None:
    ticket = urgent(house)
    house.sweep(after(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO escalation_escalation (ticket_id, kind, number, trigger, rule_key, nature,"
            " urgency, reason, tried, ask, state, policy_version_id, incomplete, missing,"
            " override_reason, opened_at, outcome, cause, hops)"
            " VALUES (%s, 'functional', 1, 'agent', '', 'expertise', 1, '', '', '', 'offered',"
            " %s, false, '[]', '', now(), '', '', 1)",
            [ticket.pk, PolicyVersion.objects.in_force().pk],
        )
    assert house.sweep(after(minutes=15)) == 1, "an escalation without a hand-off"
    ticket.refresh_from_db()
    assert ticket.review_error.startswith("IndexError")
    assert not Clock.objects.filter(ticket=ticket, breached_at__isnull=False).exists()
    assert not Handoff.objects.exists()


# Configuration that changes


def test_a_calendar_edited_meanwhile_moves_no_clock_that_runs(house: House) -> None:
    ticket = house.ticket(by=house.juergen)
    house.sweep(START)
    before = Clock.objects.filter(ticket=ticket).values_list("kind", "due_at").order_by("kind")
    standing = list(before)
    CalendarVersion.objects.create(
        calendar=house.office,
        number=2,
        hours={"zone": "Europe/Berlin", "weekly": {"sat": [["10:00", "12:00"]]}},
        created_at=after(minutes=1),
    )
    look_again(ticket)
    house.sweep(after(minutes=2))
    assert list(before.all()) == standing
