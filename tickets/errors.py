"""What a station says when it does not do what was asked."""

from __future__ import annotations

from staff.refusal import Refused

__all__ = ["Refused", "Stale"]


class Stale(Refused):
    """Somebody changed the ticket since the asker looked at it."""
