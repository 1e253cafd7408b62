"""What somebody types into the search box, read into words and operators.

Pure: no Django, no table, no clock. Whatever is typed can be read; what is wrong with it becomes
a ``Problem``, which ``desk.search.problems`` puts into words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

LONGEST = 500
"""Characters of a search."""
MOST = 20
"""Words, phrases and operators of a search."""
SHORTEST_BEGINNING = 3
"""Letters before a ``*``: fewer begin too many words."""

OPERATORS = (
    "status",
    "org",
    "assignee",
    "team",
    "tier",
    "priority",
    "category",
    "tag",
    "escalated",
    "promise",
    "before",
    "after",
)


class Wrong(StrEnum):
    """What can be wrong with a search."""

    UNKNOWN_OPERATOR = "unknown_operator"
    NO_VALUE = "no_value"
    UNKNOWN_VALUE = "unknown_value"
    NO_DATE = "no_date"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NO_WORDS = "no_words"
    BEGINNING_TOO_SHORT = "beginning_too_short"
    TOO_BROAD = "too_broad"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, with which operator, with what of it, and what could be meant instead."""

    wrong: Wrong
    name: str = ""
    value: str = ""
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or words in quotes; a beginning stands for every word that begins so."""

    text: str
    negated: bool = False
    exact: bool = False
    beginning: bool = False

    def __str__(self) -> str:
        said = f'"{self.text}"' if self.exact else self.text
        return f"{'-' if self.negated else ''}{said}{'*' if self.beginning else ''}"


@dataclass(frozen=True, slots=True)
class Operator:
    """``status:open,new``: any of the values will do; negated, none of them may be."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        said = ",".join(f'"{value}"' if _needs_quotes(value) else value for value in self.values)
        return f"{'-' if self.negated else ''}{self.name}:{said}"


@dataclass(frozen=True, slots=True)
class Query:
    """A search as it was understood, and what was not."""

    terms: tuple[Term, ...] = ()
    operators: tuple[Operator, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms or self.operators)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (*self.terms, *self.operators))


#: An operator with its values, words in quotes, or a word; a quote not closed runs to the end.
_PIECE = re.compile(r'-?[A-Za-z]+:(?:"[^"]*"?|[^\s"])*|-?"[^"]*"?|[^\s"]+')
_OPERATOR = re.compile(r"([A-Za-z]+):(?!//)(.*)", re.DOTALL)
_VALUE = re.compile(r'"([^"]*)(?:"|$)|([^,"]+)')
#: What no text of ours holds, and no connection carries.
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def parse(text: str) -> Query:
    """Read a search; answers for any text, and never raises."""
    if len(text) > LONGEST:
        return Query(problems=(Problem(Wrong.TOO_LONG, value=str(LONGEST)),))
    terms: list[Term] = []
    operators: list[Operator] = []
    problems: list[Problem] = []
    for piece in _PIECE.findall(_UNFIT.sub(" ", text)):
        for part in _read(piece):
            if isinstance(part, Operator):
                operators.append(part)
            elif isinstance(part, Problem):
                problems.append(part)
            else:
                terms.append(part)
    if len(terms) + len(operators) > MOST:
        problems.append(Problem(Wrong.TOO_MANY, value=str(MOST)))
    problems.extend(
        Problem(Wrong.BEGINNING_TOO_SHORT, value=term.text)
        for term in terms
        if term.beginning and sum(map(str.isalnum, term.text)) < SHORTEST_BEGINNING
    )
    if terms and not operators and not any(map(_says_something, terms)):
        problems.append(Problem(Wrong.NO_WORDS, value=" ".join(map(str, terms))))
    return Query(tuple(filter(_says_something, terms)), tuple(operators), tuple(problems))


def _read(piece: str) -> Iterator[Operator | Problem | Term]:
    negated = len(piece) > 1 and piece.startswith("-")
    bare = piece[1:] if negated else piece
    match = _OPERATOR.fullmatch(bare)
    if match is None:
        yield from _term(bare, negated)
        return
    name, rest = match[1].lower(), match[2]
    if name in OPERATORS:
        yield _operator(name, rest, negated)
        return
    near = get_close_matches(name, OPERATORS, n=1, cutoff=0.7)
    if near and rest:
        yield Problem(Wrong.UNKNOWN_OPERATOR, name=name, value=rest, instead=tuple(near))
    # "TypeError: …" and "Re:" are words like others.
    elif '"' in rest:
        yield from _term(f"{match[1]}:", negated)
        for part in _PIECE.findall(rest):
            yield from _read(part)
    else:
        yield from _term(bare, negated)


def _operator(name: str, rest: str, negated: bool) -> Operator | Problem:
    values = [" ".join((quoted or plain).split()) for quoted, plain in _VALUE.findall(rest)]
    values = [value for value in values if value]
    if not values:
        return Problem(Wrong.NO_VALUE, name=name)
    return Operator(name, tuple(dict.fromkeys(values)), negated)


def _term(piece: str, negated: bool) -> Iterator[Term]:
    exact = piece.startswith('"')
    text = " ".join(piece.strip('"').split())
    beginning = not exact and text.endswith("*")
    text = text.rstrip("*") if beginning else text
    if text:
        yield Term(text, negated, exact, beginning)


def _says_something(term: Term) -> bool:
    return any(map(str.isalnum, term.text))


def _needs_quotes(value: str) -> bool:
    return any(letter.isspace() or letter == "," for letter in value)
