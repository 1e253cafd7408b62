"""How much of a mail is looked at, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one mail may cost; sizes in bytes, times in seconds."""

    #: A larger mail is kept, but not read.
    raw: int = 25_000_000
    #: A larger mail is not even kept: its door refuses it, so that its sender is told.
    accepted: int = 50_000_000
    headers: int = 64_000
    #: Characters of all HTML in a mail.
    html: int = 512_000
    #: Characters of plain text shown on the ticket; the rest stays in the raw mail.
    text: int = 512_000
    #: Open HTML elements at one place.
    html_depth: int = 200
    parts: int = 100
    mime_depth: int = 10
    recipients: int = 200
    #: Of reading one mail, in the child process.
    deadline: float = 3.0
    #: Of telling new text from quoted, within it.
    quoting: float = 0.5
    #: Address space of the child process.
    memory: int = 1_000_000_000


def limits_from(values: Mapping[str, float]) -> Limits:
    """Take the limits named in a setting and the defaults for the rest.

    Raises ``ValueError`` for a name that is none of them.
    """
    defaults = Limits()
    unknown = values.keys() - set(Limits.__slots__)
    if unknown:
        raise ValueError(f"Not limits of mail: {', '.join(sorted(unknown))}")
    return replace(
        defaults,
        **{name: type(getattr(defaults, name))(value) for name, value in values.items()},
    )
