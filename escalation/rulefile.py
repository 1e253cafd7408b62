"""Rules as a policy file writes them: read strictly, every fault named with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from escalation import conditions
from escalation.problems import Faults
from escalation.rules import NATURES, Kind, Limit, Once, Rule, Target, TargetForm
from escalation.vocabulary import LEVELS, is_text
from staff.durations import DurationError, parse_duration

KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG: Final = re.compile(r"[-a-zA-Z0-9_]{1,50}")
MOST_RULES: Final = 200

_FORMS_OF: Final = {
    Kind.FUNCTIONAL: frozenset(TargetForm) - {TargetForm.TEAM_LEAD, TargetForm.MANAGER},
    Kind.HIERARCHICAL: frozenset({TargetForm.TEAM_LEAD, TargetForm.MANAGER, TargetForm.PERSON}),
}


def parse_rules(data: object, where: str = "rules") -> tuple[Rule, ...]:
    """Read rules; raises ``PolicyErrors`` with all that is wrong and where."""
    faults = Faults()
    rules = read_rules(data, where, faults)
    faults.stop()
    return rules


def read_rules(data: object, where: str, faults: Faults) -> tuple[Rule, ...]:
    """As ``parse_rules``, with the faults collected by whoever reads the whole policy."""
    if not isinstance(data, Sequence) or isinstance(data, str):
        faults.add(where, "must be a list of rules")
        return ()
    if len(data) > MOST_RULES:
        faults.add(where, f"must not have more than {MOST_RULES} rules")
        return ()
    rules: list[Rule] = []
    seen: set[str] = set()
    for number, item in enumerate(data):
        here = f"{where}[{number}]"
        rule = _rule(item, here, faults)
        if rule is None:
            continue
        if rule.key in seen:
            faults.add(f"{here}.key", f"“{rule.key}” is there already")
        seen.add(rule.key)
        rules.append(rule)
    return tuple(rules)


_KNOWN: Final = (
    "key", "name", "when", "to", "kind", "nature", "urgency", "path", "once",
)  # fmt: skip


def _rule(data: object, where: str, faults: Faults) -> Rule | None:
    if not isinstance(data, Mapping):
        faults.add(where, "must be a rule")
        return None
    before = len(faults.errors)
    for key in data:
        if key not in _KNOWN:
            faults.add(f"{where}.{key}", f"is not known here: {', '.join(_KNOWN)}")
    key, name = data.get("key"), data.get("name")
    if not isinstance(key, str) or not KEY.fullmatch(key) or len(key) > 80:
        faults.add(f"{where}.key", "must be small letters, digits and hyphens")
    if not is_text(name) or not name.strip() or len(name) > 200:
        faults.add(f"{where}.name", "must be a text of at most 200 characters")
    when = conditions.read(data.get("when"), f"{where}.when", faults)
    if when is not None and conditions.count(when) > conditions.MOST_LEAVES:
        faults.add(f"{where}.when", f"must not ask more than {conditions.MOST_LEAVES} things")
    targets = _targets(data.get("to"), f"{where}.to", faults)
    kind = _kind(data.get("kind"), targets, where, faults)
    nature = data.get("nature", "overdue")
    if nature not in NATURES:
        faults.add(f"{where}.nature", f"must be one of {', '.join(NATURES)}")
    urgency = data.get("urgency")
    if urgency is not None and urgency not in tuple(LEVELS):
        faults.add(f"{where}.urgency", f"must be one of {', '.join(LEVELS)}")
    path = data.get("path")
    if path is not None and not isinstance(path, str):
        faults.add(f"{where}.path", "must be the key of a path")
    once = _once(data.get("once", "per_generation"), f"{where}.once", faults)
    if len(faults.errors) > before or when is None:
        return None
    return Rule(
        key=str(key),
        name=str(name).strip(),
        when=when,
        to=targets,
        kind=kind,
        nature=str(nature),
        urgency=LEVELS[urgency] if urgency is not None else None,
        path=path,
        once=once,
    )


def _targets(data: object, where: str, faults: Faults) -> tuple[Target, ...]:
    items = data if isinstance(data, list) else [data]
    if not items or len(items) > 20:
        faults.add(where, "must be a list of one to twenty targets")
        return ()
    return tuple(
        target
        for number, item in enumerate(items)
        if (target := _target(item, f"{where}[{number}]", faults)) is not None
    )


def _target(data: object, where: str, faults: Faults) -> Target | None:
    forms = ", ".join(TargetForm)
    if not isinstance(data, Mapping) or len(data) != 1:
        faults.add(where, f"must be one of {forms}, with its value")
        return None
    [(word, value)] = data.items()
    if word not in tuple(TargetForm):
        faults.add(f"{where}.{word}", f"is not a target: {forms}")
        return None
    form = TargetForm(word)
    match form:
        case TargetForm.CATEGORY_TIER:
            right = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 9
            wanted = "a tier's number"
        case TargetForm.TEAM:
            right, wanted = isinstance(value, str) and bool(SLUG.fullmatch(value)), "a team's slug"
        case TargetForm.PERSON:
            right, wanted = is_text(value) and "@" in value, "an e-mail address"
        case _:
            right, wanted = value is True, "true"
    if not right:
        faults.add(f"{where}.{word}", f"must be {wanted}")
        return None
    return Target(form, value)


def _kind(data: object, targets: tuple[Target, ...], where: str, faults: Faults) -> Kind:
    """The kind, told by the first target where it is left out; all targets must fit it."""
    if data is not None and data not in tuple(Kind):
        faults.add(f"{where}.kind", f"must be one of {', '.join(Kind)}")
        return Kind.FUNCTIONAL
    if data is not None:
        kind = Kind(str(data))
    else:
        above = targets and targets[0].form not in _FORMS_OF[Kind.FUNCTIONAL]
        kind = Kind.HIERARCHICAL if above else Kind.FUNCTIONAL
    for number, target in enumerate(targets):
        if target.form not in _FORMS_OF[kind]:
            faults.add(
                f"{where}.to[{number}]", f"{target.form} is no target of a {kind} escalation"
            )
    return kind


def _once(data: object, where: str, faults: Faults) -> Once:
    if data in (Limit.EVER, Limit.PER_GENERATION):
        return Once(Limit(str(data)))
    if isinstance(data, Mapping) and list(data) == ["again_after"]:
        value = data["again_after"]
        try:
            duration = parse_duration(value if isinstance(value, str) else "")
        except DurationError as error:
            faults.add(f"{where}.again_after", str(error))
            return Once()
        if not duration.length:
            faults.add(f"{where}.again_after", "must be longer than nothing")
        return Once(Limit.AGAIN_AFTER, duration)
    faults.add(where, "must be ever, per_generation, or again_after with a duration")
    return Once()
