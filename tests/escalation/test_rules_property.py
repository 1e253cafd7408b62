"""Whatever the rules and the ticket: what is decided is what a plain reading of them says."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from escalation.conditions import Condition, Leaf, Not, Several
from escalation.rulefile import parse_rules
from escalation.rules import (
    Kind,
    Limit,
    Once,
    Rule,
    Target,
    TargetForm,
    decide,
    explain,
)
from escalation.ticketfacts import ClockFact, TicketFacts
from staff.businesstime import WALL, BusinessTime
from staff.durations import Duration, parse_duration
from tests.escalation.situations import (
    ALWAYS,
    MICROSECOND,
    MINUTE,
    OFFICE,
    START,
    ticket,
)

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
