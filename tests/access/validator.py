"""html-validate over pages, all of them in one process of Node.

``.htmlvalidate.json`` chooses its rules: the whole HTML standard as the preset ``standard`` has it,
which knows no matters of taste (quotes, void tags, blanks at the end of a line, length of a title,
inline styles of letters), so that nothing is turned off. Four rules come on top: a page has its
doctype, no class stands twice, every element is closed where it ends, and every id that something
refers to is there. Names, labels and contrast are axe's, in ``tests/browser``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.processes import ROOT

PROGRAM = ROOT / "node_modules/html-validate/bin/html-validate.mjs"
#: Where a fragment comes to stand; what it refers to is on the page that takes it in.
AROUND_FRAGMENT = (
    '<!doctype html><html lang="en"><head><title>t</title></head><body><main>'
    "<!-- [html-validate-disable no-missing-references, no-unused-disable] -->{}</main></body></html>"
)


@dataclass(frozen=True)
class Finding:
    """What is wrong, by the name of its rule, and in which of the pages."""

    page: str
    rule: str
    message: str


def is_whole(page: str) -> bool:
    """Whether this is a page, or else a fragment that htmx puts into one."""
    return "<html" in page[:400]


def validate(pages: Iterable[tuple[str, str]]) -> list[Finding]:
    """Everything that the validator finds in pages and fragments, given with their names."""
    assert PROGRAM.exists(), "html-validate is not installed: run make setup-dev."
    with TemporaryDirectory(prefix="hdt-html-") as folder:
        names = {}
        for number, (name, page) in enumerate(pages):
            file = Path(folder, f"{number}.html")
            file.write_text(page if is_whole(page) else AROUND_FRAGMENT.format(page))
            names[str(file)] = name
        report = Path(folder, "report.json")
        rules = ROOT / ".htmlvalidate.json"
        done = subprocess.run(
            [
                Path(sys.prefix, "bin/node"),
                PROGRAM,
                "--config",
                rules,
                "-f",
                f"json={report}",
                folder,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        # 1 says that something was found; anything else, or no report, that it did not look.
        assert done.returncode in (0, 1), done.stderr
        assert report.exists(), done.stdout + done.stderr
        found: list[dict[str, Any]] = json.loads(report.read_text())
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return [
        Finding(names[file["filePath"]], message["ruleId"], message["message"])
        for file in found
        for message in file["messages"]
    ]
