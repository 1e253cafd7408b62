"""What a benchmark says: lines of JSON, each one figure at one size."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Literal

#: Names the file that figures are written to as well.
FILE = "BENCH_FIGURES"

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement. ``median`` and ``p95`` are in ``unit``; a rate's p95 is that of its worst runs."""

    name: str
    size: int
    median: float
    p95: float
    unit: str
    better: Better = "lower"
    #: Statements sent to the database, counted beside the measurement; None where nobody counted.
    sql: int | None = None
    #: Resident memory of the processes measured, at their peak, in MiB.
    memory: float | None = None
    #: How many measurements it is drawn from.
    runs: int = 1

    def say(self) -> None:
        """Print it, with what it was measured on."""
        line = {
            **asdict(self),
            "commit": commit(),
            "load": round(os.getloadavg()[0], 1),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        print(json.dumps(line), flush=True)
        if file := os.environ.get(FILE):
            with Path(file).open("a", encoding="utf-8") as figures:
                figures.write(json.dumps(line) + "\n")


def of(
    name: str,
    size: int,
    measured: Sequence[float],
    unit: str,
    *,
    better: Better = "lower",
    sql: int | None = None,
    memory: float | None = None,
) -> Figure:
    """The figure that some measurements make."""
    ordered = sorted(measured)
    worst = ordered if better == "lower" else ordered[::-1]
    return Figure(
        name=name,
        size=size,
        median=_rounded(quantile(ordered, 0.5)),
        p95=_rounded(quantile(worst, 0.95)),
        unit=unit,
        better=better,
        sql=sql,
        memory=None if memory is None else _rounded(memory),
        runs=len(ordered),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The measurement below which this share of them lies (nearest rank)."""
    return ordered[min(len(ordered) - 1, max(0, ceil(share * len(ordered)) - 1))]


def milliseconds(act: Callable[[], object], *, runs: int, warm: int = 3) -> list[float]:
    """How long each of some runs took, after a few that do not count."""
    for _run in range(warm):
        act()
    took = []
    for _run in range(runs):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return took


@cache
def commit() -> str:
    """The short id of what was measured, with a plus where it was changed since."""
    here = Path(__file__).resolve().parent
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _rounded(value: float) -> float:
    return round(value, 2 if value < 100 else 1)
