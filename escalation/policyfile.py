"""A policy as its file writes it. Pure.

Read strictly: a fault is never guessed around, and all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from escalation import vocabulary
from escalation.policyspec import (
    DEFAULT,
    Act,
    Action,
    AutoRepromise,
    FollowUps,
    Path,
    PathStep,
    PolicySpec,
    Promises,
    Reopen,
    ReopenClocks,
    Targets,
    Training,
)
from escalation.problems import Faults, PolicyErrors, RuleError
from escalation.rulefile import KEY, SLUG, read_rules
from staff.durations import Duration, DurationError, parse_duration
from training.course import ESCALATION

Choice = TypeVar("Choice", bound=StrEnum)
PRIORITIES: Final = vocabulary.PRIORITIES
PAUSABLE: Final = ("new", "open", "waiting_on_customer", "on_hold")
MOST_STEPS: Final = 12


def parse_policy(body: Mapping[str, object]) -> PolicySpec:
    """Read a policy; raises ``PolicyErrors`` with every fault and its place."""
    return _Reader().policy(body)


_KNOWN: Final = tuple(field.name for field in fields(PolicySpec))


class _Reader:
    """Reads on after a fault with something harmless, so that all faults are found."""

    def __init__(self) -> None:
        self.faults = Faults()

    def policy(self, body: object) -> PolicySpec:
        if not isinstance(body, Mapping):
            raise PolicyErrors([RuleError("", "A policy must be a mapping.")])
        self._only(body, "", _KNOWN)
        paths = self._paths(body.get("paths"))
        spec = PolicySpec(
            targets=self._by_plan(body.get("targets"), "targets", self._targets),
            pausing=self._pausing(body.get("pausing")),
            clock_warning=self._share(body.get("clock_warning"), "clock_warning"),
            promises=self._promises(body.get("promises")),
            paths=paths,
            path_for=self._by_plan(
                body.get("path_for"), "path_for", lambda key, at: self._path_key(key, at, paths)
            ),
            follow_ups=self._follow_ups(body.get("follow_ups")),
            reopen=self._reopen(body.get("reopen")),
            auto_close_after=self._duration(body.get("auto_close_after"), "auto_close_after"),
            training=self._training(body.get("training")),
            rules=read_rules(body.get("rules", []), "rules", self.faults),
        )
        for number, rule in enumerate(spec.rules):
            if rule.path is not None and rule.path not in paths:
                self.faults.add(f"rules[{number}].path", f"there is no path “{rule.path}”")
        self.faults.stop()
        return spec

    def _only(self, data: Mapping[Any, Any], where: str, known: Sequence[str]) -> None:
        for key in data:
            if key not in known:
                here = f"{where}.{key}" if where else str(key)
                self.faults.add(here, f"is not known here: {', '.join(known)}")

    def _mapping(self, data: object, where: str, known: Sequence[str] = ()) -> Mapping[Any, Any]:
        if not isinstance(data, Mapping) or not data:
            self.faults.add(where, "must be a mapping, and is needed")
            return {}
        if known:
            self._only(data, where, known)
        return data

    def _duration(self, data: object, where: str) -> Duration:
        try:
            duration = parse_duration(data if isinstance(data, str) else str(data or ""))
        except DurationError as error:
            self.faults.add(where, str(error))
            return Duration(timedelta(hours=1), wall=True)
        if not duration.length:
            self.faults.add(where, "must be longer than nothing")
        return duration

    def _share(self, data: object, where: str) -> int:
        try:
            share = vocabulary.percent(data)
            if share > 100:
                raise ValueError("must not be more than 100%")
        except ValueError as error:
            self.faults.add(where, str(error))
            return 75
        return share

    def _choice(self, data: object, where: str, choices: type[Choice]) -> Choice:
        # YAML 1.1 reads a bare off as false.
        word = "off" if data is False else data
        try:
            return choices(str(word))
        except ValueError:
            self.faults.add(where, f"must be one of {', '.join(choices)}")
            return next(iter(choices))

    def _by_plan(
        self, data: object, where: str, read: Callable[[object, str], Any]
    ) -> dict[str, dict[int, Any]]:
        """By plan and priority; the default must have all four priorities, and targets each."""
        found: dict[str, dict[int, Any]] = {}
        plans = self._mapping(data, where)
        if plans and DEFAULT not in plans:
            self.faults.add(where, "needs “default”, for tickets of no known plan")
        for plan, by_priority in plans.items():
            here = f"{where}.{plan}"
            if not isinstance(plan, str) or not SLUG.fullmatch(plan):
                self.faults.add(here, "must be a plan's slug, or default")
            rows = self._mapping(by_priority, here, tuple(PRIORITIES))
            if plan == DEFAULT or where == "targets":
                for missing in PRIORITIES:
                    if missing not in rows:
                        self.faults.add(here, f"lacks {missing}")
            found[str(plan)] = {
                PRIORITIES[word]: read(value, f"{here}.{word}")
                for word, value in rows.items()
                if word in PRIORITIES
            }
        return found

    def _targets(self, data: object, where: str) -> Targets:
        names = tuple(field.name for field in fields(Targets))
        row = self._mapping(data, where, names)
        for name in names:
            if row and name not in row:
                self.faults.add(where, f"lacks {name}")

        def needed(name: str) -> Duration:
            return self._duration(row.get(name, "1h"), f"{where}.{name}")

        def optional(name: str) -> Duration | None:
            return None if row.get(name) is None else needed(name)

        return Targets(
            first_response=needed("first_response"),
            periodic_update=optional("periodic_update"),
            resolution=optional("resolution"),
            promise=needed("promise"),
            acceptance=needed("acceptance"),
        )

    def _pausing(self, data: object) -> frozenset[str]:
        if not isinstance(data, list):
            self.faults.add("pausing", "must be a list of statuses")
            return frozenset()
        for number, status in enumerate(data):
            if status not in PAUSABLE:
                self.faults.add(f"pausing[{number}]", f"must be one of {', '.join(PAUSABLE)}")
        return frozenset(str(status) for status in data)

    def _promises(self, data: object) -> Promises:
        row = self._mapping(
            data, "promises", ("warnings", "round_up_to", "max_slips", "auto_repromise")
        )
        warnings = row.get("warnings", [])
        if not isinstance(warnings, list) or len(warnings) > 10:
            self.faults.add("promises.warnings", "must be a list of at most ten durations")
            warnings = []
        slips = row.get("max_slips", 2)
        if isinstance(slips, bool) or not isinstance(slips, int) or not 0 <= slips <= 100:
            self.faults.add("promises.max_slips", "must be a whole number from 0 to 100")
            slips = 0
        offsets = [
            self._duration(warning, f"promises.warnings[{number}]")
            for number, warning in enumerate(warnings)
        ]
        return Promises(
            round_up_to=self._duration(
                row.get("round_up_to", "15m"), "promises.round_up_to"
            ).length,
            max_slips=slips,
            auto_repromise=self._choice(
                row.get("auto_repromise", "off"), "promises.auto_repromise", AutoRepromise
            ),
            warnings=tuple(sorted(offsets, key=lambda offset: offset.length, reverse=True)),
        )

    def _paths(self, data: object) -> dict[str, Path]:
        found = {}
        for key, steps in self._mapping(data, "paths").items():
            where = f"paths.{key}"
            if not isinstance(key, str) or not KEY.fullmatch(key):
                self.faults.add(where, "must be named with small letters, digits and hyphens")
            if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
                self.faults.add(where, f"must be a list of one to {MOST_STEPS} steps")
                continue
            found[str(key)] = Path(
                str(key),
                tuple(self._step(step, f"{where}[{n}]") for n, step in enumerate(steps)),
            )
        return found

    def _step(self, data: object, where: str) -> PathStep:
        row = self._mapping(data, where, ("do", "after"))
        return PathStep(
            do=self._choice(row.get("do"), f"{where}.do", Action),
            after=self._duration(row.get("after"), f"{where}.after"),
        )

    def _path_key(self, data: object, where: str, paths: Mapping[str, Path]) -> str:
        if not isinstance(data, str) or data not in paths:
            self.faults.add(where, f"there is no path “{data}”")
        return str(data)

    def _follow_ups(self, data: object) -> FollowUps:
        row = self._mapping(data, "follow_ups", ("progress_every", "confirm_after"))
        return FollowUps(
            progress_every=self._duration(row.get("progress_every"), "follow_ups.progress_every"),
            confirm_after=self._duration(row.get("confirm_after"), "follow_ups.confirm_after"),
        )

    def _reopen(self, data: object) -> Reopen:
        row = self._mapping(data, "reopen", ("window", "clocks"))
        return Reopen(
            window=self._duration(row.get("window"), "reopen.window"),
            clocks=self._choice(row.get("clocks", "continue"), "reopen.clocks", ReopenClocks),
        )

    def _training(self, data: object) -> Training:
        if data is None:
            return Training()
        row = self._mapping(data, "training", ("procedure", "required_to"))
        procedure = row.get("procedure", ESCALATION)
        if not isinstance(procedure, str) or not SLUG.fullmatch(procedure):
            self.faults.add("training.procedure", "must be a procedure's slug")
        acts = row.get("required_to", [])
        if not isinstance(acts, list):
            self.faults.add("training.required_to", f"must be a list of {', '.join(Act)}")
            acts = []
        return Training(
            procedure=str(procedure),
            required_to=frozenset(
                self._choice(act, f"training.required_to[{number}]", Act)
                for number, act in enumerate(acts)
            ),
        )
