"""Measure the helpdesk on servers of its own: a line of JSON for each figure.

    .venv/bin/python -m bench --sizes 10000 100000 --only pages engine

Each size is a process of its own, with a database of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from bench import figures
from bench.installation import fill, installation

#: In this order: what comes later changes what earlier ones look at.
SUBJECTS = (
    "health",
    "pages",
    "searching",
    "selfcheck",
    "training",
    "api",
    "engine",
    "mailin",
    "letters",
    "relooks",
)
SIZES = (10_000, 100_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="TICKETS")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--quick", action="store_true", help="few runs, to try the harness")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        for size in asked.sizes:
            measure(size, asked.only, quick=asked.quick)
        return 0
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text("")
        os.environ[figures.FILE] = str(asked.out.resolve())
    failed = 0
    for size in asked.sizes:
        again = [sys.executable, "-m", "bench", "--here", "--sizes", str(size)]
        again += ["--only", *asked.only, *(["--quick"] if asked.quick else [])]
        failed |= subprocess.run(
            again, check=False, cwd=Path(__file__).resolve().parent.parent
        ).returncode
    return failed


def measure(size: int, only: list[str], *, quick: bool) -> None:
    """Load a desk of this size, and say every figure of these subjects."""
    with installation():
        from bench.desk import DUE_SHARE, MOST_DUE, Desk
        from bench.serving import server

        due = min(MOST_DUE, round(size * DUE_SHARE))
        as_of, took = fill(tickets=size, due=due)
        figures.of("load", size, [took], "s").say()
        with server() as running:
            desk = Desk(size=size, as_of=as_of, due=due, server=running, quick=quick)
            for name in SUBJECTS:
                if name in only:
                    for figure in import_module(f"bench.subjects.{name}").measure(desk):
                        figure.say()
            figures.of("web worker", size, [running.look()], "MiB", memory=running.look()).say()


if __name__ == "__main__":
    sys.exit(main())
