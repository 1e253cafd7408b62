"""From where on what is found is a warning, or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Each is reached when the figure is that bad. Ages in seconds; ``inf`` is never reached."""

    #: How long the engine leaves a due ticket without a look.
    reviews_warning: float = 60
    reviews_failed: float = 300
    #: For how long letters have been due while none has gone out.
    outbox_warning: float = 300
    outbox_failed: float = 1800
    #: A receiver that hangs makes its own messages wait: no reason to take the desk away.
    webhooks_warning: float = 600
    webhooks_failed: float = inf
    #: Free space of the data folder, in MiB.
    disk_warning: float = 1024
    disk_failed: float = 128
    #: How far our clock and the database's are apart, in seconds.
    clock_warning: float = 2
    clock_failed: float = 60


def limits_from(values: Mapping[str, float]) -> Limits:
    """Take the limits named in a setting and the defaults for the rest.

    Raises ``ValueError`` for a name that is none of them.
    """
    unknown = values.keys() - set(Limits.__slots__)
    if unknown:
        raise ValueError(f"Not limits of readiness: {', '.join(sorted(unknown))}")
    return replace(Limits(), **{name: float(value) for name, value in values.items()})
