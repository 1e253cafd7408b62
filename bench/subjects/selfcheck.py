"""The self-check: every promise that can be counted, as it is made once a day."""

from __future__ import annotations

from collections.abc import Iterator

from bench import figures
from bench.desk import Desk, statements
from bench.figures import Figure
from desk.selfcheck import running


def measure(desk: Desk) -> Iterator[Figure]:
    def check() -> None:
        report = running.run(now=desk.as_of)
        assert report.failed == 0, [each.error for each in report.results if each.error]

    took = [each / 1000 for each in figures.milliseconds(check, runs=desk.runs(5), warm=1)]
    yield figures.of("selfcheck", desk.size, took, "s", sql=statements(check))
