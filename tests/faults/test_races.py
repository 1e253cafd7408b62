"""Accept, close, hold and withdraw meet the engine at the instant something is due.

Real connections, random schedules. Everything done to a ticket happens under its lock, so that
its events lie in the order in which they were committed: what may not come after an acceptance or
an end is looked for there. A schedule is named by its seed, and comes back with it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import connection

from escalation import endings, lifecycle, returning, withdrawing
from escalation.models import Escalation, Handoff, Step
from escalation.models.escalation import OPEN, ReturnReason, State
from notifications.models import OutgoingEmail
from tests.faults.after import every_decision_is_explained, nothing_overdue
from tests.house import START, House, after
from tickets.errors import Refused
from tickets.models import Event, Ticket

pytestmark = pytest.mark.slow

AT_ONCE = 10
"""Tickets in a round; every one has a schedule of its own."""
DUE = after(minutes=10)
"""When the first step of a path is due, and rule 1 of a ticket that nobody answered."""
STIRRED = 0.02
"""Seconds within which everybody begins: about what a batch takes."""

REMINDERS = ("staff_reminder", "staff_escalation_path")

Act = Callable[[], object]


@dataclass
class Schedule:
    """One ticket, and who does what to it at the instant."""

    ticket: Ticket
    escalation: Escalation | None
    acts: list[tuple[str, Act, float]]


def offered(house: House, chance: random.Random) -> Schedule:
    """An offer whose first step is due, and some who do something about it just now."""
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    escalation = house.escalate(ticket)
    acts: dict[str, Act] = {
        "accept": lambda: accept(escalation, DUE, house),
        "decline": lambda: returning.decline(
            escalation_id=escalation.pk,
            reason_code=ReturnReason.WRONG_TEAM,
            now=DUE,
            by=house.mei,
        ),
        "close": lambda: close(escalation, DUE, house),
        "withdraw": lambda: withdrawing.withdraw(
            escalation_id=escalation.pk, reason="It works again.", now=DUE, by=house.anna
        ),
        "hold": lambda: house.status(ticket, "on_hold", now=DUE),
        "answer": lambda: house.answer(ticket, "Any news?", now=DUE),
    }
    return Schedule(ticket, escalation, some_of(acts, chance))


def unanswered(house: House, chance: random.Random) -> Schedule:
    """A ticket that rule 1 escalates just now, and some who make that needless."""
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna, now=DUE - timedelta(minutes=15))
    acts: dict[str, Act] = {
        "reply": lambda: house.reply(ticket, now=DUE, status="waiting"),
        "close": lambda: end(ticket, DUE, house),
        "hold": lambda: house.status(ticket, "on_hold", now=DUE),
        "escalate": lambda: house.escalate(ticket, now=DUE),
    }
    return Schedule(ticket, None, some_of(acts, chance))


def some_of(acts: dict[str, Act], chance: random.Random) -> list[tuple[str, Act, float]]:
    chosen = chance.sample(sorted(acts), chance.randint(1, 3))
    return [(name, acts[name], chance.uniform(0, STIRRED)) for name in chosen]


def accept(escalation: Escalation, now: datetime, house: House) -> None:
    lifecycle.accept(escalation_id=escalation.pk, now=now, by=house.priya)


def close(escalation: Escalation, now: datetime, house: House) -> None:
    """Accepted, resolved, and the ticket resolved and closed, one after another."""
    lifecycle.accept(escalation_id=escalation.pk, now=now, by=house.priya)
    lifecycle.resolve(escalation_id=escalation.pk, outcome="Restarted.", now=now, by=house.priya)
    end(escalation.ticket, now, house)


def end(ticket: Ticket, now: datetime, house: House) -> None:
    endings.resolve(ticket_id=ticket.pk, outcome="It was restarted.", now=now, by=house.anna)
    endings.close(ticket_id=ticket.pk, now=now, by=house.anna)


def play(schedules: list[Schedule], house: House, chance: random.Random) -> None:
    """Everything at once; a refusal is an answer, any other exception fails the test."""
    acts = [act for schedule in schedules for act in schedule.acts]
    acts += [("engine", lambda: house.sweep(DUE), chance.uniform(0, STIRRED)) for _two in (1, 2)]
    start = threading.Barrier(len(acts))
    failed: list[str] = []

    def do(name: str, act: Act, wait: float) -> None:
        try:
            connection.ensure_connection()
            start.wait(30)
            time.sleep(wait)
            act()
        except Refused:
            pass
        except BaseException as error:
            failed.append(f"{name}: {error!r}")
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"


def nothing_after_an_end(ticket: Ticket) -> None:
    """In the order of commits: no step after an acceptance or an end, no offer of an ended one."""
    answered: set[int] = set()
    ended: set[int] = set()
    over = False
    for event in Event.objects.filter(ticket=ticket).order_by("pk"):
        handoff, escalation = event.data.get("handoff"), event.data.get("escalation")
        match event.kind:
            case "escalated" | "offered" | "handed_on":
                assert not over, f"{ticket.reference} is offered after its end"
                assert escalation not in ended, f"{ticket.reference} is offered after its end"
            case "step_fired":
                assert handoff not in answered, f"{ticket.reference}: a step after the answer"
                assert escalation not in ended, f"{ticket.reference}: a step after its end"
                assert not over, f"{ticket.reference}: a step after its end"
            case "accepted" | "declined":
                answered.add(handoff)
            case "withdrawn" | "escalation_resolved":
                ended.add(escalation)
            case "resolved" | "closed":
                over = True
            case "reopened":
                # The answer came after the ticket was resolved and before it was closed.
                over = False


def consistent(schedule: Schedule) -> None:
    ticket = Ticket.objects.get(pk=schedule.ticket.pk)
    escalations = list(Escalation.objects.filter(ticket=ticket))
    open_ones = [escalation for escalation in escalations if escalation.state in OPEN]
    did = [name for name, _act, _wait in schedule.acts]
    assert ticket.held == bool(open_ones), did
    assert len(open_ones) <= 1, did
    assert ticket.review_error == "", did
    if ticket.is_ended:
        assert not open_ones, did
    if schedule.escalation is not None:
        assert [escalation.pk for escalation in escalations] == [schedule.escalation.pk], did
    assert len({escalation.key for escalation in escalations}) == len(escalations), did
    for escalation in escalations:
        newest = Handoff.objects.filter(escalation=escalation).latest("number")
        expected = {
            State.OFFERED: "pending",
            State.ACCEPTED: "accepted",
            State.RETURNED: "declined",
        }
        if escalation.state in expected:
            assert newest.outcome == expected[State(escalation.state)], did
            owned = escalation.owner_id is not None
            assert owned == (escalation.state == State.ACCEPTED), did
        fired = Step.objects.filter(handoff__escalation=escalation)
        assert fired.count() == Event.objects.filter(ticket=ticket, kind="step_fired").count(), did
        letters = OutgoingEmail.objects.filter(about=ticket.about)
        assert letters.filter(kind="escalated").count() == len(escalations), did
        if escalation.state != State.OFFERED:
            waiting = letters.filter(kind__in=REMINDERS, state="queued")
            assert not waiting.exists(), (did, "a reminder could still be claimed")
    nothing_after_an_end(ticket)


@pytest.mark.parametrize(
    "schedules", [200, pytest.param(6000, marks=pytest.mark.soak)], ids=["some", "thousands"]
)
def test_whoever_comes_at_the_due_instant_comes_before_the_step_or_after_it(
    transactional_db: None, schedules: int
) -> None:
    house = House()
    fired = prevented = 0
    for seed in range(schedules // AT_ONCE):
        chance = random.Random(seed)
        situations = [chance.choice((offered, unanswered)) for _ticket in range(AT_ONCE)]
        round_of = [situation(house, chance) for situation in situations]
        house.sweep(START)
        play(round_of, house, chance)
        for schedule in round_of:
            try:
                consistent(schedule)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error
            if schedule.escalation is not None:
                steps = Step.objects.filter(handoff__escalation=schedule.escalation).count()
                fired, prevented = fired + bool(steps), prevented + (not steps)
        # The engine looks on, and what is over or accepted stays without a further step.
        house.sweep(DUE + timedelta(hours=1))
        nothing_overdue(now=DUE + timedelta(hours=1))
        for schedule in round_of:
            nothing_after_an_end(schedule.ticket)
            # Out of the way of the next round.
            Ticket.objects.filter(pk=schedule.ticket.pk).update(review_at=None)
    every_decision_is_explained()
    assert min(fired, prevented) > schedules // 30, "the instant was never met; nothing is proved"
