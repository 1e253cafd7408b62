"""A policy's file: what is shipped, what it means, and that it is read back the same."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta

import pytest

from escalation.policyfile import parse_policy
from escalation.policyspec import Action, AutoRepromise, Path, PathStep, PolicySpec, ReopenClocks
from escalation.policytext import LONGEST, read_policy, write_policy
from escalation.problems import PolicyErrors, RuleError
from escalation.rulefile import parse_rules
from escalation.rules import Kind, Limit, Once, Target, TargetForm
from staff.durations import Duration
from tests.escalation.policies import CONDITION, SHIPPED, body

HOUR = timedelta(hours=1)


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
