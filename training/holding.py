"""A version that is about to change, locked with its procedure, so that all who change it take turns."""

from __future__ import annotations

from django.utils.translation import gettext as _

from staff.refusal import Refused
from training.models import Procedure, ProcedureVersion


class Gone(Refused):
    """What was to be changed was thrown away meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("It was thrown away meanwhile."))


def hold_procedure(procedure_id: int) -> Procedure:
    """Lock a procedure until the transaction ends; raises ``Gone``."""
    held = Procedure.objects.select_for_update(no_key=True).filter(pk=procedure_id).first()
    if held is None:
        raise Gone
    return held


def hold(version_id: int) -> ProcedureVersion:
    """Lock a version, after its procedure as all do; raises ``Gone``."""
    procedures = ProcedureVersion.objects.filter(pk=version_id).values_list("procedure", flat=True)
    for procedure_id in procedures:
        hold_procedure(procedure_id)
    held = (
        ProcedureVersion.objects.select_related("procedure", "submitted_by")
        .select_for_update(of=("self",))
        .filter(pk=version_id)
        .first()
    )
    if held is None:
        raise Gone
    return held
