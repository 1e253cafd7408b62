"""The life of a ticket of the past year, chapter by chapter, until it is closed.

It tells what the stations would have left behind, moment by moment; the engine, asked about such
a ticket, has nothing to add. Letters are left out: of what is long over only the words are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from string import Template

from helpdesk.demo import yearwords
from helpdesk.demo.life import MINUTE, Life
from helpdesk.demo.measured import sum_of, worked_on
from staff.durations import Duration
from staff.models import User
from tickets.models import Detail
from tickets.models.ticket import Status

#: Of a target; the rest is met.
LATE = 0.06


class TooLong(Exception):
    """A life would not be over when the curtain rises; it has to go another way."""


def opens(life: Life) -> None:
    """The first message, with what it tells of the details; the rest is gathered at once."""
    ticket, rng = life.ticket, life.rng
    values = {
        need.key: ticket.organization.customer_id
        if need.key == "customer_id" and ticket.organization
        else yearwords.VALUES.get(need.key, _told)(rng)
        for need in life.required
    }
    text = Template(life.topic.problem).safe_substitute(values)
    if number := values.get("customer_id"):
        text += f"\n\nOur customer ID is {number}."
    message = life.hears(text, life.at)
    life.shelf.event(
        ticket, "ticket_opened", life.at, contact=ticket.requester, message=message, continues=None
    )
    found = [key for key in values if values[key] in text]
    for key in found:
        life.details[key] = detail = Detail(
            ticket=ticket,
            key=key,
            value=values[key],
            message=message,
            sentence=values[key],
            created_at=life.at,
        )
        life.shelf.put(detail)
    if found:
        life.shelf.event(ticket, "details_found", life.at, keys=found)


def _told(_rng: Random) -> str:
    """A detail that was added to the category since: nobody knows how it looks."""
    return "as told on the phone"


def is_assessed(life: Life, at: datetime) -> None:
    ticket = life.ticket
    ticket.assessed_at = at
    life.shelf.event(
        ticket,
        "assessed",
        at,
        user=life.agent,
        impact=ticket.impact,
        urgency=ticket.urgency,
        priority=ticket.priority,
        complexity=str(ticket.complexity),
        category=ticket.category_id,
    )
    life.shelf.event(ticket, "assigned", at, user=life.agent, assignee=life.agent)
    ticket.version += 2


def is_answered(life: Life, *, not_before: datetime | None = None) -> None:
    """The first reply; now and then with a question, for whose answer everything waits."""
    rng, asked = life.rng, life.rng.random() < 0.35 and not_before is None
    budget = life.goals.first_response
    due = budget.after(life.at, life.plan_time)
    late = rng.random() < LATE
    share = rng.uniform(1.1, 1.7) if late else rng.betavariate(1.6, 4)
    aim = budget.on(life.plan_time).add(life.at, budget.length * share)
    at = life.while_open(aim, before=None if late else due)
    if not_before is not None:
        at = not_before + rng.randint(3, 12) * MINUTE
    is_assessed(life, max(life.at + (at - life.at) * 0.6, life.at + MINUTE))
    life.says(rng.choice(yearwords.QUESTIONS if asked else yearwords.REPLIES), at)
    life.turns(Status.OPEN, at, user=life.agent)
    life.at = at
    if asked:
        life.turns(Status.WAITING, at, user=life.agent)
        life.at = life.office.add(at, timedelta(minutes=rng.randint(20, 500)))
        answer = life.hears(rng.choice(yearwords.ANSWERS), life.at)
        life.shelf.event(
            life.ticket,
            "message_received",
            life.at,
            contact=life.ticket.requester,
            message=answer,
        )
        life.turns(Status.OPEN, life.at, contact=life.ticket.requester)
        life.paused.append((at, life.at))


def solved_at(life: Life) -> datetime:
    """When the answer is there, by the plan's target of which some is used already."""
    rng, goal = life.rng, life.goals.resolution
    budget = goal or Duration(timedelta(hours=60))
    time = budget.on(life.plan_time)
    used = sum_of(worked_on(time, life, life.at), timedelta())
    late = rng.random() < LATE
    share = rng.uniform(1.05, 1.6) if late else rng.betavariate(2, 3.5)
    aim = time.add(life.at, max(budget.length * share - used, 20 * MINUTE))
    due = time.add(life.at, max(budget.length - used, MINUTE))
    return life.while_open(aim, before=None if late or goal is None else due)


def is_resolved(life: Life, at: datetime) -> None:
    ticket = life.ticket
    life.turns(Status.RESOLVED, at, user=life.agent)
    life.shelf.event(ticket, "resolved", at, user=life.agent)
    ticket.outcome, ticket.cause, ticket.resolved_at = life.topic.outcome, life.topic.cause, at
    ticket.reopen_until = life.policy.reopen.window.after(at, life.plan_time)
    life.words.append(at)
    life.at = at


def comes_back(life: Life) -> None:
    """The customer says that it is not over; it is then."""
    rng, ticket = life.rng, life.ticket
    resolved, contact = life.at, ticket.requester
    at = life.office.add(resolved, timedelta(hours=rng.uniform(1, 24)))
    message = life.hears(rng.choice(yearwords.AGAIN), at)
    life.shelf.event(ticket, "message_received", at, contact=contact, message=message)
    life.turns(Status.OPEN, at, contact=contact)
    ticket.reopened_count += 1
    life.shelf.event(ticket, "reopened", at, contact=contact, times=ticket.reopened_count)
    life.paused.append((resolved, at))
    life.at = life.office.add(at, rng.randint(9, 90) * MINUTE)
    life.says("thank you for saying so; I look at it again right away.", life.at)
    is_resolved(life, life.office.add(life.at, timedelta(minutes=rng.randint(30, 240))))


def is_closed(life: Life) -> None:
    """It closes: the customer says that all is well, an agent does, or the quiet time is over.

    Raises ``TooLong``.
    """
    rng, ticket, contact = life.rng, life.ticket, life.ticket.requester
    resolved = life.at
    at = life.policy.auto_close_after.after(resolved, life.plan_time)
    at = max(at, ticket.reopen_until or at)
    user: User | None = None
    if at >= life.curtain or rng.random() < 0.6:
        at = life.office.add(resolved, timedelta(hours=rng.uniform(0.5, 9)))
        if rng.random() < 0.5:
            thanks = life.hears(yearwords.THANKS, at - 5 * MINUTE, thanks=True)
            life.shelf.event(
                ticket, "message_received", at - 5 * MINUTE, contact=contact, message=thanks
            )
            user = life.agent
        else:
            life.shelf.event(ticket, "solution_confirmed", at, contact=contact)
    if at >= life.curtain:
        raise TooLong
    life.turns(Status.CLOSED, at, user=user)
    life.shelf.event(ticket, "closed", at, user=user)
    ticket.closed_at = ticket.updated_at = at
    ticket.version += 1
    life.at = at
