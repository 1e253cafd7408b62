"""What an installation is given to learn: the procedure for escalations, in every language we have."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib.resources import files

from training import versions
from training.course import ESCALATION
from training.models import Procedure


def shipped_texts(*, now: datetime) -> dict[str, str]:
    """The procedure we ship, by language, in force from today and to be looked at in a year."""
    today, in_a_year = now.date(), (now + timedelta(days=365)).date()
    texts = {}
    for file in sorted(
        files("training").joinpath("procedures", ESCALATION).iterdir(), key=lambda file: file.name
    ):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"^effective: .*$", f"effective: {today}", text, count=1, flags=re.MULTILINE)
        text = re.sub(
            r"^review_by: .*$", f"review_by: {in_a_year}", text, count=1, flags=re.MULTILINE
        )
        texts[file.name.removesuffix(".md")] = text
    return texts


def load_defaults(*, now: datetime) -> int:
    """Publish the procedure we ship where there is none; returns how many were added."""
    if Procedure.objects.filter(slug=ESCALATION).exists():
        return 0
    version = versions.write(texts=shipped_texts(now=now), by=None, now=now)
    assert version is not None, "a new procedure has no version that says the same"
    versions.publish(version_id=version.pk, by=None, now=now)
    return 1
