"""``manage.py policy``: a policy travels as a file, is checked with line and reason, and applied."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalation import engine, vocabulary
from escalation.defaults import default_body
from escalation.models import Policy, PolicyVersion, Relook
from escalation.policyspec import Action
from escalation.policytext import read_policy, write_policy
from escalation.rules import TargetForm
from tests.house import START, House, clock_of
from tickets.models import Event

DOCUMENT = Path(__file__).parents[2] / "docs" / "policy.md"


def policy(*arguments: str) -> str:
    out = io.StringIO()
    call_command("policy", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def written(folder: Path, text: str = "", **changes: Any) -> str:
    """A file with the shipped policy, some parts replaced, or with this text."""
    file = folder / "policy.yml"
    file.write_text(text or write_policy({**default_body(), **changes}), encoding="utf-8")
    return str(file)


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "key": "slow",
        "name": "It is slow",
        "when": {"fact": "age", "op": "at_least", "value": "4h"},
        "to": [{"next_tier": True}],
        **changes,
    }


# Export, and back


def test_what_is_exported_is_what_is_in_force(house: House) -> None:
    house.publish(clock_warning="60%")
    assert read_policy(policy("export")).to_body() == PolicyVersion.objects.in_force().body


def test_what_was_exported_and_is_applied_changes_nothing(house: House, tmp_path: Path) -> None:
    file = str(tmp_path / "policy.yml")
    assert "Default v1" in policy("export", "--output", file)
    before = PolicyVersion.objects.count()
    assert "Nothing differs" in policy("apply", file, "--yes")
    assert PolicyVersion.objects.count() == before
    assert not Relook.objects.exists()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    share=st.integers(1, 100),
    slips=st.integers(0, 100),
    name=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80).filter(
        str.strip
    ),
)
def test_every_policy_survives_the_round_trip(share: int, slips: int, name: str) -> None:
    promises = {**default_body()["promises"], "max_slips": slips}  # type: ignore[dict-item]
    body = {
        **default_body(),
        "clock_warning": f"{share}%",
        "promises": promises,
        "rules": [rule(name=name)],
    }
    text = write_policy(body)
    assert write_policy(read_policy(text).to_body()) == text


def test_an_older_version_is_exported_by_its_number(house: House) -> None:
    house.publish(clock_warning="60%")
    told = json.loads(policy("export", "--number", "1", "--json"))
    assert (told["policy"], told["version"]) == ("default", 1)
    assert read_policy(told["file"]).clock_warning == 75
    with pytest.raises(CommandError, match="no such version"):
        policy("export", "--number", "9")


# Check


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("pausing: [on_hold\n", 2, "expected"),
        ("pausing: []\npausing: []\n", 2, "stands here twice"),
        ("- a list\n", None, "must be a mapping"),
        ("", None, "must be a mapping"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(
    house: House, tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    file = written(tmp_path, text or " ")
    with pytest.raises(CommandError) as refused:
        policy("check", file)
    assert refused.value.returncode == 1
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")
    if line is not None:
        assert f"line {line}" in str(refused.value)


def test_every_fault_is_told_with_its_line_and_reason(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, rules=[rule(nature="hurry"), rule(key="Slow")])
    lines = Path(file).read_text().splitlines()
    with pytest.raises(SystemExit) as ended:
        policy("check", file, "--json")
    assert ended.value.code == 1
    with pytest.raises(CommandError) as refused:
        policy("check", file)
    told = str(refused.value)
    [nature] = [n for n, line in enumerate(lines, 1) if "hurry" in line]
    [key] = [n for n, line in enumerate(lines, 1) if "Slow" in line]
    assert f"line {nature}, rules[0].nature: must be one of" in told
    assert f"line {key}, rules[1].key: must be small letters" in told


def test_programs_are_told_the_line_as_a_number(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, clock_warning="200%")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("policy", "check", file, "--json", stdout=out)
    told = json.loads(out.getvalue())
    [error] = told["errors"]
    assert told["ok"] is False
    assert error["where"] == "clock_warning"
    assert "clock_warning" in Path(file).read_text().splitlines()[error["line"] - 1]


@pytest.mark.parametrize("target", [{"team": "nobody-here"}, {"person": "gone@brightquay.example"}])
def test_a_target_that_nobody_answers_to_is_refused(
    house: House, tmp_path: Path, target: dict[str, str]
) -> None:
    file = written(tmp_path, rules=[rule(to=[{"next_tier": True}, target], kind="functional")]
                   if "team" in target else [rule(to=[target])])  # fmt: skip
    with pytest.raises(CommandError) as refused:
        policy("check", file)
    assert next(iter(target.values())) in str(refused.value)
    assert re.search(r"line \d+, rules\[0\]\.to", str(refused.value))


@pytest.mark.parametrize("op", ["is", "not_in"])
@pytest.mark.parametrize("fact", ["team", "plan", "category", "organization"])
def test_a_condition_on_what_is_not_there_is_a_warning(
    house: House, tmp_path: Path, fact: str, op: str
) -> None:
    value = "who-knows" if op == "is" else ["who-knows"]
    asks = {"any": [{"not": {"fact": fact, "op": op, "value": value}}]}
    told = policy("check", written(tmp_path, rules=[rule(when=asks)]))
    assert "warning: line" in told
    assert f"rules[0].when.any[0].not.value: there is no {fact} “who-knows”" in told
    assert "is a policy" in told


def test_a_plan_that_is_not_there_is_a_warning_and_what_is_there_is_none(
    house: House, tmp_path: Path
) -> None:
    told = policy("check", written(tmp_path))
    assert "targets.bronze: there is no plan “bronze” here" in told
    assert "gold" not in told
    body: Any = default_body()
    del body["targets"]["bronze"]
    known = [
        rule(to=[{"team": "integrations"}, {"category_tier": 2}], when={"all": [
            {"fact": "team", "op": "is", "value": "emea"},
            {"fact": "plan", "op": "in", "value": ["gold", "silver"]},
            {"fact": "category", "op": "is", "value": "api"},
            {"fact": "organization", "op": "is", "value": "NOR-4471"},
        ]}),
        rule(key="person", to=[{"person": "Helen@brightquay.example"}]),
    ]  # fmt: skip
    assert "warning" not in policy("check", written(tmp_path, **{**body, "rules": known}))


def test_what_cannot_be_read_is_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        policy("check", str(tmp_path / "nothing.yml"))
    with pytest.raises(CommandError, match="directory"):
        policy("check", str(tmp_path))
    file = tmp_path / "latin.yml"
    file.write_bytes(b"pausing: []\n# gr\xfc\xdfe\n")
    with pytest.raises(CommandError, match="line 2: this is not UTF-8"):
        policy("check", str(file))


# Apply


def test_applying_shows_what_changes_and_changes_nothing_unasked(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    out = io.StringIO()
    with pytest.raises(CommandError, match="--yes") as refused:
        call_command("policy", "apply", written(tmp_path, clock_warning="60%"), stdout=out)
    assert refused.value.returncode == 3
    assert "-clock_warning: 75%" in out.getvalue()
    assert "+clock_warning: 60%" in out.getvalue()
    assert PolicyVersion.objects.count() == 1


def test_applying_puts_it_in_force_and_looks_again(house: House, tmp_path: Path) -> None:
    told = policy(
        "apply", written(tmp_path, clock_warning="60%"), "--yes", "--by", "sam@brightquay.example"
    )
    version = PolicyVersion.objects.in_force()
    assert (version.number, version.spec.clock_warning) == (2, 60)
    assert version.created_by == house.sam
    assert "Default v2 is in force" in told
    relook = Relook.objects.get()
    assert (relook.policy_version, relook.created_by) == (version, house.sam)
    assert not relook.to_open_tickets


def test_applying_twice_applies_once(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, clock_warning="60%")
    policy("apply", file, "--yes")
    told = json.loads(policy("apply", file, "--yes", "--json"))
    assert told["applied"] is False
    assert PolicyVersion.objects.count() == 2


def test_a_draft_that_says_the_same_is_the_one_that_is_published(
    house: House, tmp_path: Path
) -> None:
    draft = PolicyVersion.objects.create(
        policy=house.policy,
        number=2,
        body=read_policy(write_policy({**default_body(), "clock_warning": "60%"})).to_body(),
        created_at=START,
    )
    policy("apply", written(tmp_path, clock_warning="60%"), "--yes")
    assert PolicyVersion.objects.in_force() == draft


def test_a_policy_that_another_one_replaced_is_put_in_force_again(
    house: House, tmp_path: Path
) -> None:
    other = Policy.objects.create(slug="other", name="Other")
    file = written(tmp_path)
    policy("apply", written(tmp_path, clock_warning="60%"), "--yes", "--policy", "other")
    assert PolicyVersion.objects.in_force().policy == other
    policy("apply", written(tmp_path), "--yes", "--policy", "default")
    assert PolicyVersion.objects.in_force().policy == house.policy
    assert Path(file).exists()


def test_applied_to_open_tickets_it_shows_before_what_their_clocks_change(
    house: House, tmp_path: Path
) -> None:
    ticket = house.ticket()
    engine.turn(clock=lambda: START)
    body: Any = default_body()
    body["targets"]["gold"]["P3"]["resolution"] = "2h"
    told = policy(
        "apply", written(tmp_path, **body), "--yes", "--to-open-tickets", "--by",
        "sam@brightquay.example",
    )  # fmt: skip
    assert "open tickets: gold P3, Resolution: 24h → 2h (1)" in told
    now = Relook.objects.get().created_at
    engine.turn(clock=lambda: now)
    clock = clock_of(ticket, "resolution")
    assert clock.policy_version == PolicyVersion.objects.in_force()
    event = Event.objects.get(ticket=ticket, kind="policy_applied")
    assert event.user == house.sam


def test_the_version_in_force_can_be_applied_to_open_tickets_afterwards(
    house: House, tmp_path: Path
) -> None:
    ticket = house.ticket()
    engine.turn(clock=lambda: START)
    body: Any = default_body()
    body["targets"]["gold"]["P3"]["resolution"] = "2h"
    file = written(tmp_path, **body)
    policy("apply", file, "--yes")
    engine.turn(clock=lambda: Relook.objects.latest("pk").created_at)
    assert clock_of(ticket, "resolution").policy_version.number == 1
    policy("apply", file, "--yes", "--to-open-tickets")
    engine.turn(clock=lambda: Relook.objects.latest("pk").created_at)
    assert clock_of(ticket, "resolution").policy_version.number == 2
    assert "Nothing differs" in policy("apply", file, "--yes", "--to-open-tickets")


def test_without_any_policy_the_first_file_makes_one(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No policy is in force"):
        policy("export")
    policy("apply", written(tmp_path), "--yes")
    assert PolicyVersion.objects.in_force().policy.slug == "default"


def test_who_is_named_has_to_be_there(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, clock_warning="60%")
    with pytest.raises(CommandError, match="Nobody with the address"):
        policy("apply", file, "--yes", "--by", "nobody@brightquay.example")
    with pytest.raises(CommandError, match=r"No policy 'nothing'\. There are: default"):
        policy("apply", file, "--yes", "--policy", "nothing")


# The document


def test_the_documents_complete_example_is_a_policy() -> None:
    [example] = [
        text
        for text in re.findall(
            r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
        )
        if "auto_close_after" in text
    ]
    spec = read_policy(example)
    assert set(yaml.safe_load(example)) == set(spec.to_body())


@pytest.mark.parametrize(
    "word",
    [
        *default_body(),
        *vocabulary.FACTS,
        *TargetForm,
        *Action,
        *("first_response", "periodic_update", "resolution", "promise", "acceptance"),
    ],
)
def test_the_document_names_everything_a_file_can_say(word: str) -> None:
    assert f"`{word}`" in DOCUMENT.read_text(encoding="utf-8")


def test_a_completion_that_nobody_can_have_is_warned_of(db: None, tmp_path: Path) -> None:
    required = {"procedure": "nobodys", "required_to": ["accept"]}
    said = policy("check", written(tmp_path, training=required))
    assert "no procedure “nobodys” has been published here" in said


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({"procedure": "No Slug"}, "training.procedure: must be a procedure's slug"),
        ({"required_to": ["resolve"]}, "training.required_to[0]: must be one of escalate, accept"),
        ({"required_to": "accept"}, "training.required_to: must be a list"),
        ({"needed": True}, "training.needed: is not known here"),
    ],
)
def test_what_training_cannot_mean_is_refused(
    db: None, tmp_path: Path, training: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        policy("check", written(tmp_path, training=training))
