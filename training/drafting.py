"""What an author begins with: the version before, or a text that says what belongs where."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files

from training.frontmatter import with_front
from training.models import ProcedureVersion

_A_YEAR = timedelta(days=365)
#: What stands in place of the change note, which nobody can write but the author.
TO_BE_WRITTEN = "…"


def next_texts(version: ProcedureVersion, *, today: date) -> dict[str, str]:
    """A version's texts as the next one begins: in force from today, what changes to be written."""
    values = {"change": TO_BE_WRITTEN, "changed": "[]"}
    return {
        language: with_front(dated(text, today), values) for language, text in version.texts.items()
    }


def first_texts(language: str, *, today: date) -> dict[str, str]:
    """What a new procedure begins with, in a language that we have it in, or else in English."""
    folder = files("training").joinpath("procedures", "new")
    found = next(
        (each for each in folder.iterdir() if each.name == f"{language}.md"),
        folder.joinpath("en.md"),
    )
    text = dated(found.read_text(encoding="utf-8"), today)
    return {found.name.removesuffix(".md"): text}


def in_another_language(text: str, language: str) -> str:
    """A text to be translated: what another language says, under its own name."""
    return with_front(text, {"language": language})


def dated(text: str, today: date) -> str:
    """A text in force from today, and to be looked at in a year."""
    values = {"effective": today.isoformat(), "review_by": (today + _A_YEAR).isoformat()}
    return with_front(text, values)
