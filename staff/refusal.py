"""What a station says when it does not do what was asked."""

from __future__ import annotations


class Refused(Exception):
    """What was asked cannot be done; the text is for the person who asked.

    ``field`` names the input that is to blame, where one is.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
