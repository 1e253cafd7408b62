"""Whatever stands in a policy's file or text is read or refused, and nothing else."""

from __future__ import annotations

import copy
import json
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalation.policyfile import parse_policy
from escalation.policytext import read_policy
from escalation.problems import PolicyErrors
from escalation.rulefile import parse_rules
from tests.escalation.policies import SHIPPED, body, put

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
