"""What a lead does for the team: name who takes an offer on, or who goes on with the work."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import authority, gate, lifecycle, targets
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import State
from escalation.policyspec import Act
from staff.models import User
from tickets.errors import Refused


@transaction.atomic
def accept_for(
    *,
    escalation_id: int,
    owner_id: int,
    first_step: str = "",
    training_override: str = "",
    now: datetime,
    by: User,
) -> Escalation:
    """Accept what is offered to the team for one of its people; they and the customer are told.

    Raises ``Escalation.DoesNotExist``; ``WrongState`` when it is not offered any more;
    ``NotAllowed`` for anybody but the team's leads and those above; ``Refused`` for somebody who
    could not accept it themselves, or is away; ``CompletionNeeded`` where it is they who lack it.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.OFFERED)
    _must_name(case, handoff, by)
    owner = _person(case, owner_id)
    if not authority.may_answer(case=case, escalation=escalation, handoff=handoff, user=owner):
        raise Refused(
            _("This is offered to %(whom)s.") % {"whom": handoff.to_user or handoff.to_team},
            field="owner",
        )
    gate.check_completion(
        case=case, ledger=ledger, act=Act.ACCEPT, who=owner, override=training_override
    )
    lifecycle.take_on(
        case=case,
        ledger=ledger,
        escalation=escalation,
        handoff=handoff,
        owner=owner,
        first_step=first_step,
    )
    _tell(ledger, escalation, case, handoff, owner=owner, people=[owner])
    ledger.flush(ring=True)
    return escalation


@transaction.atomic
def reassign(
    *, escalation_id: int, owner_id: int, training_override: str = "", now: datetime, by: User
) -> Escalation:
    """Give accepted work to somebody else of the same team; both are told, the promise stays.

    Raises ``WrongState`` when it is not accepted, ``NotAllowed``, and ``Refused`` for somebody
    of another team, who is away, or who has it already; ``CompletionNeeded`` as for who accepts.
    """
    case, ledger, escalation = authority.open(escalation_id, now, by)
    handoff = authority.expect(case, escalation, State.ACCEPTED)
    _must_name(case, handoff, by)
    owner, before = _person(case, owner_id), escalation.owner
    if not targets.may_receive(roster=case.roster, team=handoff.to_team, user=owner):
        raise Refused(_("Choose somebody of this team."), field="owner")
    if owner == before:
        raise Refused(_("%(name)s has it already.") % {"name": owner.name}, field="owner")
    gate.check_completion(
        case=case, ledger=ledger, act=Act.ACCEPT, who=owner, override=training_override
    )
    ledger.change(escalation, owner_id=owner.pk)
    ledger.event(
        case.ticket,
        "reassigned",
        escalation=escalation.pk,
        handoff=handoff.pk,
        owner=owner.pk,
        before=before.pk if before is not None else None,
    )
    _tell(
        ledger,
        escalation,
        case,
        handoff,
        owner=owner,
        people=[owner, *([before] if before is not None else [])],
    )
    ledger.flush(ring=True)
    return escalation


def _must_name(case: Case, handoff: Handoff, by: User) -> None:
    if not authority.may_name(case=case, handoff=handoff, user=by):
        raise authority.NotAllowed(
            _("Only a lead of %(team)s can do this.") % {"team": handoff.to_team}
        )


def _person(case: Case, user_id: int) -> User:
    person = case.roster.users.get(user_id)
    if person is None:
        raise Refused(_("Choose somebody who works here."), field="owner")
    if not case.roster.is_here(user_id):
        raise Refused(_("%(name)s is away.") % {"name": person.name}, field="owner")
    return person


def _tell(
    ledger: Ledger,
    escalation: Escalation,
    case: Case,
    handoff: Handoff,
    *,
    owner: User,
    people: list[User],
) -> None:
    """Nobody is told of what they have just done themselves."""
    by = ledger.by
    ledger.notice(
        key=f"{escalation.key}:{handoff.number}:owner:{ledger.now:%Y%m%dT%H%M%S.%f}",
        to=[person for person in people if person != by],
        kind="staff_owner_named",
        ticket=case.ticket,
        owner=owner.name,
        by=by.name if by else "",
        team=handoff.to_team.name,
    )
