"""One fact asked one thing: the answer now, and when it turns if nothing but time passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from escalation import vocabulary
from escalation.ticketfacts import ClockFact, TicketFacts
from escalation.vocabulary import Form
from staff.businesstime import NeverOpens
from staff.durations import Duration, parse_duration


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it holds; ``actual`` in the form the value is written in."""

    holds: bool
    actual: Any = None
    since: datetime | None = None
    changes_at: datetime | None = None


def answer(
    *, fact: str, op: str, value: Any, facts: TicketFacts, rule: str, now: datetime
) -> Answer:
    """Ask a fact; ``rule`` is the key of the rule that asks, ``value`` has been checked."""
    form = vocabulary.FACTS[fact].form
    match form:
        case Form.LENGTH:
            return _length(_since(fact, facts), op, value, facts, now)
        case Form.SHARE:
            return _share(facts.clocks.get(fact.removesuffix("_used")), op, value, now)
        case Form.FLAG if fact.endswith("_breached"):
            return _breached(facts.clocks.get(fact.removesuffix("_breached")), value, now)
        case Form.PRIORITY:
            return _ordered(f"P{facts.priority}", op, value, vocabulary.PRIORITIES)
        case Form.LEVEL:
            number = facts.impact if fact == "impact" else facts.urgency
            name = next(word for word, level in vocabulary.LEVELS.items() if level == number)
            return _ordered(name, op, value, vocabulary.LEVELS)
        case Form.NUMBER:
            return _number(getattr(facts, fact), op, value)
        case Form.WRITING:
            return _writing(getattr(facts, fact), op, value)
        case Form.PRESENCE:
            there = facts.assignee if fact == "assignee" else _asks(facts, rule)
            return Answer(there if op == "is_set" else not there, actual=there)
        case Form.TEXTS:
            return _texts(getattr(facts, fact), op, value)
        case _:
            return _plain(getattr(facts, fact) or None, op, value, flag=form == Form.FLAG)


def _since(fact: str, facts: TicketFacts) -> datetime | None:
    match fact:
        case "unanswered_for":
            return facts.waiting_since
        case "in_status_for":
            return facts.status_since
        case "silent_for":
            return facts.last_public_update_at or facts.created_at
        case _:
            return facts.created_at


@lru_cache(maxsize=1024)
def _duration(text: str) -> Duration:
    return parse_duration(text)


def _length(
    since: datetime | None, op: str, value: str, facts: TicketFacts, now: datetime
) -> Answer:
    if since is None:
        return Answer(holds=False)
    wanted = _duration(value)
    time = wanted.on(facts.plan_time)
    try:
        reached_at = time.add(since, wanted.length)
    except NeverOpens:
        return Answer(holds=op == "less_than", since=since)
    reached = reached_at <= now
    return Answer(
        holds=reached if op == "at_least" else not reached,
        actual=str(Duration(max(time.between(since, now), timedelta()), wanted.wall)),
        since=since,
        changes_at=None if reached else reached_at,
    )


def _used_at(clock: ClockFact, share: int) -> datetime | None:
    """When a share of the target is used up; None while the clock stands before it."""
    left = clock.budget * share / 100 - clock.consumed
    if clock.running_since is None:
        return None
    try:
        return (
            clock.time.add(clock.running_since, left)
            if left > timedelta()
            else (clock.running_since)
        )
    except NeverOpens:
        return None


def _share(clock: ClockFact | None, op: str, value: str, now: datetime) -> Answer:
    if clock is None:
        return Answer(holds=False)
    share = vocabulary.percent(value)
    used = clock.consumed
    if clock.running_since is not None:
        used += max(clock.time.between(clock.running_since, now), timedelta())
    reached_at = _used_at(clock, share)
    reached = reached_at <= now if reached_at is not None else used >= clock.budget * share / 100
    return Answer(
        holds=reached if op == "at_least" else not reached,
        # In whole numbers: by floating point, 29 hours of 100 are 28 %.
        actual=f"{used * 100 // clock.budget}%" if clock.budget else "100%",
        since=clock.running_since,
        changes_at=None if reached else reached_at,
    )


def _breached(clock: ClockFact | None, value: bool, now: datetime) -> Answer:
    if clock is None:
        return Answer(holds=value is False, actual=False)
    due_at = _used_at(clock, 100)
    breached = clock.breached_at is not None or (due_at is not None and due_at <= now)
    return Answer(holds=breached == value, actual=breached, changes_at=None if breached else due_at)


def _ordered(actual: str, op: str, value: Any, order: dict[str, int]) -> Answer:
    """P1 and high come first: ``at_least P2`` is as pressing as P2, or more."""
    match op:
        case "at_least":
            return Answer(order[actual] <= order[value], actual)
        case "at_most":
            return Answer(order[actual] >= order[value], actual)
        case _:
            return _plain(actual, op, value)


def _number(actual: int | None, op: str, value: Any) -> Answer:
    match op:
        case "at_least":
            return Answer(actual is not None and actual >= value, actual)
        case "at_most":
            return Answer(actual is not None and actual <= value, actual)
        case _:
            return _plain(actual, op, value)


def _plain(actual: Any, op: str, value: Any, *, flag: bool = False) -> Answer:
    if flag:
        actual = bool(actual)
    match op:
        case "is":
            return Answer(actual == value, actual)
        case "is_not":
            return Answer(actual != value, actual)
        case "in":
            return Answer(actual in value, actual)
        case "not_in":
            return Answer(actual not in value, actual)
        case "is_set":
            return Answer(actual is not None, actual)
        case _:
            return Answer(actual is None, actual)


def _texts(actual: frozenset[str], op: str, value: str) -> Answer:
    shown = sorted(actual)
    match op:
        case "contains":
            return Answer(value in actual, shown)
        case "is_set":
            return Answer(bool(actual), shown)
        case _:
            return Answer(not actual, shown)


def _writing(actual: str, op: str, value: str) -> Answer:
    match op:
        case "contains":
            return Answer(value.casefold() in actual.casefold())
        case "matches":
            return Answer(_pattern(value).search(actual) is not None)
        case "is_set":
            return Answer(bool(actual), bool(actual))
        case _:
            return Answer(not actual, bool(actual))


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    return vocabulary.pattern(text)


def _asks(facts: TicketFacts, rule: str) -> bool:
    """Whether the customer asked after this rule last answered them."""
    asked_at = facts.customer_asked_to_escalate_at
    fired_at = facts.fired.get(rule)
    return asked_at is not None and (fired_at is None or asked_at > fired_at)
