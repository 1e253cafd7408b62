"""Text from outside made fit for a header, a line, a page or a database column."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 but tab and newlines, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\ud800-\udfff"  # surrogates: neither UTF-8 nor jsonb can hold them
    "\ufeff"
    "]"
)
_BLANK = re.compile(r"\s+")


def clean(text: str) -> str:
    """Drop control characters, direction marks and surrogates; keep tabs and line ends (LF)."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, *, limit: int = 200) -> str:
    """Give the text as one line of at most ``limit`` characters, fit for a header or a list."""
    line = _BLANK.sub(" ", clean(text)).strip()
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
