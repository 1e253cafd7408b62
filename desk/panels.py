"""A ticket's escalations as its page shows them: those that are open, and what is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from desk.eventwords import Book, name_of
from escalation import authority, paths, procedures, reviewing, withdrawing
from escalation.cases import Case
from escalation.checklist import Item, checklists_of
from escalation.models import Escalation, Handoff, Review
from escalation.models.escalation import State
from escalation.paths import PathEntry
from staff.models import Team, User
from training.models import ProcedureVersion


@dataclass(frozen=True, slots=True)
class EscalationPanel:
    """An escalation, where it is on its path, its checklist, and what this person may do.

    ``opened_by`` is empty for a rule; ``missing`` names what it lacks, ``asked_back`` what the
    receiver misses.
    """

    escalation: Escalation
    handoff: Handoff
    opened_by: str
    missing: tuple[str, ...]
    asked_back: tuple[str, ...]
    path: tuple[PathEntry, ...]
    checklist: tuple[Item, ...]
    #: The version it was opened under, which its checklist is of.
    procedure: ProcedureVersion | None
    may_answer: bool
    may_end: bool
    may_withdraw: bool
    may_lead: bool
    #: Who may be named as its owner, by whoever may name one.
    owners: tuple[User, ...]
    #: Until when it is undone without a word; None for all but who has just escalated.
    undo_until: datetime | None

    @property
    def is_offered(self) -> bool:
        return self.escalation.state == State.OFFERED

    @property
    def is_accepted(self) -> bool:
        return self.escalation.state == State.ACCEPTED

    @property
    def is_returned(self) -> bool:
        return self.escalation.state == State.RETURNED

    @property
    def items_done(self) -> int:
        return sum(1 for item in self.checklist if item.done)


@dataclass(frozen=True, slots=True)
class PastEscalation:
    """An escalation that is over, what a lead said of it, and whether this person may."""

    escalation: Escalation
    team: Team
    review: Review | None
    may_review: bool


def panels(case: Case, user: User, book: Book, now: datetime) -> tuple[EscalationPanel, ...]:
    escalations = case.open_escalations
    if not escalations:
        return ()
    lists = checklists_of(
        escalations=escalations,
        ticket=case.ticket,
        gathered=case.gathered,
        edition=case.roster.edition,
        language=user.language,
    )
    return tuple(
        _panel(case, escalation, lists[escalation.pk], user, book, now)
        for escalation in escalations
    )


def _panel(
    case: Case,
    escalation: Escalation,
    checklist: tuple[Item, ...],
    user: User,
    book: Book,
    now: datetime,
) -> EscalationPanel:
    handoff = case.current(escalation)
    may_withdraw = authority.may_withdraw(escalation=escalation, user=user)
    return EscalationPanel(
        escalation=escalation,
        handoff=handoff,
        opened_by=name_of(book, escalation.opened_by_id) if escalation.opened_by_id else "",
        missing=tuple(book.detail(key) for key in escalation.missing),
        asked_back=tuple(book.detail(key) for key in handoff.missing),
        path=tuple(paths.entries(case=case, handoff=handoff)),
        checklist=checklist,
        procedure=procedures.version_of(escalation, edition=case.roster.edition),
        may_answer=authority.may_answer(
            case=case, escalation=escalation, handoff=handoff, user=user
        ),
        may_end=authority.may_end(case=case, escalation=escalation, handoff=handoff, user=user),
        may_withdraw=may_withdraw,
        may_lead=authority.may_lead(case=case, handoff=handoff, user=user),
        owners=owners(case=case, escalation=escalation, user=user),
        undo_until=escalation.opened_at + withdrawing.UNDO
        if may_withdraw and withdrawing.can_undo(escalation, now)
        else None,
    )


def owners(*, case: Case, escalation: Escalation, user: User) -> tuple[User, ...]:
    """Whom this person may name as the escalation's owner; nobody for all but its leads."""
    handoff = case.current(escalation)
    if not authority.may_name(case=case, handoff=handoff, user=user):
        return ()
    return tuple(
        sorted(
            (
                person
                for person in case.roster.users.values()
                if person.pk != escalation.owner_id
                and case.roster.is_here(person.pk)
                and authority.may_answer(
                    case=case, escalation=escalation, handoff=handoff, user=person
                )
            ),
            key=lambda person: person.name,
        )
    )


def past(case: Case, user: User) -> tuple[PastEscalation, ...]:
    """What is over, the newest first."""
    over = [escalation for escalation in case.escalations if not escalation.is_open]
    return tuple(
        PastEscalation(
            escalation=hop.escalation,
            team=hop.to_team,
            review=getattr(hop.escalation, "review", None),
            may_review=authority.may_lead(case=case, handoff=hop, user=user),
        )
        for hop in sorted(reviewing.last_hops(over), key=lambda hop: -hop.escalation_id)
    )
