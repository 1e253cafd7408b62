"""Making the checks: all of them on one picture of the database, which they cannot change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

import structlog
from django.db import Error, InterfaceError, connection, transaction

from desk.selfcheck.catalogue import CHECKS
from desk.selfcheck.checks import MOST, SHOWN, Check, Look, Row

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

STATEMENT_SECONDS = 15
"""A statement that takes longer is given up, and its check with it; a deep one has ten times that."""


class Status(StrEnum):
    """What a check came to."""

    CLEAN = "clean"
    FOUND = "found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """What one check came to; ``count`` is ``MOST`` at most, and ``capped`` where it is more."""

    check: Check
    status: Status
    count: int = 0
    capped: bool = False
    rows: Sequence[Row] = ()
    seconds: float = 0.0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.check.name,
            "promise": str(self.check.promise),
            "severity": str(self.check.severity),
            "status": str(self.status),
            "count": self.count,
            "capped": self.capped,
            "rows": [
                {
                    "kind": str(self.check.noun),
                    "id": row.id,
                    "ticket": f"HD-{row.ticket}" if row.ticket is not None else None,
                }
                for row in self.rows
            ],
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "runbook": self.check.runbook,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a self-check came to, check by check."""

    at: datetime
    deep: bool
    seconds: float
    results: Sequence[Result]

    @property
    def found(self) -> int:
        """How many promises are broken."""
        return sum(result.status is Status.FOUND for result in self.results)

    @property
    def failed(self) -> int:
        """How many checks could not be made."""
        return sum(result.status is Status.FAILED for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """The shape that ``docs/runbooks/selfcheck.md`` describes."""
        return {
            "at": self.at.isoformat(),
            "deep": self.deep,
            "seconds": round(self.seconds, 3),
            "found": self.found,
            "failed": self.failed,
            "checks": [result.to_json() for result in self.results],
        }


def names() -> list[str]:
    return [check.name for check in CHECKS]


def run(
    *,
    now: datetime,
    deep: bool = False,
    only: Sequence[str] = (),
    ends_after: float | None = None,
) -> Report:
    """Make the checks (or some, by name) as of ``now``, by the database's clock.

    One transaction, read-only and repeatable: whatever people and workers do meanwhile, all checks
    see the same. One that fails costs the others nothing. After ``ends_after`` seconds none is begun
    any more, and those left count as not made.
    """
    look = Look(now=now, deep=deep)
    wanted = [check for check in CHECKS if check.name in only or not only]
    began = time.perf_counter()
    results: list[Result] = []
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        # Inside somebody's transaction it sees what that sees.
        level = "ISOLATION LEVEL REPEATABLE READ, READ ONLY" if outermost else "READ ONLY"
        cursor.execute(f"SET TRANSACTION {level}")
        for check in wanted:
            if check.only_deep and not deep and check.name not in only:
                continue
            if ends_after is not None and time.perf_counter() - began > ends_after:
                results.append(Result(check, Status.FAILED, error="There was no time left for it."))
                continue
            results.append(_make(check, look))
        # Nothing was written, and a savepoint of somebody's must be able to write again.
        transaction.set_rollback(True)
    return Report(at=now, deep=deep, seconds=time.perf_counter() - began, results=results)


def _make(check: Check, look: Look) -> Result:
    began = time.perf_counter()
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                seconds = STATEMENT_SECONDS * (10 if look.deep else 1)
                cursor.execute(f"SET LOCAL statement_timeout = '{seconds}s'")
            rows, more = _first(check, look)
    except (Error, InterfaceError, OSError) as error:
        logger.warning("check_not_made", check=check.name, error=type(error).__name__)
        return Result(
            check,
            Status.FAILED,
            seconds=time.perf_counter() - began,
            # What the database says may quote a customer's words.
            error=type(error).__name__,
        )
    return Result(
        check,
        Status.FOUND if rows else Status.CLEAN,
        count=len(rows),
        capped=more,
        rows=rows[:SHOWN],
        seconds=time.perf_counter() - began,
    )


def _first(check: Check, look: Look) -> tuple[list[Row], bool]:
    """The rows found, ``MOST`` at most, and whether there are more."""
    found = iter(check.find(look))
    rows = list(islice(found, MOST))
    return rows, next(found, None) is not None
