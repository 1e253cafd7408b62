"""``docs/guarantees.md`` and the runbook: every check and every promise stands there, and is true."""

from __future__ import annotations

import re
from pathlib import Path

from desk.selfcheck.catalogue import CHECKS
from tests.processes import ROOT

GUARANTEES = (ROOT / "docs/guarantees.md").read_text()
RUNBOOK = (ROOT / "docs/runbooks/selfcheck.md").read_text()
NAMES = [check.name for check in CHECKS]


def test_every_check_has_its_section_in_the_runbook() -> None:
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert list(sections) == NAMES
    for check in CHECKS:
        section = sections[check.name]
        assert f"**Promise.** {check.promise}\n**Named.** {check.counts}" in section
        for part in ("- **How it comes about.** ", "- **What to do.** ", "- **Over when** "):
            assert re.search(re.escape(part) + r"\S.{9,}", section), (check.name, part)
        assert check.runbook == f"docs/runbooks/selfcheck.md#{check.name}"


def test_every_check_counts_a_promise_and_none_is_named_that_is_not_made() -> None:
    counted = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", GUARANTEES))
    assert counted == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_the_tests_that_are_said_to_prove_a_promise_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", GUARANTEES)
    tests = [(file, name) for file, name in named if name or file.startswith("access/")]
    assert len(tests) > 40
    for file, name in tests:
        text = (ROOT / "tests" / file).read_text()
        assert not name or re.search(rf"^def {name}\(", text, re.MULTILINE), (file, name)


def test_what_is_said_to_keep_a_promise_is_there() -> None:
    code = "".join(
        path.read_text()
        for app in ("staff", "notifications", "training", "tickets", "escalation")
        for path in Path(ROOT / app).rglob("*.py")
    )
    constraints = set(re.findall(r"`([a-z]+(?:_[a-z]+){2,})`", GUARANTEES)) - {"synchronous_commit"}
    assert len(constraints) > 8
    assert [name for name in sorted(constraints) if name not in code] == []
    modules = set(
        re.findall(
            r"`((?:staff|notifications|training|tickets|escalation)/[\w/]+\.py)`", GUARANTEES
        )
    )
    assert [each for each in sorted(modules) if not (ROOT / each).exists()] == []
