"""Compare two runs: ``python -m bench.compare BASE NOW`` prints name, base, now and their ratio."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Key = tuple[str, int]


def read(path: Path) -> dict[Key, dict[str, Any]]:
    """The figures of a file, by name and size; of several the last."""
    found: dict[Key, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            figure = json.loads(line)
            found[figure["name"], figure["size"]] = figure
    return found


def lines(base: dict[Key, dict[str, Any]], now: dict[Key, dict[str, Any]]) -> list[str]:
    """A table; what is more than a tenth worse has a mark."""
    told = [f"{'name':36} {'size':>8} {'base':>10} {'now':>10} {'ratio':>6}"]
    for (name, size), figure in now.items():
        before = base.get((name, size))
        if before is None:
            told.append(f"{name:36} {size:>8} {'–':>10} {figure['median']:>10} {'new':>6}")
            continue
        ratio = figure["median"] / before["median"] if before["median"] else float("nan")
        worse = ratio > 1.1 if figure["better"] == "lower" else ratio < 0.9
        told.append(
            f"{name:36} {size:>8} {before['median']:>10} {figure['median']:>10} {ratio:>6.2f}"
            f" {figure['unit']}{'  worse' if worse else ''}"
        )
    told += [
        f"{name:36} {size:>8}  not measured now" for name, size in base if (name, size) not in now
    ]
    return told


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    base, now = (Path(each) for each in arguments)
    for path in (base, now):
        if not path.is_file():
            print(f"There is no file {path}; make bench writes one.", file=sys.stderr)
            return 2
    print("\n".join(lines(read(base), read(now))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
