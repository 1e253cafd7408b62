"""A lead looks back at an escalation that is over: was it needed, and what is to be learnt?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import authority
from escalation.models import Escalation, Handoff, Review
from staff.models import User
from tickets import timeline
from tickets.errors import Refused


@transaction.atomic
def review(
    *, escalation_id: int, avoidable: bool, note: str = "", now: datetime, by: User
) -> Review:
    """Say whether an escalation that has ended could have been avoided; again says it anew.

    A lead of the team that had it last, or of the ticket's own, can; and whoever answers for
    all. Raises ``Escalation.DoesNotExist``; ``WrongState`` while it is open; ``NotAllowed``;
    ``Refused`` for one called avoidable without a word how.
    """
    case, _ledger, escalation = authority.open(escalation_id, now, by)
    if escalation.is_open:
        raise authority.WrongState(_("This escalation is still open; it is reviewed afterwards."))
    handoff = Handoff.objects.filter(escalation=escalation).latest("number")
    if not authority.may_lead(case=case, handoff=handoff, user=by):
        raise authority.NotAllowed(_("Only a lead of these teams can do this."))
    note = note.strip()
    if avoidable and not note:
        raise Refused(_("Say how it could have been avoided."), field="note")
    said, _new = Review.objects.update_or_create(
        escalation=escalation,
        defaults={"avoidable": avoidable, "note": note, "at": now, "user": by},
    )
    timeline.record(
        ticket=case.ticket,
        kind="escalation_reviewed",
        now=now,
        by=by,
        data={"escalation": escalation.pk, "avoidable": avoidable},
    )
    return said


def last_hops(escalations: Sequence[Escalation]) -> list[Handoff]:
    """The last hand-off of each that has ended, its review at hand; one query, and only for some."""
    if not escalations:
        return []
    return list(
        Handoff.objects.filter(escalation__in=escalations)
        .select_related("to_team", "escalation__review__user")
        .order_by("escalation_id", "-number")
        .distinct("escalation_id")
    )
