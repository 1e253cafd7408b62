"""Which items of the procedure's checklist are missed in real escalations, for who leads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from escalation.checklist import Subject, checklists
from escalation.models import Escalation
from escalation.models.escalation import State
from escalation.sight import in_sight_of
from staff import editions
from staff.models import User
from tickets.gathering import gathered_many
from tickets.models.ticket import Status
from training.models import ProcedureVersion

#: How far back it looks, and at how many at most, the newest first.
LATELY: Final = timedelta(days=90)
MOST: Final = 300


@dataclass(frozen=True, slots=True)
class Missed:
    """An item of the checklist, in how many of the escalations that had it it was never done."""

    key: str
    text: str
    step: str
    missed: int
    of: int

    @property
    def percent(self) -> int:
        """The share that missed it, rounded down, so that only all of them are 100."""
        return self.missed * 100 // self.of if self.of else 0


def most_missed(*, version: ProcedureVersion, user: User, now: datetime) -> Sequence[Missed]:
    """The items of a version, those missed most often first, in a fixed number of queries.

    Counted are the resolved escalations of tickets this person may open that were closed lately, not
    those that were withdrawn or whose need was gone; what a version of then called by the same key
    is the same item.
    """
    escalations = list(
        Escalation.objects.filter(
            ticket__in=in_sight_of(user),
            state=State.RESOLVED,
            ticket__status=Status.CLOSED,
            ticket__closed_at__gt=now - LATELY,
            procedure_version__procedure=version.procedure_id,
        )
        .select_related("ticket")
        .order_by("-ticket__closed_at", "-pk")[:MOST]
    )
    edition = editions.current()
    tickets = {escalation.ticket_id: escalation.ticket for escalation in escalations}
    gathered = gathered_many(list(tickets.values()), edition=edition)
    lists = checklists(
        subjects=[Subject(each, each.ticket, gathered[each.ticket_id]) for each in escalations],
        edition=edition,
        language=user.language,
    )
    had = Counter(item.key for items in lists.values() for item in items)
    missed = Counter(item.key for items in lists.values() for item in items if not item.done)
    return sorted(
        (
            Missed(item.key, item.text, item.step, missed[item.key], had[item.key])
            for item in version.course(user.language).checklist
        ),
        key=lambda each: (-each.percent, -each.missed),
    )
