"""The path: who is asked next while nobody accepts; it cannot end in nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from escalation import lifecycle, paths, previewing, returning
from escalation.cases import load
from escalation.models import Escalation, Handoff, Step
from escalation.models.escalation import Kind, Nature, ReturnReason, Trigger
from escalation.opening import Request
from escalation.paths import PathEntry
from escalation.targets import Destination
from staff.models import Team
from tests.house import START, House, after, fresh, handoff_of, letter, promise_of, steps_of, told
from tickets.models import Event, Ticket

FIVE = timedelta(minutes=5)
SATURDAY = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)

NIGHT_AND_DAY = """
paths:
  standard:
    - {do: remind, after: 10m wall}
    - {do: on_call, after: 10m wall}
    - {do: lead, after: 10m wall}
    - {do: manager, after: 10m wall}
path_for:
  default: {P1: standard, P2: standard, P3: standard, P4: standard}
"""


@pytest.fixture
def urgent(house: House) -> Escalation:
    """A P1 escalated to Integrations: remind, on call, lead, backup team, manager."""
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    return house.escalate(ticket)


def fired(handoff: Handoff) -> list[tuple[str, datetime]]:
    return [(step.action, step.fired_at) for step in handoff.steps.order_by("number")]


def shown(escalation: Escalation, *, now: datetime) -> list[PathEntry]:
    ticket = Ticket.objects.select_related("team__tier", "organization__plan").get(
        pk=escalation.ticket_id
    )
    [case] = load(tickets=[ticket], now=now)
    [standing] = [e for e in case.escalations if e.pk == escalation.pk]
    return paths.entries(case=case, handoff=case.current(standing))


def test_while_nobody_accepts_one_after_another_is_asked(house: House, urgent: Escalation) -> None:
    first = handoff_of(urgent)
    house.run(since=START, until=after(minutes=30), every=FIVE)
    assert steps_of(first) == [
        ("remind", ""),
        ("on_call", "Priya Nair"),
        ("lead", "Grace Lim"),
        ("backup_team", "Platform"),
    ]
    assert told(house.mei) == ["staff_offer", "staff_reminder"]
    assert told(house.priya) == ["staff_offer", "staff_reminder", "staff_escalation_path"]
    assert told(house.grace) == ["staff_escalation_path"]


def test_then_the_backup_team_gets_the_offer_with_a_path_of_its_own(
    house: House, urgent: Escalation
) -> None:
    house.run(since=START, until=after(minutes=70), every=FIVE)
    first, second = Handoff.objects.filter(escalation=urgent).order_by("number")
    assert (first.outcome, first.outcome_by) == ("handed_on", None)
    assert (second.to_team, second.offered_at) == (house.platform, after(minutes=30))
    assert told(house.jonas)[0] == "staff_offer"
    assert steps_of(second) == [
        ("remind", ""),
        ("on_call", "Lena Fuchs"),
        ("lead", "Lena Fuchs"),
        ("backup_team", "Lena Fuchs"),
    ], "Platform has neither somebody on call nor a backup: its lead is asked instead"


def test_and_the_manager_last(house: House, urgent: Escalation) -> None:
    house.run(since=START, until=after(hours=4), every=FIVE)
    assert steps_of(handoff_of(urgent))[-1] == ("manager", "Helen Brandt")
    assert told(house.helen) == ["staff_escalation_path"]
    assert fresh(urgent).state == "offered"
    assert fresh(urgent).hops == 2, "two backups never pass it to and fro"


def test_a_backup_that_has_had_it_is_not_offered_it_again(house: House) -> None:
    Team.objects.filter(pk=house.platform.pk).update(backup_team=house.integrations)
    escalation = house.escalate(house.ticket(impact=1, urgency=1, assignee=house.anna))
    house.run(since=START, until=after(hours=4), every=FIVE)
    assert fresh(escalation).hops == 2
    assert steps_of(handoff_of(escalation))[-1] == ("manager", "Helen Brandt")


def test_steps_chain_from_when_a_step_fired_so_that_an_outage_does_not_run_three_in_a_minute(
    house: House, urgent: Escalation
) -> None:
    house.sweep(START)
    back = after(hours=6)
    house.run(since=back, until=back + timedelta(minutes=4), every=timedelta(minutes=1))
    assert fired(handoff_of(urgent)) == [("remind", back)]
    house.run(since=back + FIVE, until=back + 2 * FIVE, every=FIVE)
    assert fired(handoff_of(urgent)) == [
        ("remind", back),
        ("on_call", back + FIVE),
        ("lead", back + 2 * FIVE),
    ]


def test_what_is_shown_in_advance_is_what_happens(house: House, urgent: Escalation) -> None:
    announced = [
        (entry.action, entry.at, str(entry.user or "")) for entry in shown(urgent, now=START)
    ]
    assert announced == [
        ("remind", after(minutes=5), ""),
        ("on_call", after(minutes=10), "Priya Nair"),
        ("lead", after(minutes=15), "Grace Lim"),
        ("backup_team", after(minutes=30), ""),
        ("manager", after(minutes=45), "Helen Brandt"),
    ]
    first = handoff_of(urgent)
    house.run(since=START, until=after(minutes=30), every=FIVE)
    happened = [
        (step.action, step.fired_at, str(step.user or ""))
        for step in first.steps.order_by("number")
    ]
    assert happened == announced[:4], "and then it is the backup team's"


def test_a_path_that_names_no_manager_ends_with_one_all_the_same(
    house: House, urgent: Escalation
) -> None:
    assert [step["action"] for step in handoff_of(urgent).path][-1] == "manager"


def test_the_path_is_frozen_with_the_offer(house: House, urgent: Escalation) -> None:
    house.publish(text=NIGHT_AND_DAY, now=after(minutes=1))
    house.run(since=START, until=after(minutes=15), every=FIVE)
    assert [action for action, _at in fired(handoff_of(urgent))] == ["remind", "on_call", "lead"]


def test_no_step_fires_once_somebody_has_accepted(house: House, urgent: Escalation) -> None:
    house.sweep(after(minutes=5))
    lifecycle.accept(escalation_id=urgent.pk, now=after(minutes=9), by=house.priya)
    house.run(since=after(minutes=10), until=after(hours=5), every=FIVE)
    assert steps_of(handoff_of(urgent)) == [("remind", "")]
    assert "staff_escalation_path" not in told(house.grace)


def test_nor_at_the_instant_it_was_due_when_the_accept_came_first(
    house: House, urgent: Escalation
) -> None:
    lifecycle.accept(escalation_id=urgent.pk, now=after(minutes=5), by=house.priya)
    house.sweep(after(minutes=5))
    assert steps_of(handoff_of(urgent)) == []


def test_no_step_fires_after_it_was_declined(house: House, urgent: Escalation) -> None:
    returning.decline(
        escalation_id=urgent.pk,
        reason_code=ReturnReason.WRONG_TEAM,
        now=after(minutes=1),
        by=house.priya,
    )
    house.run(since=START, until=after(hours=1), every=FIVE)
    assert not Step.objects.exists()


def test_each_step_fires_once_however_often_the_engine_looks(
    house: House, urgent: Escalation
) -> None:
    for _look in range(3):
        Ticket.objects.update(review_at=START)
        house.sweep(after(minutes=5))
    assert fired(handoff_of(urgent)) == [("remind", after(minutes=5))]
    assert told(house.mei) == ["staff_offer", "staff_reminder"]
    assert Event.objects.filter(kind="step_fired").count() == 1


def test_the_database_itself_refuses_a_step_twice(house: House, urgent: Escalation) -> None:
    house.sweep(after(minutes=5))
    step = Step.objects.get()
    step.pk = None
    with pytest.raises(IntegrityError, match="step_fires_once"), transaction.atomic():
        step.save(force_insert=True)


def test_a_clock_that_jumps_back_fires_nothing_again(house: House, urgent: Escalation) -> None:
    house.sweep(after(minutes=5))
    Ticket.objects.update(review_at=START)
    house.sweep(after(minutes=-300))
    house.sweep(after(minutes=6))
    assert fired(handoff_of(urgent)) == [("remind", after(minutes=5))]


# Who is asked when somebody is missing


def test_in_an_absence_the_backup_is_asked(house: House, urgent: Escalation) -> None:
    house.away(house.priya, backup=house.mei)
    house.away(house.grace, backup=house.lena)
    house.run(since=START, until=after(minutes=15), every=FIVE)
    assert steps_of(handoff_of(urgent)) == [
        ("remind", ""),
        ("on_call", "Mei Tanaka"),
        ("lead", "Lena Fuchs"),
    ]
    assert told(house.priya) == ["staff_offer"]


def test_with_neither_on_call_nor_lead_the_manager_is_asked_and_then_an_admin(
    house: House, urgent: Escalation
) -> None:
    for person in (house.priya, house.grace):
        house.away(person)
    house.sweep(after(minutes=5))
    house.sweep(after(minutes=10))
    house.away(house.helen)
    house.sweep(after(minutes=15))
    assert steps_of(handoff_of(urgent)) == [
        ("remind", ""),
        ("on_call", "Helen Brandt"),
        ("lead", "Sam Okafor"),
    ]


def test_a_decision_asked_of_one_person_has_a_path_too(house: House) -> None:
    escalation = house.escalate(
        house.ticket(impact=1, urgency=1, assignee=house.anna),
        team=house.emea,
        kind=Kind.HIERARCHICAL,
        nature=Nature.AUTHORITY,
    )
    house.run(since=START, until=after(minutes=60), every=FIVE)
    assert told(house.marco)[:2] == ["staff_offer", "staff_reminder"]
    assert steps_of(handoff_of(escalation))[-1] == ("manager", "Helen Brandt")


# Closed


def closed_on_saturday(house: House, **team: Any) -> Escalation:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office, **team)
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna, now=SATURDAY)
    return house.escalate(ticket, now=SATURDAY)


def test_an_offer_to_a_closed_team_goes_to_its_person_on_call_at_once(house: House) -> None:
    handoff = handoff_of(closed_on_saturday(house))
    assert (handoff.to_team, handoff.to_user) == (house.integrations, house.priya)
    assert told(house.priya) == ["staff_offer"]
    assert told(house.mei) == []


def test_for_a_stand_in_time_passes_on_the_wall(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    ticket = house.ticket(impact=1, urgency=2, assignee=house.anna, now=SATURDAY)
    handoff = handoff_of(house.escalate(ticket, now=SATURDAY))
    opens = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)

    house.run(since=SATURDAY, until=SATURDAY + timedelta(days=1), every=timedelta(minutes=30))

    assert handoff.to_user == house.priya
    assert handoff.accept_by == SATURDAY + timedelta(minutes=30)
    assert fired(handoff)[0] == ("remind", SATURDAY + timedelta(minutes=30))
    assert all(at < opens for _action, at in fired(handoff))


def test_without_one_to_the_backup_team(house: House) -> None:
    handoff = handoff_of(closed_on_saturday(house, on_call=None))
    assert (handoff.to_team, handoff.to_user) == (house.platform, None)
    assert told(house.jonas) == ["staff_offer"]


def test_without_that_to_the_lead_and_above(house: House) -> None:
    handoff = handoff_of(closed_on_saturday(house, on_call=None, backup_team=None))
    assert (handoff.to_team, handoff.to_user) == (house.integrations, house.grace)


def test_in_the_leads_absence_to_the_manager(house: House) -> None:
    house.away(house.grace, since=SATURDAY)
    handoff = handoff_of(closed_on_saturday(house, on_call=None, backup_team=None))
    assert handoff.to_user == house.helen


def test_a_team_that_opens_in_time_gets_its_offer_though_it_is_closed_now(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    night = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    escalation = house.escalate(house.ticket(assignee=house.anna, now=night), now=night)
    handoff = handoff_of(escalation)
    assert (handoff.to_team, handoff.to_user) == (house.integrations, None)
    assert handoff.accept_by == datetime(2026, 11, 25, 9, 0, tzinfo=UTC), "2 h once they are there"


def test_business_steps_wait_for_the_team_to_open(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    evening = datetime(2026, 11, 24, 16, 45, tzinfo=UTC)
    escalation = house.escalate(house.ticket(assignee=house.anna, now=evening), now=evening)
    due = datetime(2026, 11, 25, 7, 15, tzinfo=UTC)
    assert shown(escalation, now=evening)[0].at == due
    house.sweep(due - timedelta(seconds=1))
    assert steps_of(handoff_of(escalation)) == []
    house.sweep(due)
    assert steps_of(handoff_of(escalation)) == [("remind", "")]


def test_the_engine_looks_exactly_when_the_next_step_is_due(
    house: House, urgent: Escalation
) -> None:
    house.sweep(START)
    while (now := Ticket.objects.get(pk=urgent.ticket_id).review_at) and now < after(hours=1):
        assert house.sweep(now - timedelta(microseconds=1)) == 0
        house.sweep(now)
    first, second = Handoff.objects.filter(escalation=urgent).order_by("number")
    assert [at for _action, at in fired(first)] == [after(minutes=m) for m in (5, 10, 15, 30)]
    assert [at for _action, at in fired(second)] == [after(minutes=m) for m in (35, 40, 45)]


# Looked at beforehand


@pytest.mark.parametrize("closed", [False, True])
def test_the_panel_shows_beforehand_what_then_happens(house: House, closed: bool) -> None:
    now = SATURDAY if closed else START
    if closed:
        Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office, on_call=None)
        house.integrations.refresh_from_db()
    ticket = house.ticket(assignee=house.anna, now=now)
    [case] = load(
        tickets=[
            Ticket.objects.select_related(
                "team__tier", "organization__plan", "requester", "assignee", "category"
            ).get(pk=ticket.pk)
        ],
        now=now,
    )
    request = Request(
        kind=Kind.FUNCTIONAL,
        trigger=Trigger.AGENT,
        nature=Nature.EXPERTISE,
        urgency=1,
        tried="Repeated the call.",
    )
    ahead = previewing.preview(
        case=case, request=request, destination=Destination(house.integrations), now=now
    )
    assert not ticket.escalations.exists(), "nothing is written"
    escalation = house.escalate(ticket, now=now)
    handoff = handoff_of(escalation)
    assert ahead.destination == Destination(handoff.to_team, handoff.to_user)
    assert (handoff.to_team == house.platform) == closed
    assert ahead.accept_by == handoff.accept_by
    assert ahead.expected_by == promise_of(ticket).due_at
    assert list(ahead.path) == shown(escalation, now=now)
    sent = letter(ticket, "escalated")
    assert ahead.letter is not None
    assert (ahead.letter.subject, ahead.letter.text) == (sent.subject, sent.text)
