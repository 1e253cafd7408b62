"""Rules: which decides, why, why not the others, and exactly when to ask again."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from escalation import vocabulary
from escalation.problems import PolicyErrors
from escalation.rules import (
    Skip,
    Target,
    TargetForm,
    Verdict,
    decide,
    explain,
)
from escalation.vocabulary import CLOCKS, FACTS
from tests.escalation.examples import CASES, GONE, LATER, clock
from tests.escalation.situations import (
    HOUR,
    MAIL,
    MICROSECOND,
    MINUTE,
    MONDAY,
    OFFICE,
    P1,
    P3,
    PAST,
    START,
    holds,
    leaf,
    rule,
    ticket,
)

# Which decides


def test_the_first_rule_that_matches_decides() -> None:
    rules = [rule(P1, "urgent"), rule(P3, "first"), rule(P3, "second")]
    verdict = decide(ticket(), rules, START)
    assert verdict.rule is rules[1]
    assert verdict.targets == (Target(TargetForm.NEXT_TIER, True),)
    assert [(reason.fact, reason.holds) for reason in verdict.reasons] == [("priority", True)]


def test_where_no_rule_matches_nothing_is_decided() -> None:
    assert decide(ticket(), [rule(P1)], START) == Verdict(None, (), (), None)
    assert decide(ticket(), [], START) == Verdict(None, (), (), None)


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({"all": [P3, MAIL]}, True),
        ({"all": [P3, P1]}, False),
        ({"any": [P1, MAIL]}, True),
        ({"any": [P1, leaf("channel", "is", "web")]}, False),
        ({"not": P1}, True),
        ({"not": P3}, False),
        ({"not": {"not": P3}}, True),
        ({"not": {"all": [P3, P1]}}, True),
        ({"not": {"any": [P3, P1]}}, False),
        ({"all": [{"any": [P1, P3]}, {"not": {"any": [P1]}}]}, True),
    ],
)
def test_all_any_and_not(when: dict[str, Any], matches: bool) -> None:
    assert holds(when, ticket(channel="mail")) is matches


def test_every_fact_and_all_that_may_be_asked_of_it_has_an_example() -> None:
    asked = {(name, op) for name, fact in FACTS.items() for op in vocabulary.operators(fact)}
    assert CASES.keys() == asked


@pytest.mark.parametrize(("fact", "op"), list(CASES))
def test_a_fact_asked_one_thing(fact: str, op: str) -> None:
    value, right, wrong = CASES[fact, op]
    when = leaf(fact, op, value)
    for changes in right:
        assert holds(when, ticket(**changes)), changes
        assert not holds({"not": when}, ticket(**changes)), changes
    for changes in wrong:
        assert not holds(when, ticket(**changes)), changes
        assert holds({"not": when}, ticket(**changes)), changes


@pytest.mark.parametrize("fact", [f"{name}_breached" for name in CLOCKS] + ["sender_verified"])
def test_a_flag_may_be_asked_to_be_down(fact: str) -> None:
    assert holds(leaf(fact, "is", False), ticket())


def test_the_customer_is_heard_again_when_they_ask_after_the_rule_answered() -> None:
    asks = rule(leaf("asked_to_escalate", "is_set"), once={"again_after": "1m wall"})
    fired = {"one": START}
    for asked_at, matches in ((START - MINUTE, False), (START + MINUTE, True)):
        facts = ticket(customer_asked_to_escalate_at=asked_at, fired=fired)
        assert (decide(facts, [asks], START + HOUR).rule is asks) is matches


def test_patterns_look_through_what_was_written_whatever_its_case() -> None:
    facts = ticket(text="Unsere BESTELLUNG\nfehlt")
    assert holds(leaf("text", "matches", "bestellung"), facts)
    assert not holds(leaf("text", "matches", "bestellung.fehlt"), facts)
    assert holds(leaf("text", "matches", "(?s)bestellung.fehlt"), facts)


# When


def test_business_time_stands_still_over_the_weekend_and_wall_time_does_not() -> None:
    facts = ticket(waiting_since=START)
    business = rule(leaf("unanswered_for", "at_least", "1h"))
    wall = rule(leaf("unanswered_for", "at_least", "1h wall"))
    assert decide(facts, [business], START).ask_again_at == MONDAY + HOUR / 2
    assert decide(facts, [wall], START).ask_again_at == START + HOUR
    assert decide(facts, [business], MONDAY).rule is None
    assert decide(facts, [business], MONDAY + HOUR / 2).rule is business


def test_it_is_asked_again_at_the_microsecond_and_not_before() -> None:
    late = rule(leaf("unanswered_for", "at_least", "15m wall"))
    facts = ticket(waiting_since=START)
    due = START + timedelta(minutes=15)
    assert decide(facts, [late], START) == Verdict(None, (), (), due)
    assert decide(facts, [late], due - MICROSECOND).rule is None
    verdict = decide(facts, [late], due)
    assert (verdict.rule, verdict.ask_again_at) == (late, None)


def test_a_share_of_a_target_is_counted_in_the_clocks_own_time() -> None:
    used = rule(leaf("resolution_used", "at_least", "75%"))
    facts = ticket(**clock("resolution", time=OFFICE))
    assert decide(facts, [used], START).ask_again_at == MONDAY + 2.5 * HOUR


def test_a_clock_that_stands_is_not_waited_for() -> None:
    used = rule(leaf("resolution_used", "at_least", "75%"))
    assert decide(ticket(**clock("resolution", **GONE)), [used], START).ask_again_at is None


def test_what_turns_without_changing_the_verdict_is_no_reason_to_ask() -> None:
    either = rule({"any": [P3, leaf("age", "at_least", "1h wall")]})
    assert decide(ticket(), [either], START).ask_again_at is None
    both = rule({"all": [P1, leaf("age", "at_least", "1h wall")]})
    assert decide(ticket(), [both], START).ask_again_at is None


def test_it_is_asked_again_when_the_rule_that_decides_stops_or_an_earlier_one_begins() -> None:
    earlier = rule(leaf("age", "at_least", "2h wall"), "earlier")
    young = rule(leaf("age", "less_than", "1h wall"), "young")
    later = rule(leaf("age", "at_least", "30m wall"), "later")
    rules = [earlier, young, later]
    seen = []
    now: datetime | None = START
    while now is not None:
        verdict = decide(ticket(), rules, now)
        seen.append((now - START, verdict.rule))
        now = verdict.ask_again_at
    assert seen == [(timedelta(), young), (HOUR, later), (2 * HOUR, earlier)]


def test_a_calendar_that_never_opens_again_keeps_a_rule_waiting_and_stops_nothing() -> None:
    late = rule(leaf("age", "at_least", "1h"))
    soon = rule(leaf("age", "less_than", "1h"), "soon")
    again = rule(P3, "again", once={"again_after": "1h"})
    facts = ticket(plan_time=PAST, fired={"again": START})
    assert decide(facts, [late], START) == Verdict(None, (), (), None)
    assert decide(facts, [soon], START).rule is soon
    assert decide(facts, [again], LATER) == Verdict(None, (), (), None)
    [explained] = explain(facts, [again], LATER)
    assert (explained.skipped, explained.skipped_until) == (Skip.FIRED, None)


# How often


@pytest.mark.parametrize(
    ("once", "changes", "matches"),
    [
        ("ever", {}, True),
        ("ever", {"fired": {"one": START}}, False),
        ("ever", {"fired": {"one": START}, "reopened_at": LATER}, False),
        ("per_generation", {"fired": {"one": START}}, False),
        ("per_generation", {"fired": {"one": START}, "reopened_at": LATER}, True),
        ("per_generation", {"fired": {"one": START}, "reopened_at": START + MINUTE}, True),
        ("per_generation", {"fired": {"one": LATER}, "reopened_at": START}, False),
        ("per_generation", {"fired": {"other": START}}, True),
        ({"again_after": "1h wall"}, {"fired": {"one": START}}, True),
        ({"again_after": "2h wall"}, {"fired": {"one": START}}, False),
        # Half an hour was open since.
        ({"again_after": "30m"}, {"fired": {"one": START}}, True),
        ({"again_after": "31m"}, {"fired": {"one": START}}, False),
    ],
)
def test_how_often_a_rule_may_escalate_the_same_ticket(
    once: object, changes: dict[str, Any], matches: bool
) -> None:
    asked = rule(P3, once=once)
    assert (decide(ticket(**changes), [asked], LATER).rule is asked) is matches


def test_a_rule_that_may_again_says_when() -> None:
    again = rule(P3, once={"again_after": "1h"})
    facts = ticket(fired={"one": START})
    assert decide(facts, [again], LATER).ask_again_at == MONDAY + HOUR / 2
    [explained] = explain(facts, [again], LATER)
    assert (explained.skipped, explained.skipped_until) == (Skip.FIRED, MONDAY + HOUR / 2)
    assert explained.matches_from == MONDAY + HOUR / 2


def test_a_rule_is_not_asked_while_what_it_would_open_is_open() -> None:
    up, above = rule(P3), rule(P3, "above", to={"team_lead": True})
    facts = ticket(escalated=frozenset({"functional"}))
    assert decide(facts, [up, above], START).rule is above
    assert decide(ticket(escalated=frozenset({"hierarchical"})), [above, up], START).rule is up


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_no_rule_is_asked_of_a_ticket_that_has_ended(status: str) -> None:
    rules = [rule(P3), rule(leaf("age", "at_least", "1h wall"), "two")]
    facts = ticket(status=status)
    assert decide(facts, rules, START) == Verdict(None, (), (), None)
    assert [one.skipped for one in explain(facts, rules, START)] == [Skip.ENDED] * 2
    assert [one.matches_from for one in explain(facts, rules, START)] == [None, None]


# What strangers write


EVIL = [
    (r"(a+)+$", "a" * 100_000 + "!"),
    (r"(a|a)*b", "a" * 100_000),
    (r"(x+x+)+y", "x" * 100_000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 100_000 + "!"),
    (r"(.*)(.*)(.*)(.*)[^\w\s]{9}z", "word " * 20_000),
    (r"(a|b)*a(a|b){20}c", "ab" * 50_000),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), EVIL)
def test_an_evil_pattern_takes_no_time_on_a_long_text(pattern: str, text: str) -> None:
    when = leaf("text", "matches", pattern)
    asked = rule(when)
    facts = ticket(text=text)
    took = []
    for _attempt in range(3):
        # Of this process alone: others may be busy beside it.
        began = time.process_time()
        decide(facts, [asked], START)
        took.append(time.process_time() - began)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", r"(?=a)b", r"(?<=a)b", r"(?!a)b", r"(?P<a>a)(?P=a)", "(", "a{1001}", "((a{100}){100}){100}", "[z-a]"],
)  # fmt: skip
def test_a_pattern_that_could_not_be_run_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(PolicyErrors) as refused:
        rule(leaf("text", "matches", pattern))
    [error] = refused.value.errors
    assert error.where == "rules[0].when.value"
    assert error.message.startswith("is not a pattern RE2 can run: ")


def test_as_many_rules_as_a_policy_may_have_are_asked_in_moments() -> None:
    ages = [leaf("age", "at_least", f"{minutes}m wall") for minutes in range(600, 2600)]
    rules = [rule({"all": [{"any": ages[n::200]}, P1]}, f"r{n}") for n in range(200)]
    began = time.process_time()
    assert decide(ticket(), rules, START) == Verdict(None, (), (), None)
    assert time.process_time() - began < 1
