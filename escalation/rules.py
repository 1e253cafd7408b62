"""When a ticket goes up, and where: rules as data, the first that matches decides.

Pure: no tables, no clock. A verdict says when to ask again, exactly: until then the same
rule decides (or none), and at that moment another answer begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from escalation.conditions import Condition, Reason
from escalation.ticketfacts import TicketFacts
from escalation.vocabulary import LEVELS
from staff.businesstime import NeverOpens
from staff.durations import Duration

NATURES: Final = ("expertise", "access", "overdue", "reopened", "customer_asked", "authority")


class Kind(StrEnum):
    """To more expertise, or to more authority."""

    FUNCTIONAL = "functional"
    HIERARCHICAL = "hierarchical"


class TargetForm(StrEnum):
    """How a rule says where it goes; the values are the words of the file."""

    TEAM = "team"
    CATEGORY_TIER = "category_tier"
    NEXT_TIER = "next_tier"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Target:
    """A team's slug, a tier's number, a person's address, or true for those without a value."""

    form: TargetForm
    value: str | int | bool

    def to_data(self) -> dict[str, str | int | bool]:
        return {str(self.form): self.value}


class Limit(StrEnum):
    """How often a rule may escalate the same ticket."""

    EVER = "ever"
    PER_GENERATION = "per_generation"
    AGAIN_AFTER = "again_after"


@dataclass(frozen=True, slots=True)
class Once:
    """A generation ends when the ticket is reopened; ``again_after`` counts plan time."""

    limit: Limit = Limit.PER_GENERATION
    again_after: Duration | None = None

    def to_data(self) -> Any:
        return (
            str(self.limit) if self.again_after is None else {"again_after": str(self.again_after)}
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition, and what follows from it; ``to`` falls through from one to the next."""

    key: str
    name: str
    when: Condition
    to: tuple[Target, ...]
    kind: Kind
    nature: str
    urgency: int | None = None
    path: str | None = None
    once: Once = Once()

    @property
    def facts(self) -> frozenset[str]:
        """The facts its condition asks."""
        return frozenset(self.when.facts())

    def to_data(self) -> dict[str, Any]:
        """The canonical form that ``parse_rules`` reads."""
        data: dict[str, Any] = {
            "key": self.key,
            "name": self.name,
            "when": self.when.to_data(),
            "to": [target.to_data() for target in self.to],
            "kind": str(self.kind),
            "nature": self.nature,
            "once": self.once.to_data(),
        }
        if self.urgency is not None:
            data["urgency"] = next(word for word, n in LEVELS.items() if n == self.urgency)
        if self.path is not None:
            data["path"] = self.path
        return data


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule that decides, or None; ``reasons`` are its own."""

    rule: Rule | None
    targets: tuple[Target, ...]
    reasons: tuple[Reason, ...]
    ask_again_at: datetime | None


class Skip(StrEnum):
    """Why a rule is not asked at all."""

    ENDED = "ended"
    ESCALATED = "escalated"
    FIRED = "fired"


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """What a rule says of a ticket: ``holds`` is its condition alone, now.

    ``matches_from`` and ``matches_until`` tell when it would match, and stop matching, if
    nothing but time passes.
    """

    rule: Rule
    decides: bool
    holds: bool
    skipped: Skip | None
    skipped_until: datetime | None
    reasons: tuple[Reason, ...]
    matches_from: datetime | None
    matches_until: datetime | None

    def to_json(self) -> dict[str, Any]:
        def iso(moment: datetime | None) -> str | None:
            return moment.isoformat() if moment is not None else None

        return {
            "rule": self.rule.key,
            "name": self.rule.name,
            "decides": self.decides,
            "holds": self.holds,
            "skipped": str(self.skipped) if self.skipped else None,
            "skipped_until": iso(self.skipped_until),
            "reasons": [reason.to_json() for reason in self.reasons],
            "matches_from": iso(self.matches_from),
            "matches_until": iso(self.matches_until),
        }


def decide(facts: TicketFacts, rules: Sequence[Rule], now: datetime) -> Verdict:
    """Ask the rules in their order; the first that matches decides."""
    deciding: Rule | None = None
    turns: list[datetime] = []
    for rule in rules:
        # Who decides changes when one before it begins to match, or it stops: each is asked for
        # itself, for asking all of them at every turn of any would take the square of the rules.
        if (turn := _turn(rule, facts, now)) is not None:
            turns.append(turn)
        if _matches(rule, facts, now):
            deciding = rule
            break
    return Verdict(
        rule=deciding,
        targets=deciding.to if deciding is not None else (),
        reasons=tuple(deciding.when.reasons(facts, deciding.key, now)) if deciding else (),
        ask_again_at=min(turns, default=None),
    )


def explain(
    facts: TicketFacts, rules: Sequence[Rule], now: datetime
) -> tuple[RuleExplanation, ...]:
    """What every rule says, whether it was asked or not."""
    first = next((rule for rule in rules if _matches(rule, facts, now)), None)
    explained = []
    for rule in rules:
        skipped, until = _skip(rule, facts, now)
        holds = rule.when.holds(facts, rule.key, now)
        matching = skipped is None and holds
        turn = _turn(rule, facts, now)
        explained.append(
            RuleExplanation(
                rule=rule,
                decides=rule is first,
                holds=holds,
                skipped=skipped,
                skipped_until=until,
                reasons=tuple(rule.when.reasons(facts, rule.key, now)),
                matches_from=now if matching else turn,
                matches_until=turn if matching else None,
            )
        )
    return tuple(explained)


def _matches(rule: Rule, facts: TicketFacts, now: datetime) -> bool:
    skipped, _until = _skip(rule, facts, now)
    return skipped is None and rule.when.holds(facts, rule.key, now)


def _turn(rule: Rule, facts: TicketFacts, now: datetime) -> datetime | None:
    """When the rule begins to match, or stops, if nothing but time passes."""
    skipped, until = _skip(rule, facts, now)
    if skipped is not None and until is None:
        return None
    # Every moment at which one of its conditions turns, or it may escalate again.
    moments = set(rule.when.turns(facts, rule.key, now))
    if until is not None:
        moments.add(until)
    ahead = sorted(at for at in moments if at > now)
    if not ahead:
        return None
    matching = _matches(rule, facts, now)
    return next((at for at in ahead if _matches(rule, facts, at) != matching), None)


def _skip(rule: Rule, facts: TicketFacts, now: datetime) -> tuple[Skip | None, datetime | None]:
    """Why a rule is not asked, and until when if it will be again; both None where it is."""
    if facts.is_ended:
        return Skip.ENDED, None
    if rule.kind in facts.escalated:
        return Skip.ESCALATED, None
    fired_at = facts.fired.get(rule.key)
    if fired_at is None:
        return None, None
    match rule.once.limit:
        case Limit.EVER:
            return Skip.FIRED, None
        case Limit.PER_GENERATION:
            if facts.reopened_at is not None and facts.reopened_at > fired_at:
                return None, None
            return Skip.FIRED, None
        case _:
            if rule.once.again_after is None:
                return None, None
            try:
                until = rule.once.again_after.after(fired_at, facts.plan_time)
            except NeverOpens:
                return Skip.FIRED, None
            return (Skip.FIRED, until) if until > now else (None, None)
