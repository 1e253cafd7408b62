"""What an installation is given to learn: the procedure for escalations, in every language we have."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

from training import versions
from training.course import ESCALATION
from training.drafting import dated
from training.models import Procedure


def shipped_texts(*, now: datetime) -> dict[str, str]:
    """The procedure we ship, by language, in force from today and to be looked at in a year."""
    folder = files("training").joinpath("procedures", ESCALATION)
    return {
        file.name.removesuffix(".md"): dated(file.read_text(encoding="utf-8"), now.date())
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
    }


def load_defaults(*, now: datetime) -> int:
    """Publish the procedure we ship where there is none; returns how many were added."""
    if Procedure.objects.filter(slug=ESCALATION).exists():
        return 0
    version = versions.write(texts=shipped_texts(now=now), by=None, now=now)
    assert version is not None, "a new procedure has no version that says the same"
    versions.publish(version_id=version.pk, by=None, now=now)
    return 1
