"""Why a rule decided or did not, as data and in words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.utils import translation

from escalation import reasons
from escalation.conditions import Reason
from escalation.rules import (
    decide,
    explain,
)
from escalation.ticketfacts import TicketFacts
from staff.durations import written
from tests.escalation.examples import CASES, clock
from tests.escalation.situations import (
    HOUR,
    MICROSECOND,
    MONDAY,
    P1,
    P3,
    START,
    leaf,
    rule,
    ticket,
)

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
