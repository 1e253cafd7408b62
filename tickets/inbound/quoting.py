"""Telling what somebody wrote now from what they quote. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

from mailparser_reply.constants import MAIL_LANGUAGES
from mailparser_reply.parser import EmailMessage

_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl")
#: Longer texts are searched for a quotation in their first part only.
_LONGEST = 100_000


class TooSlow(Exception):
    """The patterns did not come to an end in time."""


def split_quoted(text: str, *, seconds: float) -> tuple[str, str]:
    """Give (new text, quoted text); together they are the whole text.

    Where the answer stands between the quoted lines, everything counts as new: torn from the
    lines it answers it could not be understood. Runs at most ``seconds``, then nothing is quoted.
    Needs the main thread (SIGALRM).
    """
    lines = text.split("\n")
    try:
        with _alarm(seconds):
            at = _first_quoted_line([line.strip() for line in text[:_LONGEST].split("\n")])
    except (TooSlow, RecursionError, MemoryError):
        return text, ""
    if at is None:
        at = _trailing_quote(lines)
        if at is None:
            return text, ""
    new, quoted = lines[:at], lines[at:]
    answer = _answer_below(quoted)
    if answer is not None:
        if _blank(new) and answer > 0:
            new, quoted = quoted[answer:], quoted[:answer]
        else:
            return text, ""
    if _blank(new):
        return text, ""
    return "\n".join(new).strip("\n").rstrip(), "\n".join(quoted).strip("\n").rstrip()


def _first_quoted_line(lines: list[str]) -> int | None:
    stripped = "\n".join(lines)
    found = _message().HEADER_REGEX.search(stripped)
    if found is None:
        return None
    start = found.start()
    while start < len(stripped) and stripped[start] == "\n":
        start += 1
    return stripped.count("\n", 0, start)


@cache
def _message() -> EmailMessage:
    return EmailMessage(
        text="", languages=[language for language in _LANGUAGES if language in MAIL_LANGUAGES]
    )


def _trailing_quote(lines: list[str]) -> int | None:
    """Where lines marked with ``>`` begin that go on to the end."""
    at = len(lines)
    while at and (lines[at - 1].startswith(">") or not lines[at - 1].strip()):
        at -= 1
    return at if any(line.startswith(">") for line in lines[at:]) else None


def _answer_below(quoted: list[str]) -> int | None:
    """Where an answer starts below a quotation marked with ``>``.

    None: there is none; 0: it stands between quoted lines.
    """
    marked = [number for number, line in enumerate(quoted) if line.lstrip().startswith(">")]
    if not marked:
        return None
    own = [
        number
        for number in range(marked[0], len(quoted))
        if quoted[number].strip() and not quoted[number].lstrip().startswith(">")
    ]
    if not own or quoted[own[0]].rstrip() == "--":
        return None
    return own[0] if own[0] > marked[-1] else 0


def _blank(lines: list[str]) -> bool:
    return not any(line.strip() for line in lines)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
