"""What an operation of the API takes and gives, said once: it is checked, and it is the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rest_framework.serializers import BaseSerializer

from desk.api.listing import Listing
from staff.apitokens import Scope

F = TypeVar("F", bound=Callable[..., Any])
#: A kind of body; the framework's generic parameter says nothing here.
Kind = type[BaseSerializer[Any]]

SMALL = 1_000_000
"""Bytes a body may have where no files come along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address.

    ``scope`` None is for whoever is known at all. ``takes`` reads the body; ``gives`` shapes the
    answer, once or, with ``listing``, a page of them. ``file`` answers with bytes. ``refuses``
    are further statuses than every operation has.
    """

    summary: str
    scope: Scope | None
    takes: Kind | None = None
    gives: Kind | None = None
    status: int = 200
    listing: Listing | None = None
    refuses: frozenset[int] = frozenset()
    largest: Callable[[], int] = lambda: SMALL
    file: bool = False
    #: Bodies that are taken, by a name, and what is answered to each.
    asks: Mapping[str, Any] | None = None
    says: Mapping[str, Any] | None = None


def operation(
    summary: str,
    *,
    scope: Scope | None,
    refuses: Sequence[int] = (),
    **declared: Any,
) -> Callable[[F], F]:
    """Declare a method of an ``ApiView``; see ``Operation`` for what can be said."""

    def declare(handler: F) -> F:
        handler.operation = Operation(  # type: ignore[attr-defined]
            summary=summary, scope=scope, refuses=frozenset(refuses), **declared
        )
        return handler

    return declare


def operation_of(view: object, method: str) -> Operation | None:
    """What a view declares for a method; HEAD is as GET."""
    name = "get" if method.upper() == "HEAD" else method.lower()
    found = getattr(getattr(view, name, None), "operation", None)
    return found if isinstance(found, Operation) else None
