"""What would happen if one escalated now: the letter, the time, the path. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from escalation import letters, opening, paths, promises
from escalation.cases import Case
from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import State
from escalation.opening import Request
from escalation.paths import PathEntry
from escalation.targets import Destination
from notifications import rendering
from notifications.rendering import Rendered
from tickets.addressing import addressing_many


@dataclass(frozen=True, slots=True)
class Preview:
    """The escalate panel's outlook; ``letter`` is None where the customer is not told."""

    destination: Destination
    expected_by: datetime
    accept_by: datetime
    path: tuple[PathEntry, ...]
    letter: Rendered | None


def preview(*, case: Case, request: Request, destination: Destination, now: datetime) -> Preview:
    """Look ahead: to whom it would go, what the customer would read, who is asked next."""
    ticket = case.ticket
    agreed = opening.terms(case=case, destination=destination, now=now)
    destination = agreed.destination
    expected_by = request.promised or opening.expected_by(
        case=case, destination=destination, now=now
    )
    escalation = Escalation(
        ticket=ticket,
        kind=request.kind,
        number=case.next_number(request.kind),
        state=State.OFFERED,
        opened_at=now,
    )
    handoff = Handoff(
        escalation=escalation,
        number=1,
        to_team=destination.team,
        to_user=destination.user,
        offered_at=now,
        accept_by=agreed.accept_by,
        path=paths.plan(case=case, key=request.path_key, on_the_wall=agreed.called),
    )
    return Preview(
        destination=destination,
        expected_by=expected_by,
        accept_by=agreed.accept_by,
        path=tuple(paths.entries(case=case, handoff=handoff)),
        letter=_letter(case, request, escalation, handoff, expected_by, now),
    )


def _letter(
    case: Case,
    request: Request,
    escalation: Escalation,
    handoff: Handoff,
    expected_by: datetime,
    now: datetime,
) -> Rendered | None:
    if not opening.tells_the_customer(request):
        return None
    promise = Promise(
        ticket=case.ticket,
        number=1,
        due_at=expected_by,
        made_at=now,
        target=str(promises.target_of(case)),
    )
    draft = letters.escalated(
        escalation=escalation,
        ticket=case.ticket,
        handoff=handoff,
        promise=promise,
        missing=case.gathered.missing if request.ask_customer else (),
        note=request.note_to_customer,
    )
    to = addressing_many(tickets=[case.ticket])[case.ticket.pk]
    return rendering.preview(
        template=draft.template,
        language=to.language,
        zone=to.zone,
        variables=letters.variables_of(draft, to),
        now=now,
        thread_subject=to.thread_subject,
    )
