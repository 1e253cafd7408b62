"""Plain substitution: a text with ``{names}``, values for them, and nothing else.

There is no template language. A text is paragraphs (set apart by empty lines) of lines; the
lines of a paragraph are joined by spaces. A line that names variables all of which are blank is
left out, so that one text serves a letter with and without, say, a workaround.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from notifications.phrases import PHRASES, spoken, worded_duration, worded_moment
from notifications.plaintext import clean
from notifications.values import Value

NAME = re.compile(r"\{([a-z_]{1,40})\}")
_BRACES = re.compile(r"\{[^{}\n]*\}|[{}]")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_ENDINGS = ".!?…"


def named_in(text: str) -> frozenset[str]:
    """The variables a text names, and anything else it has in braces, braces included."""
    return frozenset(
        match[1:-1] if NAME.fullmatch(match) else match for match in _BRACES.findall(text)
    )


def worded(value: Value, *, zone: str, language: str) -> str:
    """Word one value for a reader. Whatever the value, the answer is a text and no error."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, Mapping):
        return _worded_mapping(value, zone=zone, language=language)
    if isinstance(value, int | float):
        return str(value)
    parts = (worded(part, zone=zone, language=language) for part in value)
    return ", ".join(part for part in parts if part)


def paragraphs(
    text: str, words: Mapping[str, str], *, escape: Callable[[str], str] = str
) -> list[str]:
    """Fill the paragraphs of a text; ``escape`` is put on what is literal and on every value."""
    filled = []
    for paragraph in _PARAGRAPHS.split(text.strip()):
        lines = [
            line(source, words, escape=escape)
            for source in paragraph.splitlines()
            if not _is_blank(source, words)
        ]
        joined = " ".join(part for part in lines if part)
        if joined:
            filled.append(joined)
    return filled


def line(source: str, words: Mapping[str, str], *, escape: Callable[[str], str] = str) -> str:
    """Fill one line.

    A blank value takes the space before it along, and a full stop after a value that ends in one
    is left out.
    """
    filled: list[str] = []
    position = 0
    for match in NAME.finditer(source):
        literal = source[position : match.start()]
        position = match.end()
        value = words.get(match[1], "")
        if not value:
            literal = literal.removesuffix(" ")
        elif value[-1] in _ENDINGS and source[position : position + 1] == ".":
            position += 1
        filled += (escape(literal), escape(value))
    filled.append(escape(source[position:]))
    return "".join(filled).strip()


def _is_blank(source: str, words: Mapping[str, str]) -> bool:
    names = NAME.findall(source)
    return bool(names) and not any(words.get(name) for name in names)


def _worded_mapping(value: Mapping[str, Any], *, zone: str, language: str) -> str:
    if "moment" in value:
        try:
            at = datetime.fromisoformat(str(value["moment"]))
            return worded_moment(at, zone=zone, language=language) if at.tzinfo else ""
        except (ValueError, OverflowError):
            return ""
    if "duration" in value:
        seconds = value["duration"]
        if not isinstance(seconds, int):
            return ""
        return worded_duration(seconds, business=value.get("business") is True, language=language)
    if "by_language" in value:
        texts = value["by_language"]
        own = texts.get(language) if isinstance(texts, Mapping) else None
        text = own if isinstance(own, str) else value.get("otherwise")
        return clean(text).strip() if isinstance(text, str) else ""
    text = PHRASES[spoken(language)].get(str(value.get("phrase")), "")
    words = {
        str(name): worded(part, zone=zone, language=language)
        for name, part in value.items()
        if name != "phrase"
    }
    return line(text, words)
