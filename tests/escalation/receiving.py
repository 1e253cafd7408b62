"""How a team says no to what it is offered."""

from __future__ import annotations

from escalation import returning
from escalation.models import Escalation
from escalation.models.escalation import ReturnReason
from staff.models import User
from tests.house import after


def decline(
    escalation: Escalation,
    by: User,
    *,
    minutes: float = 10,
    reason_code: ReturnReason = ReturnReason.WRONG_TEAM,
    reason: str = "",
    missing: tuple[str, ...] = (),
) -> Escalation:
    return returning.decline(
        escalation_id=escalation.pk,
        reason_code=reason_code,
        reason=reason,
        missing=missing,
        now=after(minutes=minutes),
        by=by,
    )
