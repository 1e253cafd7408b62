"""Conditions as data: ``all``, ``any``, ``not``, and leaves that ask one fact one thing.

Read strictly when they are written, so that nothing is left to be refused when they are
asked. A leaf answers with the moment its answer turns by itself; ``turns`` are those of all leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalation import outlook, vocabulary
from escalation.outlook import Answer
from escalation.problems import Faults
from escalation.ticketfacts import TicketFacts

DEEPEST = 8
MOST_LEAVES = 100


@dataclass(frozen=True, slots=True)
class Reason:
    """What one leaf asked for and found; no text of a customer is ever copied into it.

    ``wanted`` and ``actual`` are as in the file; ``since`` is what a duration is counted
    from; ``changes_at`` when ``holds`` turns if nothing but time passes. ``negated``: it
    stands under an odd number of ``not``.
    """

    path: str
    fact: str
    op: str
    wanted: Any
    actual: Any
    holds: bool
    negated: bool = False
    since: datetime | None = None
    changes_at: datetime | None = None

    @property
    def helps(self) -> bool:
        """Whether it speaks for the rule."""
        return self.holds != self.negated

    @property
    def holds_from(self) -> datetime | None:
        return None if self.holds else self.changes_at

    @property
    def holds_until(self) -> datetime | None:
        return self.changes_at if self.holds else None

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "fact": self.fact,
            "op": self.op,
            "wanted": self.wanted,
            "actual": self.actual,
            "holds": self.holds,
            "negated": self.negated,
            "since": self.since.isoformat() if self.since else None,
            "changes_at": self.changes_at.isoformat() if self.changes_at else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reason:
        """What ``to_json`` wrote."""
        moments = {
            name: datetime.fromisoformat(data[name]) if data.get(name) else None
            for name in ("since", "changes_at")
        }
        return cls(**{**data, **moments})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One fact asked one thing."""

    fact: str
    op: str
    value: Any = None

    def holds(self, facts: TicketFacts, rule: str, now: datetime) -> bool:
        return self._answer(facts, rule, now).holds

    def reasons(
        self, facts: TicketFacts, rule: str, now: datetime, path: str = "", *, negated: bool = False
    ) -> Iterator[Reason]:
        answer = self._answer(facts, rule, now)
        yield Reason(
            path=path,
            fact=self.fact,
            op=self.op,
            wanted=self.value,
            actual=answer.actual,
            holds=answer.holds,
            negated=negated,
            since=answer.since,
            changes_at=answer.changes_at,
        )

    def turns(self, facts: TicketFacts, rule: str, now: datetime) -> Iterator[datetime]:
        if (at := self._answer(facts, rule, now).changes_at) is not None:
            yield at

    def facts(self) -> Iterator[str]:
        yield self.fact

    def to_data(self) -> dict[str, Any]:
        data = {"fact": self.fact, "op": self.op}
        return data if self.op in vocabulary.VALUELESS else {**data, "value": self.value}

    def _answer(self, facts: TicketFacts, rule: str, now: datetime) -> Answer:
        return outlook.answer(
            fact=self.fact, op=self.op, value=self.value, facts=facts, rule=rule, now=now
        )


@dataclass(frozen=True, slots=True)
class Several:
    """All of its parts, or any of them."""

    word: str
    parts: tuple[Condition, ...]

    def holds(self, facts: TicketFacts, rule: str, now: datetime) -> bool:
        answers = (part.holds(facts, rule, now) for part in self.parts)
        return all(answers) if self.word == "all" else any(answers)

    def reasons(
        self, facts: TicketFacts, rule: str, now: datetime, path: str = "", *, negated: bool = False
    ) -> Iterator[Reason]:
        for number, part in enumerate(self.parts):
            here = _joined(path, f"{self.word}[{number}]")
            yield from part.reasons(facts, rule, now, here, negated=negated)

    def turns(self, facts: TicketFacts, rule: str, now: datetime) -> Iterator[datetime]:
        for part in self.parts:
            yield from part.turns(facts, rule, now)

    def facts(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.facts()

    def to_data(self) -> dict[str, Any]:
        return {self.word: [part.to_data() for part in self.parts]}


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition

    def holds(self, facts: TicketFacts, rule: str, now: datetime) -> bool:
        return not self.part.holds(facts, rule, now)

    def reasons(
        self, facts: TicketFacts, rule: str, now: datetime, path: str = "", *, negated: bool = False
    ) -> Iterator[Reason]:
        yield from self.part.reasons(facts, rule, now, _joined(path, "not"), negated=not negated)

    def turns(self, facts: TicketFacts, rule: str, now: datetime) -> Iterator[datetime]:
        yield from self.part.turns(facts, rule, now)

    def facts(self) -> Iterator[str]:
        yield from self.part.facts()

    def to_data(self) -> dict[str, Any]:
        return {"not": self.part.to_data()}


Condition = Leaf | Several | Not


def read(data: object, where: str, faults: Faults, depth: int = 0) -> Condition | None:
    """Read a condition; None, with faults, where it is not one."""
    if not isinstance(data, Mapping):
        faults.add(where, "must be a condition: all, any, not, or a fact with its op")
        return None
    if depth > DEEPEST:
        faults.add(where, f"is nested deeper than {DEEPEST} levels")
        return None
    if words := [word for word in ("all", "any", "not") if word in data]:
        word = words[0]
        for key in data:
            if key != word:
                faults.add(f"{where}.{key}", f"does not belong beside “{word}”")
        here = f"{where}.{word}"
        if word == "not":
            part = read(data["not"], here, faults, depth + 1)
            return Not(part) if part is not None else None
        return _several(word, data[word], here, faults, depth)
    return _leaf(data, where, faults)


def count(condition: Condition) -> int:
    """How many leaves a condition has."""
    return sum(1 for _fact in condition.facts())


def _several(word: str, data: object, where: str, faults: Faults, depth: int) -> Condition | None:
    if not isinstance(data, Sequence) or isinstance(data, str) or not data:
        faults.add(where, "must be a list with at least one condition")
        return None
    if len(data) > MOST_LEAVES:
        faults.add(where, f"must not have more than {MOST_LEAVES} conditions")
        return None
    parts = [
        read(part, f"{where}[{number}]", faults, depth + 1) for number, part in enumerate(data)
    ]
    known = tuple(part for part in parts if part is not None)
    return Several(word, known) if len(known) == len(parts) else None


def _leaf(data: Mapping[Any, Any], where: str, faults: Faults) -> Condition | None:
    before = len(faults.errors)
    for key in data:
        if key not in ("fact", "op", "value"):
            faults.add(f"{where}.{key}", "is not known here: fact, op and value are")
    name = data.get("fact")
    fact = vocabulary.FACTS.get(name) if isinstance(name, str) else None
    if fact is None:
        faults.add(f"{where}.fact", f"“{name}” is not a fact: {', '.join(vocabulary.FACTS)}")
        return None
    op = data.get("op")
    allowed = vocabulary.operators(fact)
    if op not in allowed:
        faults.add(f"{where}.op", f"“{op}” cannot be asked of {name}: {', '.join(allowed)}")
        return None
    value = None
    if op in vocabulary.VALUELESS:
        if data.get("value") is not None:
            faults.add(f"{where}.value", f"does not belong to {op}")
    else:
        try:
            value = vocabulary.checked(fact, str(op), data.get("value"))
        except ValueError as error:
            faults.add(f"{where}.value", str(error))
    return Leaf(str(name), str(op), value) if len(faults.errors) == before else None


def _joined(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
