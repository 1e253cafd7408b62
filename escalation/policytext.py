"""A policy as people write and read it: YAML, with every fault at its line."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

import yaml

from escalation.policyfile import PolicySpec, parse_policy
from escalation.problems import PolicyErrors, RuleError

#: Longer than any policy a person wrote; a short file can still be made to mean a huge one,
#: which is why references to anchors are refused as well.
LONGEST: Final = 200_000
_STEP: Final = re.compile(r"[^.\[\]]+")


class _Loader(yaml.SafeLoader):
    """Plain YAML: no references, and no key twice, of which one would be lost."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "write it out: no references", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused below: nothing can be found under it
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"“{key.value}” stands here twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        # PyYAML raises whatever it meets where a value is not what its tag says.
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"“{node.value}” is no {kind}", node.start_mark
            ) from None


def read_policy(text: str) -> PolicySpec:
    """Read a policy file; raises ``PolicyErrors`` with every fault, its place and its line."""
    if len(text) > LONGEST:
        raise PolicyErrors([RuleError("", f"longer than {LONGEST} characters")])
    root: yaml.Node | None = None
    try:
        loader = _Loader(text)
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
    root = _Loader(text).get_single_node()
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
