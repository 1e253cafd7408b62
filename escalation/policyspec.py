"""What a policy says: targets, pausing, promises, paths, follow-ups, training, rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from escalation.rules import Rule
from staff.durations import Duration, written
from training.course import ESCALATION

Value = TypeVar("Value")
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Targets:
    """The SLA targets of one plan and priority; None: no such target."""

    first_response: Duration
    periodic_update: Duration | None
    resolution: Duration | None
    promise: Duration
    acceptance: Duration


class Action(StrEnum):
    """What a step of an escalation path does."""

    REMIND = "remind"
    ON_CALL = "on_call"
    LEAD = "lead"
    MANAGER = "manager"
    BACKUP_TEAM = "backup_team"


@dataclass(frozen=True, slots=True)
class PathStep:
    """A step, and how long after the one before it (the first: after the offer)."""

    do: Action
    after: Duration


@dataclass(frozen=True, slots=True)
class Path:
    """The steps while nobody accepts."""

    key: str
    steps: tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class FollowUps:
    """How often the assignee is reminded of an open escalation, and of a resolved one."""

    progress_every: Duration
    confirm_after: Duration


class ReopenClocks(StrEnum):
    """What the resolution clock does when a ticket is reopened."""

    CONTINUE = "continue"
    RESTART = "restart"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reopen:
    """How long after resolving a reply reopens a ticket, and what its clocks do then."""

    window: Duration
    clocks: ReopenClocks


class AutoRepromise(StrEnum):
    """Whether a new expected time goes out by itself before the old one breaks."""

    OFF = "off"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Promises:
    """``warnings`` are offsets before a promise is due, the longest first."""

    round_up_to: timedelta
    max_slips: int
    auto_repromise: AutoRepromise
    warnings: tuple[Duration, ...]


class Act(StrEnum):
    """What may need a completion of the procedure."""

    ESCALATE = "escalate"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Training:
    """The procedure that escalations follow, and what only those may do who have completed it."""

    procedure: str = ESCALATION
    required_to: frozenset[Act] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """A whole policy; ``targets`` and ``path_for`` go by plan's slug or ``default``."""

    targets: Mapping[str, Mapping[int, Targets]]
    pausing: frozenset[str]
    clock_warning: int
    promises: Promises
    paths: Mapping[str, Path]
    path_for: Mapping[str, Mapping[int, str]]
    follow_ups: FollowUps
    reopen: Reopen
    auto_close_after: Duration
    training: Training
    rules: tuple[Rule, ...]

    def targets_for(self, *, plan: str | None, priority: int) -> Targets:
        """The targets of a plan and priority; a plan the policy does not name has the default."""
        of_plan = self.targets.get(plan or DEFAULT, self.targets[DEFAULT])
        return of_plan[priority]

    def path_of(self, *, plan: str | None, priority: int, key: str | None = None) -> Path:
        """The path of a plan and priority, unless a rule names its own."""
        if key is None:
            of_plan = self.path_for.get(plan or DEFAULT, {})
            key = of_plan.get(priority) or self.path_for[DEFAULT][priority]
        return self.paths[key]

    def to_body(self) -> dict[str, Any]:
        """The canonical form, which ``parse_policy`` reads back to an equal policy.

        In an order of its own: the database keeps none, and what differs is told line by line.
        """
        return {
            "pausing": sorted(self.pausing),
            "targets": {
                plan: {
                    f"P{priority}": {
                        field.name: None
                        if (value := getattr(targets, field.name)) is None
                        else str(value)
                        for field in fields(targets)
                    }
                    for priority, targets in sorted(by_priority.items())
                }
                for plan, by_priority in _in_order(self.targets)
            },
            "clock_warning": f"{self.clock_warning}%",
            "promises": {
                "warnings": [str(warning) for warning in self.promises.warnings],
                "round_up_to": written(self.promises.round_up_to),
                "max_slips": self.promises.max_slips,
                "auto_repromise": str(self.promises.auto_repromise),
            },
            "paths": {
                path.key: [{"do": str(step.do), "after": str(step.after)} for step in path.steps]
                for _key, path in _in_order(self.paths)
            },
            "path_for": {
                plan: {f"P{priority}": key for priority, key in sorted(by_priority.items())}
                for plan, by_priority in _in_order(self.path_for)
            },
            "follow_ups": {
                "progress_every": str(self.follow_ups.progress_every),
                "confirm_after": str(self.follow_ups.confirm_after),
            },
            "reopen": {"window": str(self.reopen.window), "clocks": str(self.reopen.clocks)},
            "auto_close_after": str(self.auto_close_after),
            # Left out where nothing is said, as in policies that are older than it.
            **self._training(),
            "rules": [rule.to_data() for rule in self.rules],
        }

    def _training(self) -> dict[str, Any]:
        if self.training == Training():
            return {}
        return {
            "training": {
                "procedure": self.training.procedure,
                "required_to": sorted(str(act) for act in self.training.required_to),
            }
        }


def _in_order(named: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """By name, the default last."""
    return sorted(named.items(), key=lambda item: (item[0] == DEFAULT, item[0]))
