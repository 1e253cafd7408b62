"""The policy we ship as its file has it, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import yaml

from escalation.problems import PolicyErrors

SHIPPED = files("escalation").joinpath("policies", "default.yml").read_text(encoding="utf-8")
CONDITION = {"fact": "priority", "op": "is", "value": "P1"}


def body() -> dict[str, Any]:
    """The shipped policy, as its file has it."""
    data: dict[str, Any] = yaml.safe_load(SHIPPED)
    return data


def found_in(refused: PolicyErrors, where: str, reason: str) -> bool:
    """Whether it says that this is wrong, and there."""
    return any(error.where == where and reason in error.message for error in refused.errors)


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
