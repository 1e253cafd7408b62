"""Writes ``docs/settings.md`` from what is declared: ``python -m helpdesk.reference``."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from helpdesk.declared import FAMILIES, SETTINGS
from helpdesk.environment import Family, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

_HEAD = """# Settings

<!-- Written by `python -m helpdesk.reference` from helpdesk/declared.py. -->

Everything about an installation that is not configured under `/admin/` comes from the environment.
A variable that is empty counts as not set. What is wrong is said when a process starts, all of it
at once and a line each, and nothing starts.

**Required** are those that production does not start without. **By file** are those that may stand
in a file instead: `SECRET_KEY_FILE=/run/secrets/secret_key` reads the secret from there, as Docker
and Kubernetes hand them out (white space around it does not count). A file that cannot be read or is
empty stops the start, and so does giving both.

In production the start is refused, too, on a `SECRET_KEY` that is short, simple, an example's or the
one that development made; on passwords that everybody tries first; on the demo's mail domain; on
`DEBUG`; and on a base address by plain http that is not this machine's own.
"""

_FOOT = """
## Other variables

`HELPDESK_DATA_DIR`, `HELPDESK_ENV`, `DATABASE_URL` and `REDIS_URL` are also read by `manage.py`
before any setting, which starts the embedded servers where none are named. `CHROMIUM` names the
browser of the tests and of `make screenshots`. The image sets `HELPDESK_ENV=production` and
`HELPDESK_DATA_DIR=/data`.
"""


def rendered() -> str:
    """The page as it should stand in ``docs/``."""
    parts = [_HEAD]
    for section, each in groupby(SETTINGS, key=lambda setting: setting.section):
        parts.append(
            f"\n## {section}\n\n| setting | meaning | kind | default | |\n|---|---|---|---|---|\n"
        )
        parts += map(_row, each)
        parts += [_family_row(family) for family in FAMILIES if family.section == section]
    return "".join([*parts, _FOOT])


def _row(setting: Setting[Any]) -> str:
    marks = [
        *(["**required**"] if setting.required else []),
        *(["secret"] if setting.secret else []),
        *(["by file"] if setting.from_file else []),
    ]
    cells = (
        f"`{setting.name}`",
        _sentence(setting.meaning),
        setting.kind.words,
        setting.otherwise or _shown(setting.default),
        ", ".join(marks),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _family_row(family: Family) -> str:
    return f"| `{family.prefix}…` | {_sentence(family.meaning)} | text | – | secret, by file |\n"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "`1`" if default else "`0`"
    if default in ("", None, [], {}):
        return "–"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
