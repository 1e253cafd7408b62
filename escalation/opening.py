"""An escalation begins: the record, the offer with its package, the promise, the letter.

Persons (``lifecycle.escalate``) and rules (``review``) come through here alike, for one
ticket or for a batch; nothing in this module asks the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from escalation import clocks, followups, letters, packages, paths, promises, targets
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff
from escalation.models.escalation import HandoffOutcome, Kind, State, Trigger
from escalation.models.promise import PromiseKind
from escalation.packages import Materials
from escalation.targets import Destination
from notifications.values import moment
from staff import setwise
from staff.durations import Duration
from tickets.models import Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, by whom, and why; texts are a person's own words.

    ``promised`` is the time to tell the customer instead of the policy's; ``ask_customer``
    asks for missing details in the same letter. ``training_override`` says why somebody escalates
    who has not completed the procedure that the policy requires.
    """

    kind: Kind
    trigger: Trigger
    nature: str
    urgency: int
    reason: str = ""
    tried: str = ""
    ask: str = ""
    rule_key: str = ""
    path_key: str | None = None
    override_reason: str = ""
    training_override: str = ""
    ask_customer: bool = False
    promised: datetime | None = None
    note_to_customer: str = ""


def open_escalation(
    *,
    case: Case,
    ledger: Ledger,
    request: Request,
    destination: Destination,
    materials: Materials,
) -> Escalation:
    """Open an escalation, offer it, and tell the customer when to expect word.

    The ticket is held from now on: it can be neither resolved nor closed before the
    escalation ends.
    """
    ticket = case.ticket
    missing = case.gathered.missing
    escalation = setwise.new(
        Escalation,
        ticket=ticket,
        kind=request.kind,
        number=case.next_number(request.kind),
        trigger=request.trigger,
        rule_key=request.rule_key,
        nature=request.nature,
        urgency=request.urgency,
        reason=request.reason,
        tried=request.tried,
        ask=request.ask,
        state=State.OFFERED,
        policy_version=case.policy_version,
        procedure_version_id=case.procedure.pk if case.procedure else None,
        incomplete=bool(missing),
        missing=[detail.key for detail in missing],
        override_reason=request.override_reason,
        opened_at=ledger.now,
        opened_by=ledger.by,
        hops=0,
    )
    case.escalations.append(escalation)
    ledger.add(escalation)
    ledger.hold(ticket, True)
    handoff = offer(
        case=case,
        ledger=ledger,
        escalation=escalation,
        destination=destination,
        materials=materials,
        path_key=request.path_key,
    )
    if tells_the_customer(request):
        _promise(case, ledger, escalation, handoff, request)
    followups.check_progress(case=case, ledger=ledger, escalation=escalation)
    return escalation


def tells_the_customer(request: Request) -> bool:
    """Whether the customer hears of it: always, but for authority they did not ask for."""
    return request.kind == Kind.FUNCTIONAL or request.trigger == Trigger.CUSTOMER


def expected_by(*, case: Case, destination: Destination, now: datetime) -> datetime:
    """The time the customer would be told if the ticket were escalated there now."""
    return promises.due_at(
        target=promises.target_of(case),
        since=now,
        team_time=case.roster.time_of(destination.team),
        plan_time=case.roster.plan_time(case.ticket),
        rounding=case.policy.promises.round_up_to,
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """Who really gets an offer, and until when it has to be accepted.

    ``called``: the team is closed, so that a person is called on. For them time passes on the
    wall: a path that waited for the team to open would let the promise break in silence.
    """

    destination: Destination
    acceptance: Duration
    accept_by: datetime
    called: bool


def terms(*, case: Case, destination: Destination, now: datetime) -> Terms:
    """The terms of an offer to whom a person or a rule chose; a closed team has a stand-in."""
    roster = case.roster
    target = case.policy.targets_for(plan=case.plan, priority=case.ticket.priority).acceptance
    accept_by = target.after(now, roster.time_of(destination.team))
    reached = targets.when_closed(
        case=case,
        destination=destination,
        before=min(accept_by, expected_by(case=case, destination=destination, now=now)),
    )
    called = reached.user is not None and destination.user is None
    acceptance = target.on_the_wall if called else target
    return Terms(
        destination=reached,
        acceptance=acceptance,
        accept_by=acceptance.after(now, roster.time_of(reached.team)),
        called=called,
    )


def offer(
    *,
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    destination: Destination,
    materials: Materials,
    path_key: str | None = None,
    note: str = "",
) -> Handoff:
    """Hand an escalation to a team, or one of its people, with its package."""
    now, ticket, roster = ledger.now, case.ticket, case.roster
    agreed = terms(case=case, destination=destination, now=now)
    destination = agreed.destination
    hops = case.hops(escalation)
    before = hops[-1] if hops else None
    handoff = setwise.new(
        Handoff,
        escalation=escalation,
        number=escalation.hops + 1,
        from_team=before.to_team if before is not None else ticket.team,
        to_team=destination.team,
        to_user=destination.user,
        offered_at=now,
        offered_by=ledger.by,
        accept_by=agreed.accept_by,
        path=paths.plan(case=case, key=path_key, on_the_wall=agreed.called),
        package=packages.pack(
            ticket=ticket, escalation=escalation, gathered=case.gathered, materials=materials
        ),
        note=note,
        outcome=HandoffOutcome.PENDING,
    )
    ledger.change(escalation, state=State.OFFERED, owner_id=None, hops=escalation.hops + 1)
    ledger.add(handoff)
    hops.append(handoff)
    clocks.start_acceptance(case=case, ledger=ledger, handoff=handoff, target=agreed.acceptance)
    ledger.notice(
        key=f"{escalation.key}:{handoff.number}:offered",
        to=paths.receivers(handoff=handoff, roster=roster),
        kind="staff_offer",
        ticket=ticket,
        by=ledger.by.name if ledger.by else "",
        team=destination.team.name,
        tier=destination.team.tier.name,
        accept_by=moment(handoff.accept_by),
        reason=escalation.reason,
        ask=escalation.ask,
    )
    ledger.event(
        ticket,
        "escalated" if handoff.number == 1 else "offered",
        kind=escalation.kind,
        trigger=escalation.trigger,
        rule=escalation.rule_key,
        number=escalation.number,
        handoff=handoff.number,
        team=destination.team.pk,
        to=destination.user.pk if destination.user else None,
    )
    return handoff


def _promise(
    case: Case, ledger: Ledger, escalation: Escalation, handoff: Handoff, request: Request
) -> None:
    target = promises.target_of(case)
    promise = promises.make(
        case=case,
        ledger=ledger,
        kind=PromiseKind.REPLY,
        due=request.promised
        or expected_by(
            case=case, destination=Destination(handoff.to_team, handoff.to_user), now=ledger.now
        ),
        target=str(target),
        escalation=escalation,
    )
    asked = case.gathered.missing if request.ask_customer or ledger.by is None else ()
    for detail in asked:
        if detail.key not in case.gathered.asked:
            ledger.add(
                Detail(
                    ticket=case.ticket,
                    key=detail.key,
                    asked_at=ledger.now,
                    created_at=ledger.now,
                )
            )
    ledger.letter(
        letters.escalated(
            escalation=escalation,
            ticket=case.ticket,
            handoff=handoff,
            promise=promise,
            missing=asked,
            note=request.note_to_customer,
            not_before=ledger.now + letters.UNDO if ledger.by is not None else None,
        )
    )
