from __future__ import annotations


def number(text: str | None) -> int | None:
    """The number an address says, or None for what is none (or would not fit a bigint)."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return int(text)
