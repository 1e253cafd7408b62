"""Compiles the translations of the pages, as ``make setup`` and the image do: ``python -m``.

Django's own command needs gettext's programs, which a bare machine has not.
"""

from __future__ import annotations

import os
from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(locale: Path = LOCALE) -> list[Path]:
    """Write a ``.mo`` beside every ``.po``, and give what was written.

    What a translator has not looked at (fuzzy) or not said stays in English.
    """
    written = []
    for source in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        # Never half a file under that name, for a process that starts meanwhile.
        draft = target.with_suffix(f".{os.getpid()}.mo")
        polib.pofile(str(source), check_for_duplicates=True).save_as_mofile(str(draft))
        draft.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_all()
