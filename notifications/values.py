"""Values that a letter's variables can have, as JSON that says what it is and not how it looks.

They are frozen in the outbox; the mail worker words them in the language and zone of the reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifications.plaintext import clean

#: A text, a list of values (joined with commas), or a mapping made by a function of this module.
Value = str | int | None | Sequence[Any] | Mapping[str, Any]
Variables = Mapping[str, Value]

_DEEPEST = 5


def moment(at: datetime | None) -> Value:
    """A point in time, told in the reader's zone; None is blank. Refuses a time without a zone."""
    if at is None:
        return ""
    if at.tzinfo is None:
        raise ValueError("A moment told to a reader needs a time zone.")
    return {"moment": at.isoformat()}


def duration(length: timedelta, *, business: bool = False) -> Value:
    """A length of time, told in hours and minutes; ``business`` says they are business hours."""
    return {"duration": round(length.total_seconds()), "business": business}


def phrase(key: str, **variables: Value) -> Value:
    """One of the fixed texts of ``phrases.py`` in the reader's language, with its variables."""
    return {"phrase": key, **variables}


def by_language(texts: Mapping[str, str], *, otherwise: str) -> Value:
    """A text that its author wrote in these languages; ``otherwise`` for readers of any other."""
    return {"by_language": dict(texts), "otherwise": otherwise}


def key_link(*, path: str, nonce: str, key_id: str) -> Value:
    """A link that proves its reader's mailbox; whoever else sees the letter reads a phrase there."""
    return {"phrase": "hidden_link", "path": path, "nonce": nonce, "key": key_id}


def frozen(value: Value, *, depth: int = _DEEPEST) -> Value:
    """Give the value as it is stored: texts cleaned of what neither jsonb nor a mail can hold.

    Raises ``TypeError`` for anything that is not one of the values above, and ``ValueError`` for
    one nested deeper than any letter needs.
    """
    if depth < 0:
        raise ValueError("A letter's variable is nested too deeply.")
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): frozen(part, depth=depth - 1) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [frozen(part, depth=depth - 1) for part in value]
    raise TypeError(f"Not something a letter can say: {type(value).__name__}")
