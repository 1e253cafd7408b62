"""Editions: what is configured is read once, and again only after any of it has changed.

Who works here, in which teams and hours, what tickets can be about and which policy is in force
changes a few times a week and is needed many times a second. Triggers on those tables give the
configuration a new, random token in the transaction that changes it (escalation's migration
``0006_edition``); a process keeps what it has read for as long as the token stays the same, at
the price of one query.

The token is random and not a number, so that what was read in a transaction which was rolled back
afterwards is never taken for what another one committed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from django.db import connection

T = TypeVar("T")


class Edition:
    """The configuration as it is now; rows taken from it are shared and must not be changed."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, object] = {}

    def keep(self, name: Hashable, read: Callable[[], T]) -> T:
        """What was read under this name in this edition, or what ``read`` gives now."""
        try:
            return cast("T", self._kept[name])
        except KeyError:
            return cast("T", self._kept.setdefault(name, read()))


_latest: tuple[object, Edition] = (None, Edition())


def current() -> Edition:
    """The edition in force for this transaction: one query.

    Ask once for each piece of work and pass the answer along. Without a token, in a database that
    is just being filled, nothing is kept beyond the answer.
    """
    global _latest  # noqa: PLW0603  # one configuration, one memory of it a process
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM staff_edition")
        row = cursor.fetchone()
    if row is None:
        return Edition()
    token, edition = _latest
    if token != row[0]:
        edition = Edition()
        _latest = (row[0], edition)
    return edition
