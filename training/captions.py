"""Captions of a lesson video: WebVTT (https://www.w3.org/TR/webvtt1/), read strictly enough that every
browser shows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

from django.utils.translation import gettext as _

from staff.refusal import Refused

LARGEST: Final = 1_000_000
"""Bytes of a file of captions; an hour of speech has about 80,000."""

_HEADER: Final = re.compile(r"WEBVTT(?:[ \t].*)?")
_TIME: Final = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES: Final = re.compile(rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+\S.*)?")
_TAG: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from one second of the video to another, without its markup."""

    begin: float
    end: float
    text: str


def text_of(data: bytes) -> str:
    """The captions as they are kept: UTF-8 without a byte order mark, lines ending in a line feed.

    Raises ``Refused`` with the line at fault.
    """
    if len(data) > LARGEST:
        raise _refused(_("The captions have more than %d bytes.") % LARGEST)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(_("The captions are not UTF-8.")) from None
    if "\0" in text:
        raise _refused(_("A zero byte cannot be kept."))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    read_cues(text)
    return text


def read_cues(text: str) -> list[Cue]:
    """What is said, in order; raises ``Refused`` where it is no WebVTT, or has no cue at all."""
    lines = text.split("\n")
    if not _HEADER.fullmatch(lines[0]):
        raise _refused(_("The captions are no WebVTT: their first line is WEBVTT."))
    if len(lines) > 1 and lines[1].strip():
        raise _wrong(2, _("An empty line follows the first."))
    cues: list[Cue] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines[1:], ""], start=2):
        if line.strip():
            block.append((number, line))
            continue
        if block and (cue := _cue(block)) is not None:
            if cues and cue.begin < cues[-1].begin:
                raise _wrong(block[0][0], _("It begins before the cue above it."))
            cues.append(cue)
        block = []
    if not cues:
        raise _refused(_("The captions have no cue: nothing that is said, with its times."))
    return cues


def _cue(block: list[tuple[int, str]]) -> Cue | None:
    """The cue that a block of lines is; None for notes, styles and regions."""
    place = next((place for place, (_n, line) in enumerate(block[:2]) if "-->" in line), None)
    if place is None:
        first = block[0][1].split(maxsplit=1)[0]
        if first in {"NOTE", "STYLE", "REGION"}:
            return None
        raise _wrong(block[0][0], _("This has no times, such as 00:01.000 --> 00:04.000."))
    number, line = block[place]
    times = _TIMES.fullmatch(line)
    if times is None:
        raise _wrong(number, _("These are no times, such as 00:01.000 --> 00:04.000."))
    begin, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
    if end <= begin:
        raise _wrong(number, _("It ends before it begins."))
    said = " ".join(unescape(_TAG.sub("", line)).strip() for _n, line in block[place + 1 :]).strip()
    if not said:
        raise _wrong(number, _("Nothing is said here."))
    return Cue(begin, end, said)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _wrong(line: int, message: str) -> Refused:
    return _refused(_("Captions, line %(line)d: %(message)s") % {"line": line, "message": message})


def _refused(message: str) -> Refused:
    return Refused(message, field="captions")
