"""A cell of the matrix as it is shown; a page has a thousand of them, and a dozen that differ."""

from __future__ import annotations

from datetime import datetime

from django.utils.functional import Promise as LazyText
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from desk import timewords
from desk.training.matrix import Cell, CellState

#: Never by colour alone: a word, a level, a symbol.
LOOKS: dict[CellState, tuple[LazyText, str, str]] = {
    CellState.OVERDUE: (_("overdue"), "bad", "alert-triangle"),
    CellState.ASKED: (_("to learn by"), "warn", "school"),
    CellState.COMPLETED: (_("completed"), "ok", "circle-check"),
    CellState.EXPIRED: (_("expired"), "idle", "history"),
}


class Cells:
    """Words cells, each kind of them once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._known: dict[tuple[CellState, str, int | None], SafeString] = {}

    def html(self, cell: Cell) -> SafeString:
        if cell.state is CellState.NONE:
            return SafeString("")
        day = timewords.day(cell.at, self.now) if cell.at else ""
        key = (cell.state, day, cell.score)
        if key not in self._known:
            self._known[key] = self._worded(cell, day)
        return self._known[key]

    def _worded(self, cell: Cell, day: str) -> SafeString:
        word, level, symbol = LOOKS[cell.state]
        if cell.state is CellState.COMPLETED:
            said = format_html(
                '<span class="visually-hidden">{}</span> {} · {} %', word, day, cell.score
            )
        else:
            said = format_html("{} {}", word, day)
        return format_html(
            '<span class="chip chip-{}"><i class="ti ti-{}" aria-hidden="true"></i>'
            "<span>{}</span></span>",
            level,
            symbol,
            said,
        )


def plain(cell: Cell) -> tuple[str, str, str]:
    """A cell's state, day (ISO 8601, in UTC) and score, for programs and spreadsheets."""
    return (
        str(cell.state),
        f"{cell.at:%Y-%m-%d}" if cell.at else "",
        "" if cell.score is None else str(cell.score),
    )
