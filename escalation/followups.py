"""Follow-ups: reminding whom they belong to, when they fall due."""

from __future__ import annotations

from datetime import datetime

from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation
from escalation.promises import answers_for
from notifications.values import Value, moment, phrase
from staff import setwise
from staff.durations import Duration, parse_duration
from staff.models import User
from tickets.models import FollowUp
from tickets.models.followup import FollowUpKind

MISSED_COUNTED = 1000
"""Where counting the reminders an outage swallowed stops."""


def check_progress(*, case: Case, ledger: Ledger, escalation: Escalation) -> None:
    """The assignee's reminder to see how an escalation is going, every so often."""
    every = case.policy.follow_ups.progress_every
    _add(
        case=case,
        ledger=ledger,
        escalation=escalation,
        kind=FollowUpKind.PROGRESS,
        due_at=every.after(ledger.now, case.own_time),
        every=every,
    )


def confirm_with_the_customer(*, case: Case, ledger: Ledger, escalation: Escalation) -> None:
    """The assignee's task once an escalation is resolved: now, and again until it is done."""
    _add(
        case=case,
        ledger=ledger,
        escalation=escalation,
        kind=FollowUpKind.CONFIRM,
        due_at=ledger.now,
        every=case.policy.follow_ups.confirm_after,
    )


def drive(*, case: Case, ledger: Ledger) -> list[datetime]:
    """Remind of what is due; returns the moments to come.

    A repeating reminder that was missed fires once and records how often it was missed.
    """
    coming: list[datetime] = []
    for follow_up in case.follow_ups:
        if not follow_up.is_open or _has_fired(follow_up):
            continue
        if follow_up.due_at <= ledger.now:
            _fire(case, ledger, follow_up)
        if not _has_fired(follow_up):
            coming.append(follow_up.due_at)
    return coming


def receiver_of(follow_up: FollowUp, case: Case) -> User | None:
    """Whom it belongs to: the person named, else the assignee; in an absence the backup."""
    person = case.roster.here_or_backup(follow_up.user_id)
    return person if person is not None else answers_for(case)


def what_of(follow_up: FollowUp) -> Value:
    """What there is to do, in the person's own words or in the reader's language."""
    if follow_up.text:
        return follow_up.text
    match follow_up.kind:
        case FollowUpKind.PROGRESS:
            return phrase("check_progress")
        case FollowUpKind.CONFIRM:
            return phrase("confirm_with_the_customer")
        case FollowUpKind.NOT_TOLD:
            return phrase("customer_not_told")
        case FollowUpKind.PHONE:
            return phrase("phone_the_customer")
        case FollowUpKind.RETURNED if follow_up.user_id is not None:
            return phrase("lead_offer_it_again")
        case FollowUpKind.RETURNED:
            return phrase("offer_it_again")
        case _:
            return ""


def _add(
    *,
    case: Case,
    ledger: Ledger,
    escalation: Escalation,
    kind: FollowUpKind,
    due_at: datetime,
    every: Duration,
) -> None:
    follow_up = setwise.new(
        FollowUp,
        ticket=case.ticket,
        kind=kind,
        key=f"{escalation.key}:{kind}",
        about=escalation.key,
        due_at=due_at,
        every=str(every),
        created_at=ledger.now,
        created_by=ledger.by,
    )
    ledger.add(follow_up)
    case.follow_ups.append(follow_up)


def _has_fired(follow_up: FollowUp) -> bool:
    return follow_up.fired_at is not None and not follow_up.every


def _fire(case: Case, ledger: Ledger, follow_up: FollowUp) -> None:
    due_at, missed = follow_up.due_at, 0
    if follow_up.every:
        every = parse_duration(follow_up.every)
        due_at = every.after(due_at, case.own_time)
        while due_at <= ledger.now and missed < MISSED_COUNTED:
            due_at = every.after(due_at, case.own_time)
            missed += 1
        if due_at <= ledger.now:
            due_at = every.after(ledger.now, case.own_time)
    ledger.notice(
        key=f"{follow_up.key}:{follow_up.fired_count}",
        to=(receiver_of(follow_up, case),),
        kind="staff_follow_up",
        ticket=case.ticket,
        what=what_of(follow_up),
        due=moment(follow_up.due_at),
    )
    ledger.event(case.ticket, "follow_up_fired", follow_up=follow_up.pk, kind=follow_up.kind)
    ledger.change(
        follow_up,
        due_at=due_at,
        fired_at=ledger.now,
        fired_count=follow_up.fired_count + 1,
        missed_count=follow_up.missed_count + missed,
    )
