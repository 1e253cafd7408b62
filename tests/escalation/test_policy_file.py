"""A policy's file: read strictly, refused with the place and the reason, and read back the same."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import fields
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalation.policyfile import parse_policy
from escalation.policyspec import Action, AutoRepromise, Path, PathStep, PolicySpec, ReopenClocks
from escalation.policytext import LONGEST, read_policy, write_policy
from escalation.problems import PolicyErrors, RuleError
from escalation.rulefile import parse_rules
from escalation.rules import Kind, Limit, Once, Target, TargetForm
from staff.durations import Duration

SHIPPED = files("escalation").joinpath("policies", "default.yml").read_text(encoding="utf-8")
HOUR = timedelta(hours=1)


def body() -> dict[str, Any]:
    """The shipped policy, as its file has it."""
    data: dict[str, Any] = yaml.safe_load(SHIPPED)
    return data


def found_in(refused: PolicyErrors, where: str, reason: str) -> bool:
    """Whether it says that this is wrong, and there."""
    return any(error.where == where and reason in error.message for error in refused.errors)


# What is shipped

#: By plan: first response, periodic update, resolution, promise, acceptance.
AGREED: dict[str, dict[int, tuple[str | None, ...]]] = {
    "gold": {
        1: ("15m", "1h", "4h", "1h wall", "15m wall"),
        2: ("1h", "4h", "8h", "4h wall", "30m"),
        3: ("4h", "10h", "24h", "24h wall", "2h"),
        4: ("8h", None, "40h", "24h wall", "4h"),
    },
    "silver": {
        1: ("30m", "2h", "8h", "2h wall", "30m wall"),
        2: ("2h", "8h", "16h", "8h wall", "1h"),
        3: ("8h", "20h", "40h", "24h wall", "4h"),
        4: ("10h", None, "80h", "48h wall", "8h"),
    },
    "bronze": {
        1: ("1h", "4h", "16h", "4h wall", "30m wall"),
        2: ("4h", "10h", "24h", "24h wall", "2h"),
        3: ("10h", "30h", "60h", "24h wall", "4h"),
        4: ("20h", None, None, "72h wall", "8h"),
    },
}


@pytest.mark.parametrize("plan", AGREED)
@pytest.mark.parametrize("priority", [1, 2, 3, 4])
def test_the_shipped_targets_are_those_agreed(plan: str, priority: int) -> None:
    found = read_policy(SHIPPED).targets_for(plan=plan, priority=priority)
    durations = [getattr(found, field.name) for field in fields(found)]
    assert tuple(one and str(one) for one in durations) == AGREED[plan][priority]


def test_whoever_has_no_plan_named_in_the_policy_has_the_default() -> None:
    policy = read_policy(SHIPPED)
    for plan in (None, "", "platinum"):
        for priority in (1, 2, 3, 4):
            found = policy.targets_for(plan=plan, priority=priority)
            assert found == policy.targets["default"][priority]
            assert found == policy.targets["bronze"][priority]


def test_the_rest_of_the_shipped_policy() -> None:
    policy = read_policy(SHIPPED)
    assert policy.pausing == {"waiting_on_customer", "on_hold"}
    assert policy.clock_warning == 75
    assert policy.promises.warnings == (Duration(HOUR), Duration(HOUR / 4))
    assert policy.promises.round_up_to == HOUR / 4
    assert policy.promises.auto_repromise == AutoRepromise.OFF
    assert policy.follow_ups.progress_every == Duration(4 * HOUR)
    assert policy.reopen.clocks == ReopenClocks.CONTINUE
    assert [rule.key for rule in policy.rules] == [
        "p1-unanswered",
        "resolution-nearly-used",
        "reopened-twice",
        "customer-asks",
    ]
    assert [rule.kind for rule in policy.rules] == [
        Kind.FUNCTIONAL,
        Kind.FUNCTIONAL,
        Kind.HIERARCHICAL,
        Kind.HIERARCHICAL,
    ]


def test_a_p1_path_counts_on_the_wall_and_every_path_ends_with_the_backup_team() -> None:
    policy = read_policy(SHIPPED)
    urgent = policy.path_of(plan="gold", priority=1)
    assert urgent.key == "urgent"
    assert all(step.after.wall for step in urgent.steps)
    assert urgent.steps[0] == PathStep(Action.REMIND, Duration(HOUR / 12, wall=True))
    assert policy.path_of(plan=None, priority=2).key == "standard"
    assert policy.path_of(plan=None, priority=2, key="urgent") == urgent
    for path in policy.paths.values():
        assert path.steps[-1].do == Action.BACKUP_TEAM


def test_a_plan_may_name_paths_of_its_own_for_some_priorities() -> None:
    data = body()
    data["path_for"]["gold"] = {"P3": "urgent"}
    policy = parse_policy(data)
    assert policy.path_of(plan="gold", priority=3).key == "urgent"
    assert policy.path_of(plan="gold", priority=4).key == "standard"
    assert policy.path_of(plan="silver", priority=3).key == "standard"


# What is refused, where and why


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        inner: Any = data
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        inner: Any = data
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


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


CONDITION = {"fact": "priority", "op": "is", "value": "P1"}


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


# What is read


def test_what_may_be_left_out_of_a_rule_has_a_meaning() -> None:
    [rule] = parse_rules([{"key": "a", "name": " A ", "when": CONDITION, "to": {"manager": True}}])
    assert (rule.name, rule.kind, rule.nature, rule.urgency) == ("A", Kind.HIERARCHICAL, "overdue", None)  # fmt: skip
    assert (rule.once, rule.path) == (Once(Limit.PER_GENERATION), None)
    assert rule.to == (Target(TargetForm.MANAGER, True),)


def test_values_are_kept_in_one_form() -> None:
    when = {
        "any": [
            {"fact": "age", "op": "at_least", "value": " 90 MIN Wall"},
            {"fact": "resolution_used", "op": "at_least", "value": " 075 %"},
        ]
    }
    [rule] = parse_rules([{"key": "a", "name": "A", "when": when, "to": {"next_tier": True}}])
    age, used = rule.to_data()["when"]["any"]
    assert (age["value"], used["value"]) == ("1h30m wall", "75%")


def test_off_may_be_written_without_quotes() -> None:
    text = SHIPPED.replace('auto_repromise: "off"', "auto_repromise: off")
    assert text != SHIPPED
    assert read_policy(text) == read_policy(SHIPPED)


def test_warnings_are_kept_with_the_longest_first() -> None:
    data = body()
    data["promises"]["warnings"] = ["5m", "2h", "30m wall"]
    warnings = parse_policy(data).promises.warnings
    assert [str(warning) for warning in warnings] == ["2h", "30m wall", "5m"]


def round_trips(policy: PolicySpec) -> None:
    kept = policy.to_body()
    # As the database keeps it: JSON, in whatever order.
    stored = json.loads(json.dumps(kept, sort_keys=True))
    assert parse_policy(stored) == policy
    assert parse_policy(stored).to_body() == kept
    assert read_policy(write_policy(stored)) == policy


def test_the_shipped_policy_is_written_and_read_back() -> None:
    round_trips(read_policy(SHIPPED))


def test_a_policy_that_uses_everything_is_written_and_read_back() -> None:
    data = body()
    data["promises"] |= {"auto_repromise": "once", "warnings": [], "max_slips": 0}
    data["reopen"] = {"window": "20h", "clocks": "none"}
    data["paths"]["own"] = [{"do": action, "after": "90s"} for action in Action]
    data["path_for"]["gold"] = {"P1": "own"}
    data["rules"] = [
        {
            "key": "all-there-is",
            "name": "Über alles: “ja” # 100 %",
            "when": {
                "all": [
                    CONDITION,
                    {"any": [{"not": {"fact": "tags", "op": "contains", "value": "no: 1"}}]},
                    {"fact": "plan", "op": "in", "value": ["gold", "yes", "1e3", "2026-01-01"]},
                    {"fact": "text", "op": "matches", "value": r"\b[a-z]+\s\"'"},
                    {"fact": "sender_verified", "op": "is", "value": False},
                    {"fact": "assignee", "op": "is_not_set"},
                ]
            },
            "to": [{"team": "integrations"}, {"category_tier": 3}, {"person": "jo@x.example"}],
            "kind": "functional",
            "nature": "access",
            "urgency": "low",
            "path": "own",
            "once": {"again_after": "1h30m wall"},
        },
        {
            "key": "up",
            "name": "Up",
            "when": {"fact": "escalated", "op": "contains", "value": "functional"},
            "to": [{"team_lead": True}, {"manager": True}, {"person": "grace@x.example"}],
            "once": "ever",
        },
    ]
    policy = parse_policy(data)
    assert policy.paths["own"] == Path(
        "own", tuple(PathStep(action, Duration(timedelta(seconds=90))) for action in Action)
    )
    round_trips(policy)


# Text


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("", "", "must be a mapping"),
        ("- a\n", "", "must be a mapping"),
        ("rules: [\n", "line 2, column 1", "expected"),
        ("a: 1\na: 2\n", "line 2, column 1", "“a” stands here twice"),
        ("a: &x [1]\nb: *x\n", "line 2, column 4", "write it out: no references"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1, column 4", "could not determine"),
        ("a: \x07\n", "", "this is not YAML"),
        ("a: b: c\n", "line 1, column 5", "mapping values are not allowed"),
        ("a: 2026-02-30\n", "line 1, column 4", "“2026-02-30” is no timestamp"),
        ("? [a, b]\n: c\n", "line 1, column 3", "hashable"),
        ("? {a: b}\n: c\n", "line 1, column 3", "hashable"),
        ("a: !!int ''\n", "line 1, column 4", "“” is no int"),
        ("a: !!bool maybe\n", "line 1, column 4", "“maybe” is no bool"),
        ("a: !!timestamp soon\n", "line 1, column 4", "“soon” is no timestamp"),
        ("a: " + "9" * 5000, "line 1, column 4", "is no int"),
        ('a: "\\UFFFFFFFF"', "", "this is not YAML"),
        ("a: !!float ''\n", "line 1, column 4", "“” is no float"),
        ("--- {}\n--- {}\n", "line 2, column 1", "another document"),
        ("[" * 20_000, "", "this is not YAML"),
        ("a" * (LONGEST + 1), "", "longer than 200000 characters"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_policy_is_refused(text: str, where: str, reason: str) -> None:
    with pytest.raises(PolicyErrors) as refused:
        read_policy(text)
    [error] = refused.value.errors
    assert error.where == where
    assert reason in error.message


def test_a_fault_is_told_with_its_line() -> None:
    text = SHIPPED.replace("value: P1", "value: P7").replace("clock_warning: 75%", "clock_warning:")
    with pytest.raises(PolicyErrors) as refused:
        read_policy(text)
    lines = text.splitlines()
    warning = next(n for n, line in enumerate(lines, 1) if line.startswith("clock_warning"))
    value = next(n for n, line in enumerate(lines, 1) if "value: P7" in line)
    assert refused.value.errors == (
        RuleError(f"line {warning}, clock_warning", "must be a share such as 75%"),
        RuleError(
            f"line {value}, rules[0].when.all[0].value", "must be one of P1, P2, P3, P4"
        ),
    )  # fmt: skip


# Whatever stands there

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=3),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    st.sampled_from(
        ["P1", "default", "gold", "off", "on_hold", "1h", "1h wall", "75%", "urgent", "all", "not"]
    ),
)
HOSTILE = st.recursive(
    ODD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=4) | st.none() | st.integers(), inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["all", "any", "not", "fact", "op", "value", "P1", "default", "do"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a policy."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()  # fmt: skip
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


PLACES = places(body())


def shown(refused: PolicyErrors) -> None:
    """Faults have reasons, and can be put on a page."""
    assert refused.errors
    assert all(error.message for error in refused.errors)
    assert str(refused).encode()


def read_or_refused(data: Any) -> None:
    """Read, and then it can be kept and read back; or refused, with a reason."""
    try:
        policy = parse_policy(data)
    except PolicyErrors as refused:
        shown(refused)
        return
    # As strictly as PostgreSQL: no lone surrogate, no NUL.
    text = json.dumps(policy.to_body(), ensure_ascii=False, allow_nan=False)
    assert b"\\u0000" not in text.encode()
    assert parse_policy(json.loads(text)) == policy


@few
@given(place=st.sampled_from(PLACES), value=HOSTILE)
def test_anything_anywhere_in_a_policy_is_read_or_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    if not place:
        read_or_refused(value)
        return
    data = body()
    put(*place, value=value)(data)
    read_or_refused(data)


@few
@given(
    place=st.sampled_from([place for place in PLACES if len(place) > 1]),
    key=st.text(max_size=4) | st.none() | st.integers() | st.tuples(st.integers()),
    value=HOSTILE,
)
def test_anything_added_anywhere_is_read_or_refused(
    place: tuple[Any, ...], key: Any, value: Any
) -> None:
    data = body()
    inner: Any = data
    for step in place[:-1]:
        inner = inner[step]
    if isinstance(inner, list):
        inner.append(value)
    else:
        inner[key] = value
    read_or_refused(data)


CONDITIONS = st.recursive(
    st.fixed_dictionaries(
        {
            "fact": st.sampled_from(["status", "tags", "text", "age", "tier", "resolution_used", "assignee"]),
            "op": st.sampled_from(["is", "in", "at_least", "contains", "matches", "is_set", "less_than"]),
        },
        optional={"value": ODD | st.lists(ODD, max_size=3)},
    ),
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any", "not"]), st.lists(inner, max_size=3) | inner, max_size=2
    ),
    max_leaves=6,
)  # fmt: skip


@few
@given(when=CONDITIONS, to=HOSTILE, rest=st.dictionaries(st.sampled_from(["kind", "nature", "urgency", "path", "once"]), HOSTILE, max_size=2))  # fmt: skip
def test_any_rule_is_read_or_refused(when: Any, to: Any, rest: dict[str, Any]) -> None:
    rule = {"key": "a", "name": "A", "when": when, "to": {"next_tier": True}}
    for data in ({**rule, **rest}, {**rule, "to": to}):
        try:
            rules = parse_rules([data])
        except PolicyErrors:
            continue
        written = json.loads(json.dumps([one.to_data() for one in rules], allow_nan=False))
        assert parse_rules(written) == rules


#: Pieces of which YAML is made, and with which it is broken.
PIECES = st.sampled_from(
    ["a", "rules", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", "? ", "!!int ", "!!set ", "!!binary ",
     "!!timestamp ", "!!omap ", "!!pairs ", "&a ", "*a", "<<: ", "'", '"', "|\n", "#", "---", "...",
     "%YAML 9.9\n", "0x", "1:2", "2026-13-01", "\\0", "\t", "=", "~", "💥", "\ud800"]
)  # fmt: skip


@few
@given(text=st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(PolicyErrors):
        read_policy(text)


LINES = SHIPPED.splitlines(keepends=True)


@settings(few, max_examples=40)
@given(number=st.integers(0, len(LINES) - 1), at=st.integers(0, 60), piece=PIECES)
def test_the_shipped_text_broken_anywhere_is_read_or_refused(
    number: int, at: int, piece: str
) -> None:
    lines = copy.copy(LINES)
    lines[number] = lines[number][:at] + piece + lines[number][at:]
    try:
        policy = read_policy("".join(lines))
    except PolicyErrors as refused:
        shown(refused)
    else:
        assert parse_policy(policy.to_body()) == policy


def test_the_longest_text_is_refused_within_seconds() -> None:
    hostile = ["{" * 500, "? " * 400, "a: [" * 400, "- " * 400, "!!set {" * 300]
    began = time.process_time()
    for text in hostile:
        with pytest.raises(PolicyErrors):
            read_policy(text)
    with pytest.raises(PolicyErrors):
        read_policy("rules:\n" + "- {}\n" * 20_000)
    assert time.process_time() - began < 20
