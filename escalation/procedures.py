"""Which version of the procedure escalations follow: read once an edition, as the policy is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from escalation.models import Escalation
from staff.editions import Edition
from training.models import ProcedureVersion


@dataclass(frozen=True, slots=True)
class InForce:
    """A published version, without its texts, and since when it is in force."""

    pk: int
    slug: str
    number: int
    since: datetime


def in_force(*, edition: Edition, slug: str, now: datetime) -> InForce | None:
    """The version of a procedure that is in force at a moment, or None where there is none."""
    published: dict[str, list[InForce]] = edition.keep("procedures in force", _published)
    return next((each for each in published.get(slug, ()) if each.since <= now), None)


def versions(*, edition: Edition, ids: Collection[int]) -> dict[int, ProcedureVersion]:
    """Versions with their texts: one object for each, so that a text is parsed once."""
    kept: dict[int, ProcedureVersion] = edition.keep("procedure versions", dict)
    if unread := set(ids) - kept.keys():
        kept |= ProcedureVersion.objects.select_related("procedure").in_bulk(unread)
    return kept


def version_of(escalation: Escalation, *, edition: Edition) -> ProcedureVersion | None:
    """The version an escalation was opened under; None where there was none."""
    pk = escalation.procedure_version_id
    return None if pk is None else versions(edition=edition, ids=(pk,))[pk]


def _published() -> dict[str, list[InForce]]:
    """What was ever published, by procedure, the newest first."""
    found: dict[str, list[InForce]] = {}
    for pk, slug, number, since in (
        ProcedureVersion.objects.published()
        .order_by("-number")
        .values_list("pk", "procedure__slug", "number", "effective_at")
    ):
        assert since is not None, "what is published is in force from a moment on"
        found.setdefault(slug, []).append(InForce(pk, slug, number, since))
    return found
