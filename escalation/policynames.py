"""The names a policy uses, held against who and what there is: teams, people, plans, categories.

A policy file may be older or newer than the installation it comes to. A target that nobody
answers to is a fault; a condition on something that does not exist (yet) is worth a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from escalation.policyspec import DEFAULT, PolicySpec
from escalation.problems import RuleError
from escalation.rules import TargetForm
from staff.models import Team, Tier, User
from tickets.models import Category, Organization, Plan
from training.models import ProcedureVersion


@dataclass(frozen=True, slots=True)
class NameFaults:
    """What a policy names that is not there."""

    errors: tuple[RuleError, ...]
    warnings: tuple[RuleError, ...]


def check_names(spec: PolicySpec) -> NameFaults:
    """Look every name of a policy up; eight queries at most."""
    known: Mapping[str, set[str]] = {
        "team": set(Team.objects.values_list("slug", flat=True)),
        "plan": set(Plan.objects.values_list("slug", flat=True)),
        "category": set(Category.objects.values_list("slug", flat=True)),
    }
    conditions = [
        (where, fact, name)
        for number, rule in enumerate(spec.rules)
        for where, fact, name in _named(rule.when.to_data(), f"rules[{number}].when")
    ]
    organizations = {name for _where, fact, name in conditions if fact == "organization"}
    there = {
        **known,
        "organization": set(
            Organization.objects.filter(customer_id__in=organizations).values_list(
                "customer_id", flat=True
            )
        ),
    }
    warnings = [
        RuleError(where, f"there is no {fact} “{name}” here: nothing will match")
        for where, fact, name in conditions
        if name not in there[fact]
    ]
    warnings += [
        RuleError(f"{part}.{plan}", f"there is no plan “{plan}” here")
        for part, by_plan in (("targets", spec.targets), ("path_for", spec.path_for))
        for plan in by_plan
        if plan != DEFAULT and plan not in known["plan"]
    ]
    procedure = spec.training.procedure
    if (
        spec.training.required_to
        and not ProcedureVersion.objects.published().filter(procedure__slug=procedure).exists()
    ):
        warnings.append(
            RuleError(
                "training.procedure",
                f"no procedure “{procedure}” has been published here: nothing will be required",
            )
        )
    errors, missing_tiers = _targets(spec, known["team"])
    return NameFaults(tuple(errors), tuple(missing_tiers + warnings))


def _targets(spec: PolicySpec, teams: set[str]) -> tuple[list[RuleError], list[RuleError]]:
    """Faults among the rules' targets, and warnings: a missing tier falls through to the next."""
    targets = [
        (f"rules[{number}].to[{place}].{target.form}", target)
        for number, rule in enumerate(spec.rules)
        for place, target in enumerate(rule.to)
    ]
    people = {str(t.value).lower() for _where, t in targets if t.form == TargetForm.PERSON}
    active = {
        email.lower()
        for email in User.objects.filter(is_active=True).values_list("email", flat=True)
        if email.lower() in people
    }
    tiers = set(Tier.objects.values_list("number", flat=True))
    errors, warnings = [], []
    for where, target in targets:
        match target.form:
            case TargetForm.TEAM if target.value not in teams:
                errors.append(RuleError(where, f"there is no team “{target.value}”"))
            case TargetForm.PERSON if str(target.value).lower() not in active:
                errors.append(RuleError(where, f"nobody with “{target.value}” works here"))
            case TargetForm.CATEGORY_TIER if target.value not in tiers:
                warnings.append(RuleError(where, f"there is no tier {target.value} here"))
    return errors, warnings


_LOOKED_UP = ("team", "plan", "category", "organization")


def _named(data: Any, where: str) -> Iterator[tuple[str, str, str]]:
    """Every name a condition asks for: its place, the fact and the name."""
    if "fact" in data:
        if data["fact"] in _LOOKED_UP and "value" in data:
            value = data["value"]
            for name in value if isinstance(value, list | tuple) else [value]:
                yield f"{where}.value", data["fact"], str(name)
        return
    for word, inner in data.items():
        if word == "not":
            yield from _named(inner, f"{where}.{word}")
        else:
            for number, each in enumerate(inner):
                yield from _named(each, f"{where}.{word}[{number}]")
