"""The facts a condition may name, what it may ask of each, and how values are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeGuard

from staff.durations import DurationError, parse_duration
from staff.patterns import PatternError, compiled

if TYPE_CHECKING:
    import re2

CLOCKS: Final = ("first_response", "next_response", "periodic_update", "resolution")
LEVELS: Final = {"high": 1, "medium": 2, "low": 3}
PRIORITIES: Final = {"P1": 1, "P2": 2, "P3": 3, "P4": 4}
LONGEST_TEXT: Final = 400
LONGEST_LIST: Final = 100


class Form(StrEnum):
    """What kind of value a fact has."""

    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    PRIORITY = "priority"
    LEVEL = "level"
    FLAG = "flag"
    PRESENCE = "presence"
    TEXTS = "texts"
    WRITING = "writing"
    LENGTH = "length"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact's form; ``words`` are all it can be, ``optional`` whether it may be absent."""

    form: Form
    words: tuple[str, ...] = ()
    optional: bool = False


FACTS: Final[Mapping[str, Fact]] = {
    "status": Fact(
        Form.WORD, ("new", "open", "waiting_on_customer", "on_hold", "resolved", "closed")
    ),
    "priority": Fact(Form.PRIORITY, tuple(PRIORITIES)),
    "impact": Fact(Form.LEVEL, tuple(LEVELS)),
    "urgency": Fact(Form.LEVEL, tuple(LEVELS)),
    "complexity": Fact(Form.WORD, ("simple", "moderate", "specialist")),
    "category": Fact(Form.TEXT, optional=True),
    "plan": Fact(Form.TEXT, optional=True),
    "organization": Fact(Form.TEXT, optional=True),
    "team": Fact(Form.TEXT, optional=True),
    "tier": Fact(Form.NUMBER, optional=True),
    "assignee": Fact(Form.PRESENCE),
    "tags": Fact(Form.TEXTS),
    "language": Fact(Form.TEXT, optional=True),
    "channel": Fact(Form.WORD, ("mail", "web", "phone", "api", "desk")),
    "subject": Fact(Form.WRITING),
    "text": Fact(Form.WRITING),
    "reopened_count": Fact(Form.NUMBER),
    "completeness": Fact(Form.NUMBER),
    "escalated": Fact(Form.TEXTS),
    "times_escalated": Fact(Form.NUMBER),
    "sender_verified": Fact(Form.FLAG),
    "asked_to_escalate": Fact(Form.PRESENCE),
    "unanswered_for": Fact(Form.LENGTH),
    "in_status_for": Fact(Form.LENGTH),
    "age": Fact(Form.LENGTH),
    "silent_for": Fact(Form.LENGTH),
    **{f"{clock}_used": Fact(Form.SHARE) for clock in CLOCKS},
    **{f"{clock}_breached": Fact(Form.FLAG) for clock in CLOCKS},
}

_SAME: Final = ("is", "is_not", "in", "not_in")
_ORDER: Final = ("at_least", "at_most")
_THERE: Final = ("is_set", "is_not_set")
_OPERATORS: Final[Mapping[Form, tuple[str, ...]]] = {
    Form.WORD: _SAME,
    Form.TEXT: _SAME,
    Form.NUMBER: _SAME + _ORDER,
    Form.PRIORITY: _SAME + _ORDER,
    Form.LEVEL: _SAME + _ORDER,
    Form.FLAG: ("is",),
    Form.PRESENCE: _THERE,
    Form.TEXTS: ("contains", *_THERE),
    Form.WRITING: ("contains", "matches", *_THERE),
    Form.LENGTH: ("at_least", "less_than"),
    Form.SHARE: ("at_least", "less_than"),
}
VALUELESS: Final = frozenset(_THERE)


def operators(fact: Fact) -> tuple[str, ...]:
    """What may be asked of a fact."""
    found = _OPERATORS[fact.form]
    return found + _THERE if fact.optional else found


def checked(fact: Fact, operator: str, value: object) -> object:
    """A condition's value as it is kept; raises ``ValueError`` saying what would be right."""
    if operator in ("in", "not_in"):
        if not isinstance(value, list) or not value:
            raise ValueError("must be a list with at least one value")
        if len(value) > LONGEST_LIST:
            raise ValueError(f"must not have more than {LONGEST_LIST} values")
        return [_one(fact, operator, part) for part in value]
    return _one(fact, operator, value)


def _one(fact: Fact, operator: str, value: object) -> object:
    match fact.form:
        case Form.WORD | Form.PRIORITY | Form.LEVEL:
            if value not in fact.words:
                raise ValueError(f"must be one of {', '.join(fact.words)}")
        case Form.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError("must be a whole number")
        case Form.FLAG:
            if not isinstance(value, bool):
                raise ValueError("must be true or false")
        case Form.LENGTH:
            if not isinstance(value, str):
                raise ValueError("must be a duration, such as 4h or 15m wall")
            try:
                return str(parse_duration(value))
            except DurationError as error:
                raise ValueError(str(error)) from error
        case Form.SHARE:
            return f"{percent(value)}%"
        case _:
            _check_text(operator, value)
    return value


def _check_text(operator: str, value: object) -> None:
    if not is_text(value):
        raise ValueError("must be a text")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"must not be longer than {LONGEST_TEXT} characters")
    if operator == "matches":
        pattern(value)


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is a text that can be kept: no database takes NUL or half a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return bool(value) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def percent(value: object) -> int:
    """Read ``75%``; raises ``ValueError``."""
    text = value.strip() if isinstance(value, str) else ""
    digits = text.removesuffix("%").strip()
    if not text.endswith("%") or not digits.isascii() or not digits.isdigit():
        raise ValueError("must be a share such as 75%")
    # Python refuses to read thousands of digits, in words of its own.
    if len(digits) > 9 or not 1 <= int(digits) <= 1000:
        raise ValueError("must be between 1% and 1000%")
    return int(digits)


def pattern(text: str) -> re2._Regexp[str]:
    """Compile for RE2, which takes time linear in what strangers wrote; ``ValueError``."""
    try:
        return compiled(text)
    except PatternError as error:
        raise ValueError(f"is not a pattern RE2 can run: {error}") from error
