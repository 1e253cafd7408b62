"""Which steps of a version somebody is asked about: all of them, or those that changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.models import Completion, ProcedureVersion


class Scopes:
    """Which steps of a version people are asked about, by what they passed last; in one query."""

    def __init__(self, version: ProcedureVersion) -> None:
        self._number = version.number
        self._changed: Mapping[int, Sequence[str]] = dict(
            ProcedureVersion.objects.published()
            .filter(procedure_id=version.procedure_id)
            .order_by("number")
            .values_list("number", "changed_steps")
        )

    def after(self, completion: Completion | None) -> list[str]:
        """The steps changed since; empty, it is all of them: so some version's author says, or
        nothing was passed that counts, or what was passed is this version itself."""
        if completion is None or completion.version.number == self._number:
            return []
        since = [
            changed
            for number, changed in self._changed.items()
            if completion.version.number < number <= self._number
        ]
        if not all(since):
            return []
        return sorted({step for changed in since for step in changed})
