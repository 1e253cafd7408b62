"""The benchmarks run, say what they measured, and two runs can be compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import compare, figures

ROOT = Path(__file__).resolve().parent.parent.parent
SAYS = {
    "name", "size", "median", "p95", "unit", "better", "sql", "memory", "runs", "commit", "load",
    "at",
}  # fmt: skip


@pytest.mark.slow
def test_a_small_run_says_each_figure_of_the_pages_as_a_line_of_json() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HELPDESK_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY"))
    }
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "--sizes", "200", "--quick", "--only", "pages"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    said = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [figure["name"] for figure in said] == [
        "load", "triage page", "triage list of 50", "view counts", "ticket with 30 messages",
        "offers", "lead's list", "web worker",
    ]  # fmt: skip
    assert all(figure.keys() == SAYS and figure["size"] == 200 for figure in said)
    assert all(0 < figure["median"] <= figure["p95"] for figure in said)
    assert all(figure["sql"] for figure in said[1:-1])


def test_the_median_and_the_worst_twentieth_are_told() -> None:
    figure = figures.of("a page", 10, [float(took) for took in range(1, 101)], "ms")
    assert (figure.median, figure.p95, figure.runs) == (50, 95, 100)


def test_of_rates_the_lowest_are_the_worst() -> None:
    figure = figures.of("a rate", 10, [5, 1, 4, 2, 3], "a second", better="higher")
    assert (figure.median, figure.p95) == (3, 1)


def test_a_comparison_shows_ratios_and_marks_what_got_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, now = tmp_path / "base.jsonl", tmp_path / "now.jsonl"
    base.write_text(_file(page=20, rate=100, gone=1))
    now.write_text(_file(page=30, rate=120, new=1))
    assert compare.main([str(base), str(now)]) == 0
    table = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "1.50" in table["page"]
    assert table["page"].endswith("worse")
    assert "1.20" in table["rate"]
    assert not table["rate"].endswith("worse")
    assert "new" in table["new"]
    assert "not measured now" in table["gone"]


def test_a_comparison_with_no_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["nowhere.jsonl", "nothing.jsonl"]) == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def _file(**medians: float) -> str:
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "size": 10,
            "median": median,
            "unit": "ms",
            "better": "higher" if name == "rate" else "lower",
        }
        for name, median in medians.items()
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)
