"""Reading a request's body: JSON and nothing else, of a size and a depth that can be borne."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType

from desk.api.problems import MALFORMED, TOO_LARGE, Problem

MEDIA_TYPE = "application/json"
#: JSON says surrogates and NULs by escapes alone; without one there is nothing to look for.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def read(request: HttpRequest, *, largest: int) -> bytes:
    """The body as it came, ``largest`` bytes at most."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit():
        raise Problem(MALFORMED, _("The Content-Length is not a number."))
    if len(length) > 15 or int(length) > largest:
        raise _too_large(largest)
    try:
        body: bytes = request.read(largest + 1)
    except OSError as error:
        raise Problem(MALFORMED, _("The body did not arrive whole.")) from error
    if len(body) > largest:
        raise _too_large(largest)
    return body


def parse(body: bytes, *, content_type: str) -> Any:
    """What a body says; an empty one is an empty object."""
    if not body.strip():
        return {}
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise UnsupportedMediaType(media_type or _("none"))
    try:
        said = json.loads(body.decode(), parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        # Digits without end are a ValueError, too.
        raise Problem(MALFORMED, _("The body is no JSON that can be read.")) from error
    if not isinstance(said, dict):
        raise Problem(MALFORMED, _("The body has to be a JSON object."))
    if _SUSPECT.search(body) and not _is_text(said):
        raise Problem(MALFORMED, _("A text holds a NUL or half of a character."))
    return said


def _too_large(largest: int) -> Problem:
    return Problem(
        TOO_LARGE,
        _("The body is larger than %(size)s.") % {"size": filesizeformat(largest)},
        headers={"Connection": "close"},
    )


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that stands there twice leaves open what was meant."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("A name stands there twice.")
    return made


def _is_text(said: Any) -> bool:
    if isinstance(said, str):
        return "\x00" not in said and not any("\ud800" <= letter <= "\udfff" for letter in said)
    if isinstance(said, dict):
        return all(_is_text(name) and _is_text(inner) for name, inner in said.items())
    return all(_is_text(inner) for inner in said) if isinstance(said, list) else True
