"""A policy as people write and read it: YAML, with every fault at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import yaml

from escalation.policyfile import parse_policy
from escalation.policyspec import PolicySpec
from escalation.problems import PolicyErrors, RuleError
from staff.strictyaml import StrictLoader

#: Longer than any policy a person wrote; a short file can still be made to mean a huge one,
#: which is why references to anchors are refused as well.
LONGEST: Final = 200_000
_STEP: Final = re.compile(r"[^.\[\]]+")


def read_policy(text: str) -> PolicySpec:
    """Read a policy file; raises ``PolicyErrors`` with every fault, its place and its line."""
    if len(text) > LONGEST:
        raise PolicyErrors([RuleError("", f"longer than {LONGEST} characters")])
    root: yaml.Node | None = None
    try:
        loader = StrictLoader(text)
        root = loader.get_single_node()
        body = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise PolicyErrors([RuleError(place, str(error.problem))]) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise PolicyErrors([RuleError("", f"this is not YAML: {error}")]) from None
    if root is None or not isinstance(body, Mapping):
        raise PolicyErrors([RuleError("", "must be a mapping, such as “rules: …”")])
    try:
        return parse_policy(body)
    except PolicyErrors as errors:
        raise PolicyErrors([_at_its_line(error, root) for error in errors.errors]) from None


def locate(text: str, errors: Iterable[RuleError]) -> tuple[RuleError, ...]:
    """Faults that were found in what a text says, each with its line in the text."""
    root = StrictLoader(text).get_single_node()
    return tuple(error if root is None else _at_its_line(error, root) for error in errors)


def write_policy(body: Mapping[str, object]) -> str:
    """Write a policy's body, so that ``read_policy`` reads an equal policy back.

    In the order of ``to_body``, which the database does not keep.
    """
    try:
        body = parse_policy(body).to_body()
    except PolicyErrors:
        body = dict(body)
    return yaml.safe_dump(
        body, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )


def _at_its_line(error: RuleError, root: yaml.Node) -> RuleError:
    """The fault with the line of the innermost part of its place that stands in the text."""
    node = root
    for step in _STEP.findall(error.where):
        inner = _within(node, step)
        if inner is None:
            break
        node = inner
    if node is root:
        return error
    return RuleError(f"line {node.start_mark.line + 1}, {error.where}", error.message)


def _within(node: yaml.Node, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        found: yaml.Node = node.value[int(step)]
        return found
    return None
