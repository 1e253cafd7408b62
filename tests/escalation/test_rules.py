"""Rules: which decides, why, why not the others, and exactly when to ask again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from escalation import reasons, vocabulary
from escalation.conditions import Condition, Leaf, Not, Reason, Several
from escalation.problems import PolicyErrors
from escalation.rulefile import parse_rules
from escalation.rules import (
    Kind,
    Limit,
    Once,
    Rule,
    Skip,
    Target,
    TargetForm,
    Verdict,
    decide,
    explain,
)
from escalation.ticketfacts import ClockFact, TicketFacts
from escalation.vocabulary import CLOCKS, FACTS
from staff.businesstime import WALL, BusinessTime, OpenHours
from staff.durations import Duration, parse_duration, written
from staff.hours import Hours

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
#: Mon-Fri 9-17, and round the clock.
OFFICE = OpenHours(Hours(zone="UTC", weekly=(((540, 1020),),) * 5 + ((), ())))
ALWAYS = OpenHours(Hours(zone="UTC", weekly=(((0, 1440),),) * 7))
#: Open on one day long ago.
PAST = OpenHours(
    Hours.from_json({"zone": "UTC", "weekly": {}, "exceptions": {"2020-06-01": [["09:00", "17:00"]]}})
)  # fmt: skip
#: A Friday afternoon, half an hour before the office closes.
START = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def ticket(**changes: Any) -> TicketFacts:
    """A new P3 ticket of that Friday, on office hours."""
    facts: dict[str, Any] = {
        "reference": "HD-1042",
        "status": "open",
        "priority": 3,
        "impact": 2,
        "urgency": 2,
        "created_at": START,
        "status_since": START,
        "plan_time": OFFICE,
        **changes,
    }
    return TicketFacts(**facts)


def rule(when: object, key: str = "one", **changes: Any) -> Rule:
    """A rule as a file writes it."""
    body = {"key": key, "name": key.title(), "when": when, "to": {"next_tier": True}, **changes}
    return parse_rules([body])[0]


def leaf(fact: str, op: str, value: Any = None) -> dict[str, Any]:
    data = {"fact": fact, "op": op}
    return data if op in vocabulary.VALUELESS else {**data, "value": value}


def holds(when: object, facts: TicketFacts, now: datetime = START) -> bool:
    return decide(facts, [rule(when)], now).rule is not None


# Which decides


P3 = leaf("priority", "is", "P3")
P1 = leaf("priority", "is", "P1")
MAIL = leaf("channel", "is", "mail")


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


LATER = START + HOUR
GONE = {"running_since": None, "consumed": HOUR}


def clock(kind: str, **changes: Any) -> dict[str, Any]:
    """Facts with one clock of four hours, running round the clock since the start."""
    options = {"time": ALWAYS, "budget": 4 * HOUR, "running_since": START, **changes}
    return {"clocks": {kind: ClockFact(**options)}}


#: What may be asked of every fact: the value, facts for which it holds, and for which it does not.
Cases = dict[tuple[str, str], tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]]
CASES: Cases = {
    ("status", "is"): ("open", [{}], [{"status": "new"}]),
    ("status", "is_not"): ("new", [{}], [{"status": "new"}]),
    ("status", "in"): (["new", "open"], [{}, {"status": "new"}], [{"status": "on_hold"}]),
    ("status", "not_in"): (["new", "open"], [{"status": "on_hold"}], [{}, {"status": "new"}]),
    ("priority", "is"): ("P3", [{}], [{"priority": 2}]),
    ("priority", "is_not"): ("P3", [{"priority": 2}], [{}]),
    ("priority", "in"): (["P1", "P3"], [{}, {"priority": 1}], [{"priority": 2}]),
    ("priority", "not_in"): (["P1", "P3"], [{"priority": 2}], [{}, {"priority": 1}]),
    # As pressing as P2, or more: P1.
    ("priority", "at_least"): ("P2", [{"priority": 1}, {"priority": 2}], [{}]),
    ("priority", "at_most"): ("P2", [{"priority": 2}, {}], [{"priority": 1}]),
    ("complexity", "is"): ("moderate", [{}], [{"complexity": "simple"}]),
    ("complexity", "is_not"): ("moderate", [{"complexity": "simple"}], [{}]),
    ("complexity", "in"): (["simple"], [{"complexity": "simple"}], [{}]),
    ("complexity", "not_in"): (["simple"], [{}], [{"complexity": "simple"}]),
    ("channel", "is"): ("mail", [{"channel": "mail"}], [{"channel": "web"}, {}]),
    ("channel", "is_not"): ("mail", [{"channel": "web"}, {}], [{"channel": "mail"}]),
    ("channel", "in"): (["mail"], [{"channel": "mail"}], [{"channel": "web"}]),
    ("channel", "not_in"): (["mail"], [{"channel": "web"}], [{"channel": "mail"}]),
    ("assignee", "is_set"): (None, [{"assignee": True}], [{}]),
    ("assignee", "is_not_set"): (None, [{}], [{"assignee": True}]),
    ("asked_to_escalate", "is_set"): (
        None,
        [
            {"customer_asked_to_escalate_at": START},
            {"customer_asked_to_escalate_at": LATER, "fired": {"other": LATER}},
        ],
        [{}],
    ),
    ("asked_to_escalate", "is_not_set"): (None, [{}], [{"customer_asked_to_escalate_at": START}]),
    ("tags", "contains"): ("vip", [{"tags": frozenset({"vip", "eu"})}], [{}, {"tags": frozenset({"vips"})}]),
    ("tags", "is_set"): (None, [{"tags": frozenset({"vip"})}], [{}]),
    ("tags", "is_not_set"): (None, [{}], [{"tags": frozenset({"vip"})}]),
    # Of the other kind: what is open of the rule's own kind keeps it from being asked.
    ("escalated", "contains"): ("hierarchical", [{"escalated": frozenset({"hierarchical"})}], [{}]),
    ("escalated", "is_set"): (None, [{"escalated": frozenset({"hierarchical"})}], [{}]),
    ("escalated", "is_not_set"): (None, [{}], [{"escalated": frozenset({"hierarchical"})}]),
    ("sender_verified", "is"): (True, [{"sender_verified": True}], [{}]),
    ("unanswered_for", "at_least"): ("1h wall", [{"waiting_since": START - HOUR}], [{}, {"waiting_since": START - HOUR + MICROSECOND}]),
    ("unanswered_for", "less_than"): ("1h wall", [{"waiting_since": START - HOUR + MICROSECOND}], [{}, {"waiting_since": START - HOUR}]),
    ("in_status_for", "at_least"): ("1h", [{"status_since": START - HOUR}], [{}]),
    ("in_status_for", "less_than"): ("1h", [{}], [{"status_since": START - HOUR}]),
    ("age", "at_least"): ("1h", [{"created_at": START - HOUR}], [{}]),
    ("age", "less_than"): ("1h", [{}], [{"created_at": START - HOUR}]),
    ("silent_for", "at_least"): (
        "1h",
        [{"created_at": START - HOUR}, {"last_public_update_at": START - HOUR}],
        [{}, {"created_at": START - HOUR, "last_public_update_at": START}],
    ),
    ("silent_for", "less_than"): (
        "1h",
        [{}, {"created_at": START - HOUR, "last_public_update_at": START}],
        [{"created_at": START - HOUR}],
    ),
}  # fmt: skip
for _name, _fact in {"impact": "impact", "urgency": "urgency"}.items():
    CASES |= {
        (_name, "is"): ("medium", [{}], [{_fact: 1}]),
        (_name, "is_not"): ("medium", [{_fact: 1}], [{}]),
        (_name, "in"): (["high"], [{_fact: 1}], [{}]),
        (_name, "not_in"): (["high"], [{}], [{_fact: 1}]),
        (_name, "at_least"): ("medium", [{}, {_fact: 1}], [{_fact: 3}]),
        (_name, "at_most"): ("medium", [{}, {_fact: 3}], [{_fact: 1}]),
    }
for _name in ("category", "plan", "organization", "team", "language"):
    CASES |= {
        (_name, "is"): ("api", [{_name: "api"}], [{}, {_name: "API"}]),
        (_name, "is_not"): ("api", [{}, {_name: "web"}], [{_name: "api"}]),
        (_name, "in"): (["api", "web"], [{_name: "api"}], [{}, {_name: "ap"}]),
        (_name, "not_in"): (["api", "web"], [{}, {_name: "ap"}], [{_name: "api"}]),
        (_name, "is_set"): (None, [{_name: "api"}], [{}]),
        (_name, "is_not_set"): (None, [{}], [{_name: "api"}]),
    }
for _name in ("tier", "reopened_count", "completeness", "times_escalated"):
    CASES |= {
        (_name, "is"): (2, [{_name: 2}], [{_name: 1}]),
        (_name, "is_not"): (2, [{_name: 1}], [{_name: 2}]),
        (_name, "in"): ([2, 3], [{_name: 2}], [{_name: 1}]),
        (_name, "not_in"): ([2, 3], [{_name: 1}], [{_name: 2}]),
        (_name, "at_least"): (2, [{_name: 2}, {_name: 3}], [{_name: 1}]),
        (_name, "at_most"): (2, [{_name: 2}, {_name: 1}], [{_name: 3}]),
    }
# A tier there is not is neither at least nor at most anything; tier 0 would be there.
CASES[("tier", "is_set")] = (None, [{"tier": 1}, {"tier": 0}], [{}])
CASES[("tier", "is_not_set")] = (None, [{}], [{"tier": 1}])
CASES[("tier", "at_least")][2].append({})
CASES[("tier", "at_most")][2].append({})
for _name in ("subject", "text"):
    CASES |= {
        (_name, "contains"): ("Straße", [{_name: "in der STRASSE 1"}], [{}, {_name: "Weg"}]),
        (_name, "matches"): (r"\b502\b", [{_name: "a 502\nb"}], [{}, {_name: "5020"}]),
        (_name, "is_set"): (None, [{_name: "a"}], [{}]),
        (_name, "is_not_set"): (None, [{}], [{_name: "a"}]),
    }
for _name in CLOCKS:
    _half = {"running_since": START - 2 * HOUR}
    CASES |= {
        (f"{_name}_used", "at_least"): (
            "50%",
            [clock(_name, **_half), clock(_name, **GONE | {"consumed": 2 * HOUR})],
            [{}, clock(_name), clock(_name, **GONE)],
        ),
        (f"{_name}_used", "less_than"): (
            "50%",
            [clock(_name), clock(_name, **GONE)],
            [{}, clock(_name, **_half)],
        ),
        (f"{_name}_breached", "is"): (
            True,
            [
                clock(_name, running_since=START - 4 * HOUR),
                clock(_name, breached_at=START, running_since=None, consumed=5 * HOUR),
            ],
            [{}, clock(_name), clock(_name, **_half)],
        ),
    }


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


# Why, and why not


def test_what_held_and_what_did_not_is_said_of_every_rule_and_from_when() -> None:
    late = rule({"all": [P3, leaf("unanswered_for", "at_least", "1h")]}, "late")
    now_rule = rule(P3, "now")
    idle = rule(P3, "idle")
    urgent = rule(P1, "urgent")
    facts = ticket(waiting_since=START)
    due = MONDAY + HOUR / 2
    explained = {one.rule.key: one for one in explain(facts, [late, now_rule, idle, urgent], START)}
    assert [one.decides for one in explained.values()] == [False, True, False, False]
    assert [one.holds for one in explained.values()] == [False, True, True, False]
    assert explained["late"].matches_from == due
    assert explained["now"].matches_from == explained["idle"].matches_from == START
    assert explained["urgent"].matches_from is None
    first, second = explained["late"].reasons
    assert (first.path, first.holds, first.wanted, first.actual) == ("all[0]", True, "P3", "P3")
    assert (second.path, second.holds, second.helps) == ("all[1]", False, False)
    assert (second.wanted, second.actual, second.since) == ("1h", "0s", START)
    assert (second.holds_from, second.holds_until) == (due, None)


def test_a_condition_that_will_stop_holding_says_until_when() -> None:
    [young] = explain(ticket(), [rule(leaf("age", "less_than", "1h wall"))], START)
    assert (young.matches_from, young.matches_until) == (START, START + HOUR)
    [reason] = young.reasons
    assert (reason.holds_from, reason.holds_until) == (None, START + HOUR)


def test_under_not_what_does_not_hold_speaks_for_the_rule() -> None:
    [explained] = explain(ticket(), [rule({"not": {"any": [P1, {"not": P3}]}})], START)
    one, two = explained.reasons
    assert (one.path, one.negated, one.holds, one.helps) == ("not.any[0]", True, False, True)
    assert (two.path, two.negated, two.holds, two.helps) == ("not.any[1].not", False, True, True)


def test_a_share_that_is_reached_never_reads_as_less() -> None:
    # 29 % of 100 hours is 29 hours, and not a little less as by floating point.
    budget = 100 * HOUR
    for percent in range(1, 100):
        facts = ticket(**clock("resolution", budget=budget))
        when = rule(leaf("resolution_used", "at_least", f"{percent}%"))
        reached_at = decide(facts, [when], START).ask_again_at
        assert reached_at == START + budget * percent / 100
        [reached] = decide(facts, [when], reached_at).reasons
        assert reached.actual == f"{percent}%"
        [[before]] = [one.reasons for one in explain(facts, [when], reached_at - MICROSECOND)]
        assert before.actual == f"{percent - 1}%"


def test_no_text_of_a_customer_is_copied_into_a_reason() -> None:
    secret = "Our password is hunter2"
    facts = ticket(subject=secret, text=secret)
    for fact in ("subject", "text"):
        for op in ("contains", "matches", "is_set", "is_not_set"):
            [explained] = explain(facts, [rule(leaf(fact, op, "password"))], START)
            assert "hunter2" not in json.dumps(explained.to_json())


def test_reasons_are_kept_as_data_and_read_back() -> None:
    facts = ticket(waiting_since=START, tags=frozenset({"vip"}))
    when = {"all": [P3, leaf("unanswered_for", "at_least", "1h"), leaf("tags", "contains", "vip")]}
    [explained] = explain(facts, [rule(when)], START)
    data = json.loads(json.dumps(explained.to_json()))
    assert tuple(Reason.from_json(one) for one in data["reasons"]) == explained.reasons
    assert data["matches_from"] == "2026-11-30T09:30:00+00:00"


# Whatever the rules

LENGTHS = st.sampled_from([1, 5, 15, 30, 60, 61, 90, 240, 480, 1500]).map(lambda n: n * MINUTE)
TIMES: list[BusinessTime] = [OFFICE, ALWAYS, WALL]
PASTS = st.integers(0, 3000).map(lambda minutes: START - minutes * MINUTE)
CLOCK_FACTS = st.builds(
    ClockFact,
    time=st.sampled_from(TIMES),
    budget=LENGTHS,
    consumed=st.integers(0, 400).map(lambda minutes: minutes * MINUTE),
    running_since=st.none() | PASTS,
    breached_at=st.none() | PASTS,
)
SITUATIONS = st.builds(
    ticket,
    priority=st.integers(1, 4),
    reopened_count=st.integers(0, 2),
    created_at=PASTS,
    status_since=PASTS,
    waiting_since=st.none() | PASTS,
    last_public_update_at=st.none() | PASTS,
    reopened_at=st.none() | PASTS,
    customer_asked_to_escalate_at=st.none() | PASTS,
    escalated=st.sampled_from([frozenset(), frozenset({"functional"}), frozenset({"hierarchical"})]),
    fired=st.dictionaries(st.sampled_from("aabbcd"), PASTS, max_size=4),
    clocks=st.dictionaries(st.sampled_from(["first_response", "resolution"]), CLOCK_FACTS),
    plan_time=st.sampled_from(TIMES),
)  # fmt: skip
DURATIONS = st.builds(Duration, LENGTHS, st.booleans()).map(str)
LENGTH_FACTS = st.sampled_from(["unanswered_for", "in_status_for", "age", "silent_for"])
SHARES = st.sampled_from(["1%", "33%", "50%", "75%", "100%", "130%"])
SHARE_FACTS = st.sampled_from(["first_response_used", "resolution_used"])
SINCE_OPS = st.sampled_from(["at_least", "less_than"])
LEAVES = st.one_of(
    st.builds(Leaf, LENGTH_FACTS, SINCE_OPS, DURATIONS),
    st.builds(Leaf, SHARE_FACTS, SINCE_OPS, SHARES),
    st.builds(
        Leaf,
        st.sampled_from(["first_response_breached", "resolution_breached"]),
        st.just("is"),
        st.booleans(),
    ),
    st.builds(Leaf, st.just("priority"), st.just("at_least"), st.sampled_from(["P1", "P2", "P3"])),
    st.builds(Leaf, st.just("asked_to_escalate"), st.sampled_from(["is_set", "is_not_set"])),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(Several, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)  # fmt: skip
ONCES = st.one_of(
    st.sampled_from([Once(Limit.EVER), Once(Limit.PER_GENERATION)]),
    st.builds(
        Once, st.just(Limit.AGAIN_AFTER), st.builds(Duration, LENGTHS, st.booleans())
    ),
)  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> list[Rule]:
    return [
        Rule(
            key=key,
            name=key,
            when=draw(CONDITIONS),
            to=(Target(TargetForm.PERSON, "grace@brightquay.example"),),
            kind=draw(st.sampled_from(Kind)),
            nature="overdue",
            once=draw(ONCES),
        )
        for key in "abcd"[: draw(st.integers(1, 4))]
    ]


def expected(facts: TicketFacts, rules: list[Rule], now: datetime) -> Rule | None:
    """Who decides, by subtracting moments and without any outlook."""
    for one in rules:
        if str(one.kind) in facts.escalated:
            continue
        if (fired_at := facts.fired.get(one.key)) is not None:
            again = one.once.again_after
            if one.once.limit == Limit.EVER:
                continue
            if one.once.limit == Limit.PER_GENERATION and not (
                facts.reopened_at and facts.reopened_at > fired_at
            ):
                continue
            if again and not lasted(fired_at, again, facts, now):
                continue
        if true_of(one.when, facts, one.key, now):
            return one
    return None


def lasted(since: datetime | None, length: Duration, facts: TicketFacts, now: datetime) -> bool:
    if since is None:
        return False
    time = WALL if length.wall else facts.plan_time
    return time.between(since, now) >= length.length


def true_of(when: Condition, facts: TicketFacts, key: str, now: datetime) -> bool:
    if isinstance(when, Not):
        return not true_of(when.part, facts, key, now)
    if isinstance(when, Several):
        answers = [true_of(part, facts, key, now) for part in when.parts]
        return all(answers) if when.word == "all" else any(answers)
    if when.fact == "priority":
        return facts.priority <= int(when.value[1])
    if when.fact == "asked_to_escalate":
        asked = facts.customer_asked_to_escalate_at
        heard = asked is not None and (key not in facts.fired or asked > facts.fired[key])
        return heard == (when.op == "is_set")
    name, _dash, what = when.fact.rpartition("_")
    if what in ("used", "breached"):
        clock = facts.clocks.get(name)
        if clock is None:
            return what == "breached" and when.value is False
        used = clock.consumed
        if clock.running_since is not None:
            used += clock.time.between(clock.running_since, now)
        if what == "breached":
            over = clock.running_since is not None and used >= clock.budget
            return (over or clock.breached_at is not None) is bool(when.value)
        reached = used * 100 >= clock.budget * int(when.value.rstrip("%"))
        return reached == (when.op == "at_least")
    since = {
        "unanswered_for": facts.waiting_since,
        "in_status_for": facts.status_since,
        "silent_for": facts.last_public_update_at or facts.created_at,
        "age": facts.created_at,
    }[when.fact]
    if since is None:
        return False
    return lasted(since, parse_duration(when.value), facts, now) == (when.op == "at_least")


few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
AHEAD = st.integers(0, 12_000 * 60_000_000).map(lambda us: us * MICROSECOND)


@few
@given(facts=SITUATIONS, rules=policies(), ahead=st.lists(AHEAD, min_size=1, max_size=5))
def test_the_verdict_stands_until_it_says_to_ask_again_and_changes_then(
    facts: TicketFacts, rules: list[Rule], ahead: list[timedelta]
) -> None:
    verdict = decide(facts, rules, START)
    assert verdict.rule is expected(facts, rules, START)
    again = verdict.ask_again_at
    if again is not None:
        assert again > START
        assert expected(facts, rules, again - MICROSECOND) is verdict.rule
        assert expected(facts, rules, again) is not verdict.rule
        before = decide(facts, rules, again - MICROSECOND)
        assert (before.rule, before.ask_again_at) == (verdict.rule, again)
    for length in ahead:
        moment = START + length
        if again is None or moment < again:
            assert decide(facts, rules, moment).rule is verdict.rule
        assert decide(facts, rules, moment).rule is expected(facts, rules, moment)


@few
@given(facts=SITUATIONS, rules=policies(), ahead=AHEAD)
def test_what_is_explained_is_what_is_decided(
    facts: TicketFacts, rules: list[Rule], ahead: timedelta
) -> None:
    now = START + ahead
    explained = explain(facts, rules, now)
    deciding = [one for one in explained if one.decides]
    verdict = decide(facts, rules, now)
    assert [one.rule for one in deciding] == ([verdict.rule] if verdict.rule else [])
    assert not deciding or deciding[0].reasons == verdict.reasons
    for one in explained:
        alone = decide(facts, [one.rule], now)
        assert (one.matches_from == now) == (alone.rule is one.rule)
        turn = one.matches_until if alone.rule else one.matches_from
        assert turn == alone.ask_again_at
        assert one.holds == one.rule.when.holds(facts, one.rule.key, now)
        assert (one.skipped is None and one.holds) == (alone.rule is not None)


@few
@given(facts=SITUATIONS, when=LEAVES, ahead=AHEAD)
def test_a_reason_turns_when_it_says_and_shows_what_was_counted(
    facts: TicketFacts, when: Leaf, ahead: timedelta
) -> None:
    now = START + ahead
    [reason] = when.reasons(facts, "a", now)
    if reason.changes_at is not None:
        assert reason.changes_at > now
        assert when.holds(facts, "a", reason.changes_at - MICROSECOND) is reason.holds
        assert when.holds(facts, "a", reason.changes_at) is not reason.holds
    assume(when.op in ("at_least", "less_than") and when.fact != "priority")
    if isinstance(reason.actual, str) and not reason.actual.endswith("%"):
        reached = parse_duration(reason.actual).length >= parse_duration(when.value).length
        assert reached == (reason.holds == (when.op == "at_least"))


@few
@given(rules=policies())
def test_rules_are_written_and_read_back(rules: list[Rule]) -> None:
    written_down = json.loads(json.dumps([one.to_data() for one in rules]))
    functional = [one for one in rules if one.kind == Kind.FUNCTIONAL]
    assert parse_rules(written_down) == tuple(rules)
    assert [one.kind for one in parse_rules(written_down)].count(Kind.FUNCTIONAL) == len(functional)


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


# In words


def said(when: object, facts: TicketFacts, now: datetime = START) -> str:
    [explained] = explain(facts, [rule(when)], now)
    return reasons.sentence(explained.reasons[0])


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        (P1, "The priority: wanted P1, is P3"),
        (leaf("priority", "at_least", "P2"), "The priority: wanted at least P2, is P3"),
        (leaf("plan", "in", ["gold", "4h"]), "The plan: wanted one of gold, 4h, is not there"),
        (leaf("tier", "is_not", 2), "The tier: wanted other than 2, is not there"),
        (leaf("assignee", "is_set"), "The assignee: wanted, is no"),
        (leaf("assignee", "is_not_set"), "The assignee: not wanted, is no"),
        (leaf("sender_verified", "is", True), "The sender is verified: wanted yes, is no"),
        (leaf("tags", "contains", "15m"), "The tags: wanted with “15m”"),
        (leaf("tags", "is_set"), "The tags: wanted, is none"),
        (leaf("text", "matches", "100%(fact)s"), "What the customer wrote: wanted to match “100%(fact)s”"),
        (leaf("unanswered_for", "at_least", "1h wall"), "Time without a reply: wanted at least 1 hour, is 30 minutes"),
        (
            leaf("unanswered_for", "less_than", "1h30m"),
            "Time without a reply: wanted less than 1 h 30 min of business time, is 30 minutes of business time",
        ),
        (leaf("resolution_used", "at_least", "75%"), "Resolution target used: wanted at least 75%, is not there"),
        ({"not": P1}, "Not (the priority: wanted P1, is P3)"),
    ],
)  # fmt: skip
def test_a_reason_in_words(when: object, sentence: str) -> None:
    with translation.override("en"):
        assert said(when, ticket(waiting_since=START - HOUR / 2)) == sentence


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_reason_there_can_be_has_words(language: str) -> None:
    with translation.override(language):
        for (fact, op), (value, right, wrong) in CASES.items():
            for changes in right + wrong:
                words = said(leaf(fact, op, value), ticket(**changes))
                assert "%(" not in words
                assert words[0].isupper() or words[0].isdigit()
                assert fact not in words or "_" not in fact


def test_the_words_of_a_length_are_whole_minutes() -> None:
    with translation.override("en"):
        assert reasons.length(timedelta(seconds=119)) == "1 minute"
        assert reasons.length(2 * HOUR) == "2 hours"
        assert reasons.length(timedelta(hours=1, minutes=5, seconds=59)) == "1 h 5 min"


def test_the_shortest_length_is_still_written() -> None:
    assert written(MICROSECOND) == "0s"
