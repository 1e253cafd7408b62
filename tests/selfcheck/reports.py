"""What a self-check says, briefly."""

from __future__ import annotations

from desk.selfcheck.running import Report


def found(report: Report) -> dict[str, set[str]]:
    """What is named, by check; and why one could not be made."""
    return {
        result.check.name: {row.id for row in result.rows} | ({result.error} - {""})
        for result in report.results
        if result.count or result.error
    }
