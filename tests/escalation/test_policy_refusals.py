"""A policy is refused with the place and the reason, all that is wrong at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from escalation.policyfile import parse_policy
from escalation.problems import PolicyErrors
from escalation.rulefile import parse_rules
from tests.escalation.policies import CONDITION, body, drop, found_in, put


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        (put("target", value={}), "target", "is not known here: targets, "),
        (drop("targets"), "targets", "must be a mapping, and is needed"),
        (put("targets", value=[]), "targets", "must be a mapping"),
        (drop("targets", "default"), "targets", "needs “default”"),
        (drop("targets", "gold", "P3"), "targets.gold", "lacks P3"),
        (put("targets", "gold", "P5", value={}), "targets.gold.P5", "is not known here: P1, P2, P3, P4"),
        (put("targets", 7, value={}), "targets.7", "must be a plan's slug"),
        (put("targets", "go ld", value={}), "targets.go ld", "must be a plan's slug"),
        (put("targets", "g\ud800ld", value={}), "targets.g\\ud800ld", "must be a plan's slug"),
        (put("targets", "g\0ld", value={}), "targets.g\0ld", "must be a plan's slug"),
        (drop("targets", "gold", "P1", "promise"), "targets.gold.P1", "lacks promise"),
        (put("targets", "gold", "P1", "promise", value=None), "targets.gold.P1.promise", "is not a duration"),
        (put("targets", "gold", "P1", "resolution", value="4 hours"), "targets.gold.P1.resolution", "“4 hours” is not a duration"),
        (put("targets", "gold", "P1", "resolution", value=4), "targets.gold.P1.resolution", "“4” is not a duration"),
        (put("targets", "gold", "P1", "resolution", value="2d"), "targets.gold.P1.resolution", "a business day has no agreed length"),
        (put("targets", "gold", "P1", "resolution", value="0h"), "targets.gold.P1.resolution", "must be longer than nothing"),
        (put("targets", "gold", "P1", "ack", value="1h"), "targets.gold.P1.ack", "is not known here"),
        (drop("pausing"), "pausing", "must be a list of statuses"),
        (put("pausing", value=["on_hold", "pending"]), "pausing[1]", "must be one of new, open"),
        (put("pausing", value=["resolved"]), "pausing[0]", "must be one of"),
        (put("pausing", value=[["on_hold"]]), "pausing[0]", "must be one of"),
        (put("clock_warning", value=75), "clock_warning", "must be a share such as 75%"),
        (put("clock_warning", value="0%"), "clock_warning", "must be between 1%"),
        (put("clock_warning", value="101%"), "clock_warning", "must not be more than 100%"),
        (put("clock_warning", value="9" * 5000 + "%"), "clock_warning", "must be between 1%"),
        (put("promises", "warnings", value="1h"), "promises.warnings", "must be a list of at most ten"),
        (put("promises", "warnings", value=["1h", "soon"]), "promises.warnings[1]", "“soon” is not a duration"),
        (put("promises", "max_slips", value=True), "promises.max_slips", "must be a whole number"),
        (put("promises", "max_slips", value=-1), "promises.max_slips", "must be a whole number"),
        (put("promises", "auto_repromise", value="always"), "promises.auto_repromise", "must be one of off, once"),
        (put("promises", "auto_repromise", value=True), "promises.auto_repromise", "must be one of off, once"),
        (put("promises", "round_up_to", value="0m"), "promises.round_up_to", "must be longer than nothing"),
        (put("paths", value={}), "paths", "must be a mapping, and is needed"),
        (put("paths", "urgent", value=[]), "paths.urgent", "must be a list of one to 12 steps"),
        (put("paths", "urgent", value=[{"do": "lead", "after": "1h"}] * 13), "paths.urgent", "must be a list of one to 12"),
        (put("paths", "urgent", 0, "do", value="call"), "paths.urgent[0].do", "must be one of remind, on_call"),
        (put("paths", "urgent", 0, "do", value=["remind"]), "paths.urgent[0].do", "must be one of"),
        (put("paths", "urgent", 0, "to", value="Grace"), "paths.urgent[0].to", "is not known here: do, after"),
        (drop("paths", "urgent", 2, "after"), "paths.urgent[2].after", "is not a duration"),
        (put("paths", "Very Urgent", value=[{"do": "lead", "after": "1h"}]), "paths.Very Urgent", "must be named with small letters"),
        (drop("paths", "urgent"), "path_for.default.P1", "there is no path “urgent”"),
        (put("path_for", "default", "P1", value=["urgent"]), "path_for.default.P1", "there is no path"),
        (drop("path_for", "default", "P4"), "path_for.default", "lacks P4"),
        (drop("follow_ups"), "follow_ups", "must be a mapping"),
        (put("follow_ups", "progress_every", value="0s"), "follow_ups.progress_every", "must be longer than nothing"),
        (put("reopen", "clocks", value="stop"), "reopen.clocks", "must be one of continue, restart, none"),
        (put("reopen", "window", value="14d"), "reopen.window", "a business day"),
        (drop("auto_close_after"), "auto_close_after", "is not a duration"),
        (put("rules", value=None), "rules", "must be a list of rules"),
        (put("rules", value={"a": 1}), "rules", "must be a list of rules"),
        (put("rules", value="none"), "rules", "must be a list of rules"),
        (put("rules", value=[{}] * 201), "rules", "must not have more than 200 rules"),
        (put("rules", 0, value="p1"), "rules[0]", "must be a rule"),
        (put("rules", 0, "path", value="none"), "rules[0].path", "there is no path “none”"),
        (put("rules", 1, "key", value="p1-unanswered"), "rules[1].key", "“p1-unanswered” is there already"),
    ],
)  # fmt: skip
def test_a_policy_is_refused_with_the_place_and_the_reason(
    change: Callable[[dict[str, Any]], None], where: str, reason: str
) -> None:
    data = body()
    change(data)
    with pytest.raises(PolicyErrors) as refused:
        parse_policy(data)
    assert found_in(refused.value, where, reason), refused.value


@pytest.mark.parametrize(
    ("part", "value", "where", "reason"),
    [
        ("key", "P1 Late", ".key", "must be small letters, digits and hyphens"),
        ("key", "a" * 81, ".key", "must be small letters"),
        ("key", "late\n", ".key", "must be small letters"),
        ("key", None, ".key", "must be small letters"),
        ("name", " ", ".name", "must be a text"),
        ("name", "a" * 201, ".name", "must be a text of at most 200 characters"),
        # No database keeps these.
        ("name", "late\0", ".name", "must be a text"),
        ("name", "late\ud800", ".name", "must be a text"),
        ("when", None, ".when", "must be a condition"),
        ("when", [CONDITION], ".when", "must be a condition"),
        ("when", {}, ".when.fact", "“None” is not a fact: status, priority"),
        ("when", {"fact": "mood", "op": "is", "value": "bad"}, ".when.fact", "“mood” is not a fact"),
        ("when", {"fact": ["priority"], "op": "is", "value": 1}, ".when.fact", "is not a fact"),
        ("when", {**CONDITION, "op": "above"}, ".when.op", "“above” cannot be asked of priority: is, is_not"),
        ("when", {**CONDITION, "op": ["is"]}, ".when.op", "cannot be asked of priority"),
        ("when", {**CONDITION, "op": "matches"}, ".when.op", "cannot be asked of priority"),
        ("when", {**CONDITION, "value": "P5"}, ".when.value", "must be one of P1, P2, P3, P4"),
        ("when", {**CONDITION, "value": 1}, ".when.value", "must be one of P1"),
        ("when", {**CONDITION, "value": ["P1"]}, ".when.value", "must be one of P1"),
        ("when", {"fact": "priority", "op": "is"}, ".when.value", "must be one of P1"),
        ("when", {**CONDITION, "op": "in"}, ".when.value", "must be a list with at least one value"),
        ("when", {**CONDITION, "op": "in", "value": []}, ".when.value", "must be a list with at least one value"),
        ("when", {**CONDITION, "op": "in", "value": ["P1"] * 101}, ".when.value", "must not have more than 100 values"),
        ("when", {**CONDITION, "op": "in", "value": ["P1", None]}, ".when.value", "must be one of P1"),
        ("when", {**CONDITION, "valeu": "P1"}, ".when.valeu", "is not known here: fact, op and value are"),
        ("when", {"fact": "assignee", "op": "is_set", "value": "Anna"}, ".when.value", "does not belong to is_set"),
        ("when", {"fact": "sender_verified", "op": "is", "value": "yes"}, ".when.value", "must be true or false"),
        ("when", {"fact": "reopened_count", "op": "is", "value": "2"}, ".when.value", "must be a whole number"),
        ("when", {"fact": "reopened_count", "op": "is", "value": True}, ".when.value", "must be a whole number"),
        ("when", {"fact": "reopened_count", "op": "at_least", "value": 2.5}, ".when.value", "must be a whole number"),
        ("when", {"fact": "unanswered_for", "op": "at_least", "value": 15}, ".when.value", "must be a duration, such as 4h"),
        ("when", {"fact": "unanswered_for", "op": "at_least", "value": "1d"}, ".when.value", "a business day has no agreed length"),
        ("when", {"fact": "resolution_used", "op": "at_least", "value": 0.75}, ".when.value", "must be a share such as 75%"),
        ("when", {"fact": "resolution_used", "op": "at_least", "value": "1001%"}, ".when.value", "must be between 1% and 1000%"),
        ("when", {"fact": "text", "op": "contains", "value": ""}, ".when.value", "must be a text"),
        ("when", {"fact": "text", "op": "contains", "value": "a" * 401}, ".when.value", "must not be longer than 400"),
        ("when", {"fact": "text", "op": "contains", "value": "a\0"}, ".when.value", "must be a text"),
        ("when", {"fact": "text", "op": "matches", "value": "\udc00"}, ".when.value", "must be a text"),
        ("when", {"fact": "text", "op": "matches", "value": "("}, ".when.value", "is not a pattern RE2 can run: missing )"),
        ("when", {"all": []}, ".when.all", "must be a list with at least one condition"),
        ("when", {"all": CONDITION}, ".when.all", "must be a list with at least one condition"),
        ("when", {"any": "priority"}, ".when.any", "must be a list with at least one condition"),
        ("when", {"all": [CONDITION, {"any": [CONDITION, 7]}]}, ".when.all[1].any[1]", "must be a condition"),
        ("when", {"all": [CONDITION], "any": [CONDITION]}, ".when.any", "does not belong beside “all”"),
        ("when", {"not": CONDITION, "fact": "status"}, ".when.fact", "does not belong beside “not”"),
        ("when", {"not": [CONDITION]}, ".when.not", "must be a condition"),
        ("when", {"all": [CONDITION] * 101}, ".when.all", "must not have more than 100 conditions"),
        ("when", {"all": [{"any": [CONDITION] * 51}] * 2}, ".when", "must not ask more than 100 things"),
        ("to", None, ".to[0]", "must be one of team, category_tier"),
        ("to", [], ".to", "must be a list of one to twenty targets"),
        ("to", [{"next_tier": True}] * 21, ".to", "must be a list of one to twenty targets"),
        ("to", "integrations", ".to[0]", "must be one of team"),
        ("to", {"team": "a", "next_tier": True}, ".to[0]", "must be one of team"),
        ("to", {"department": "a"}, ".to[0].department", "is not a target"),
        ("to", {1: "a"}, ".to[0].1", "is not a target"),
        ("to", {"team": ""}, ".to[0].team", "must be a team's slug"),
        ("to", {"team": "a\0"}, ".to[0].team", "must be a team's slug"),
        ("to", [{"next_tier": True}, {"next_tier": 1}], ".to[1].next_tier", "must be true"),
        ("to", {"category_tier": True}, ".to[0].category_tier", "must be a tier's number"),
        ("to", {"category_tier": 10}, ".to[0].category_tier", "must be a tier's number"),
        ("to", {"person": "Grace"}, ".to[0].person", "must be an e-mail address"),
        ("to", {"person": "grace\0@brightquay.example"}, ".to[0].person", "must be an e-mail address"),
        ("to", [{"next_tier": True}, {"team_lead": True}], ".to[1]", "team_lead is no target of a functional escalation"),
        ("to", [{"team_lead": True}, {"team": "emea"}], ".to[1]", "team is no target of a hierarchical escalation"),
        ("kind", "sideways", ".kind", "must be one of functional, hierarchical"),
        ("kind", ["functional"], ".kind", "must be one of functional, hierarchical"),
        ("kind", {"a": 1}, ".kind", "must be one of functional, hierarchical"),
        ("kind", "hierarchical", ".to[0]", "next_tier is no target of a hierarchical escalation"),
        ("nature", "late", ".nature", "must be one of expertise"),
        ("nature", ["overdue"], ".nature", "must be one of expertise"),
        ("urgency", 1, ".urgency", "must be one of high, medium, low"),
        ("urgency", ["high"], ".urgency", "must be one of high, medium, low"),
        ("path", ["urgent"], ".path", "must be the key of a path"),
        ("once", "daily", ".once", "must be ever, per_generation, or again_after with a duration"),
        ("once", ["ever"], ".once", "must be ever"),
        ("once", {"again_after": "soon"}, ".once.again_after", "“soon” is not a duration"),
        ("once", {"again_after": 4}, ".once.again_after", "is not a duration"),
        ("once", {"again_after": "0h"}, ".once.again_after", "must be longer than nothing"),
        ("once", {"again_after": "1h", "then": 1}, ".once", "must be ever"),
        ("then", [], ".then", "is not known here: key, name"),
    ],
)  # fmt: skip
def test_a_rule_is_refused_with_the_place_and_the_reason(
    part: str, value: object, where: str, reason: str
) -> None:
    rule = {"key": "late", "name": "Late", "when": CONDITION, "to": {"next_tier": True}}
    with pytest.raises(PolicyErrors) as refused:
        parse_rules([{**rule, part: value}])
    assert found_in(refused.value, "rules[0]" + where, reason), refused.value


def test_a_condition_may_be_eight_deep_and_no_deeper() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"not": nested(depth - 1)} if depth else CONDITION

    rule = {"key": "late", "name": "Late", "to": {"next_tier": True}}
    parse_rules([{**rule, "when": nested(8)}])
    with pytest.raises(PolicyErrors, match="is nested deeper than 8 levels"):
        parse_rules([{**rule, "when": nested(9)}])
    endless: dict[str, Any] = {}
    endless["not"] = endless
    with pytest.raises(PolicyErrors, match="is nested deeper than 8 levels"):
        parse_rules([{**rule, "when": endless}])


def test_all_that_is_wrong_is_told_at_once() -> None:
    data = body()
    data["clock_warning"] = 75
    data["rules"][0]["when"] = {"fact": "mood", "op": "is"}
    data["rules"][2]["to"] = {"department": "a"}
    del data["targets"]["silver"]["P2"], data["targets"]["silver"]["P4"]
    with pytest.raises(PolicyErrors) as refused:
        parse_policy(data)
    assert [error.where for error in refused.value.errors] == [
        "targets.silver",
        "targets.silver",
        "clock_warning",
        "rules[0].when.fact",
        "rules[2].to[0].department",
    ]
    assert [error.message for error in refused.value.errors][:2] == ["lacks P2", "lacks P4"]
    assert str(refused.value).splitlines()[2] == "clock_warning: must be a share such as 75%"


@pytest.mark.parametrize("data", [None, [], "rules", 7, {}])
def test_what_is_no_policy_at_all_is_refused(data: Any) -> None:
    with pytest.raises(PolicyErrors):
        parse_policy(data)
