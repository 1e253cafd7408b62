"""What a search shows of a text: where the words stand, marked, with what stands around them.

Pure. Texts are cut into parts and stay plain: it is the template that escapes and marks them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

AROUND = 60
"""Characters before the first word that is marked."""
LONGEST = 220
"""Characters of an excerpt."""

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text; marked where it is what was looked for."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is marked: words in all their forms, and what words may begin with."""

    words: frozenset[str]
    beginnings: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        folded = fold(word)
        return folded in self.words or folded.startswith(self.beginnings)


def fold(word: str) -> str:
    """A word as ``tickets_search_words`` writes it."""
    if word.isascii():
        return word.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", word)).lower().translate(_LETTERS)


def marked(text: str, wanted: Wanted) -> list[Part]:
    """The whole text, with what is wanted marked."""
    parts: list[Part] = []
    done = 0
    for match in _WORD.finditer(text):
        if wanted.has(match[0]):
            if match.start() > done:
                parts.append(Part(text[done : match.start()]))
            parts.append(Part(match[0], marked=True))
            done = match.end()
    if done < len(text):
        parts.append(Part(text[done:]))
    return parts


def excerpt(text: str, wanted: Wanted) -> list[Part]:
    """One line around the place with most of what is wanted; the beginning where nothing is."""
    text = " ".join(text.split())
    places = [match.start() for match in _WORD.finditer(text) if wanted.has(match[0])]
    start = _densest(places)
    start = 0 if start <= AROUND else text.find(" ", start - AROUND) + 1
    end = start + LONGEST
    cut = text[start:end] if end >= len(text) else text[start:end].rpartition(" ")[0]
    cut = cut or text[start:end]
    before = [Part("… ")] if start else []
    after = [Part(" …")] if start + len(cut) < len(text) else []
    return [*before, *marked(cut, wanted), *after]


def _densest(places: Sequence[int]) -> int:
    """Where most of the places stand within an excerpt's length; the first of those."""
    best, most, last = 0, 0, 0
    for first, place in enumerate(places):
        while last < len(places) and places[last] < place + LONGEST - AROUND:
            last += 1
        if last - first > most:
            best, most = place, last - first
    return best
