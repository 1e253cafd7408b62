"""Patterns that meet text which strangers wrote: google-re2 only, linear in that text. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

_MEMORY: Final = 1 << 20


class PatternError(ValueError):
    """A text that is not a pattern RE2 can run; says why."""


@lru_cache(maxsize=512)
def compiled(text: str) -> re2._Regexp[str]:
    """Compile a pattern that ignores case. Raises ``PatternError``."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        why = error.args[0] if error.args else ""
        # It speaks in bytes.
        told = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise PatternError(told) from error
