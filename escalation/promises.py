"""Promises: the times customers were told, driven through kept, broken and replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from escalation import letters
from escalation.cases import Case, StatusChange
from escalation.ledger import Ledger
from escalation.models import Escalation, Promise
from escalation.models.promise import PromiseKind, PromiseState
from escalation.policyspec import AutoRepromise
from notifications.models import MailState
from notifications.values import moment
from staff import setwise
from staff.businesstime import BusinessTime
from staff.durations import Duration, parse_duration
from staff.models import User
from tickets.models.ticket import Status


def due_at(
    *,
    target: Duration,
    since: datetime,
    team_time: BusinessTime,
    plan_time: BusinessTime,
    rounding: timedelta,
) -> datetime:
    """When a target falls due: the earlier of the team's and the plan's time, or wall time.

    Rounded up to the next full ``rounding`` (of the hour, in UTC), as a customer is told
    14:15 and not 14:03:27.
    """
    due = min(target.after(since, team_time), target.after(since, plan_time))
    return round_up(due, rounding)


def round_up(at: datetime, step: timedelta) -> datetime:
    """The first full step at or after a moment."""
    if not step:
        return at
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + -((epoch - at) // step) * step


def make(
    *,
    case: Case,
    ledger: Ledger,
    kind: PromiseKind,
    due: datetime,
    target: str = "",
    escalation: Escalation | None = None,
    reason: str = "",
) -> Promise:
    """Promise something; a live promise is replaced, or kept where this is word itself."""
    now = ledger.now
    before = case.promise
    slipped = before is not None and before.state != PromiseState.KEPT and kind == before.kind
    promise = setwise.new(
        Promise,
        ticket=case.ticket,
        escalation=escalation,
        number=1 + (before.number if before else 0),
        kind=kind,
        state=PromiseState.OPEN,
        target=target,
        due_at=due,
        made_at=now,
        made_by=ledger.by,
        reason=reason,
        replaces=before if before is not None and before.pk and before.is_live else None,
        slips=before.slips + 1 if before is not None and slipped else 0,
        # Until a letter arrives, they know of no time at all.
        not_told_since=before.not_told_since if before is not None and before.is_untold else None,
    )
    if before is not None and before.is_live:
        _end(case, ledger, before, PromiseState.REPLACED)
    ledger.add(promise)
    case.promise = promise
    ledger.event(case.ticket, "promised", kind=kind, number=promise.number, due_at=due.isoformat())
    return promise


def keep(*, case: Case, ledger: Ledger, at: datetime) -> bool:
    """Mark the live promise kept by word that reached the customer at ``at``."""
    promise = case.promise
    if promise is None or not promise.is_live or at <= promise.made_at:
        return False
    if promise.due_at is not None and at > promise.due_at:
        return False
    _end(case, ledger, promise, PromiseState.KEPT, at=at)
    return True


def withdraw(*, case: Case, ledger: Ledger) -> None:
    """The need for the promise is gone."""
    if case.promise is not None and case.promise.is_live:
        _end(case, ledger, case.promise, PromiseState.WITHDRAWN)


def take_back_untold(*, case: Case, ledger: Ledger) -> None:
    """The letter with the promise was called back: what the customer was told before stands.

    It stands as a promise of its own, so that the newest is always the one that counts.
    """
    promise = case.promise
    if promise is None or not promise.is_live or _was_told(promise):
        return
    _end(case, ledger, promise, PromiseState.WITHDRAWN)
    before = promise.replaces
    while before is not None and not _was_told(before):
        before = before.replaces
    if before is None:
        return
    restored = setwise.new(
        Promise,
        ticket=case.ticket,
        escalation_id=before.escalation_id,
        number=promise.number + 1,
        kind=before.kind,
        state=PromiseState.SUSPENDED if before.due_at is None else PromiseState.OPEN,
        target=before.target,
        due_at=before.due_at,
        made_at=before.made_at,
        made_by_id=before.made_by_id,
        email_id=before.email_id,
        reason=before.reason,
        replaces=promise,
        slips=before.slips,
        warned_count=before.warned_count,
    )
    ledger.add(restored)
    case.promise = restored
    ledger.event(case.ticket, "promise_restored", number=restored.number)


def _was_told(promise: Promise) -> bool:
    """Whether its letter went, or still goes, out."""
    letter = promise.letter
    return letter is None or letter.state != MailState.WITHDRAWN


def drive(*, case: Case, ledger: Ledger, changes: Sequence[StatusChange] = ()) -> datetime | None:
    """Bring the promise to where the ticket is; returns when to look next.

    ``changes`` of status are followed at the moments they happened, as clocks do, so that a
    late look neither breaks what was waiting for the customer nor takes time from us.
    """
    promise = case.promise
    if promise is None or not promise.is_live:
        return None
    if _was_kept(case, ledger, promise):
        return None
    ticket = case.ticket
    for change in [*changes, StatusChange(at=ticket.status_since, status=ticket.status)]:
        if change.at > promise.made_at:
            _follow(case, ledger, promise, change)
    if _was_kept(case, ledger, promise) or promise.state == PromiseState.SUSPENDED:
        return None
    return _watch(case, ledger, promise)


def _was_kept(case: Case, ledger: Ledger, promise: Promise) -> bool:
    ticket = case.ticket
    word = (
        ticket.resolved_at
        if promise.kind == PromiseKind.RESOLUTION
        else max(
            (at for at in (ticket.last_public_update_at, ticket.resolved_at) if at is not None),
            default=None,
        )
    )
    return word is not None and keep(case=case, ledger=ledger, at=word)


def _follow(case: Case, ledger: Ledger, promise: Promise, change: StatusChange) -> None:
    """While we wait for the customer nothing is due; their answer starts the target anew."""
    waits = change.status == Status.WAITING
    if waits and promise.state == PromiseState.OPEN:
        if promise.told > change.at:
            ledger.change(promise, state=PromiseState.SUSPENDED, due_at=None)
            ledger.event(case.ticket, "promise_suspended", number=promise.number)
    elif not waits and promise.state == PromiseState.SUSPENDED:
        due = due_at(
            target=target_of(case, promise),
            since=change.at,
            team_time=team_time(case, promise.escalation_id),
            plan_time=case.roster.plan_time(case.ticket),
            rounding=case.policy.promises.round_up_to,
        )
        ledger.change(promise, state=PromiseState.OPEN, due_at=due, warned_count=0)
        ledger.event(case.ticket, "promise_resumed", number=promise.number, due_at=due.isoformat())


def target_of(case: Case, promise: Promise | None = None) -> Duration:
    """What a promise was given, or what the policy gives one for this ticket."""
    if promise is not None and promise.target:
        return parse_duration(promise.target)
    return case.policy.targets_for(plan=case.plan, priority=case.ticket.priority).promise


def team_time(case: Case, escalation_id: int | None) -> BusinessTime:
    """The hours of the team that holds the escalation; the plan's where none does."""
    for escalation in case.escalations:
        if escalation.pk == escalation_id and case.hops(escalation):
            team = case.roster.teams[case.current(escalation).to_team_id]
            return case.roster.time_of(team)
    return case.roster.plan_time(case.ticket)


def _watch(case: Case, ledger: Ledger, promise: Promise) -> datetime | None:
    """Warn at the policy's offsets, renew once by itself where it says so, break at the end."""
    now, due = ledger.now, promise.told
    if due <= now:
        _break(case, ledger, promise)
        return None
    if renewed := _renew_by_itself(case, ledger, promise):
        return _watch(case, ledger, renewed)
    moments = warning_moments(case, promise)
    passed = sum(1 for at in moments if at <= now)
    if passed > promise.warned_count:
        ledger.change(promise, warned_count=passed)
        _warn(case, ledger, promise, str(passed))
    upcoming = [at for at in moments if at > now]
    if case.policy.promises.auto_repromise == AutoRepromise.ONCE and not promise.slips:
        upcoming.append(due - RENEWED_BEFORE)
    return min([*(at for at in upcoming if at > now), due])


RENEWED_BEFORE = timedelta(minutes=15)


def _renew_by_itself(case: Case, ledger: Ledger, promise: Promise) -> Promise | None:
    if (
        case.policy.promises.auto_repromise != AutoRepromise.ONCE
        or promise.slips
        or not promise.target
    ):
        return None
    if promise.told - RENEWED_BEFORE > ledger.now:
        return None
    old_due = promise.due_at
    renewed = make(
        case=case,
        ledger=ledger,
        kind=PromiseKind(promise.kind),
        due=suggested_due(case=case, now=ledger.now),
        target=promise.target,
        escalation=next((e for e in case.escalations if e.pk == promise.escalation_id), None),
    )
    ledger.letter(
        letters.new_expected_time(
            ticket=case.ticket, promise=renewed, old_due=old_due, reason="", done=""
        )
    )
    return renewed


def suggested_due(*, case: Case, now: datetime) -> datetime:
    """A new expected time to offer: the policy's target, once more from now."""
    promise = case.promise
    return due_at(
        target=target_of(case, promise),
        since=now,
        team_time=team_time(case, promise.escalation_id if promise else None),
        plan_time=case.roster.plan_time(case.ticket),
        rounding=case.policy.promises.round_up_to,
    )


def warning_moments(case: Case, promise: Promise) -> list[datetime]:
    """When staff are warned that a promise falls due, earliest first; business time counts."""
    if promise.due_at is None:
        return []
    time = team_time(case, promise.escalation_id)
    moments = {warning.before(promise.due_at, time) for warning in case.policy.promises.warnings}
    return sorted(at for at in moments if promise.made_at < at < promise.due_at)


def answers_for(case: Case) -> User | None:
    """Who owns the promise: the assignee, in an absence their backup, else the team's lead."""
    ticket, roster = case.ticket, case.roster
    if (person := roster.here_or_backup(ticket.assignee_id)) is not None:
        return person
    return roster.lead_or_above(roster.teams.get(ticket.team_id or 0))


def lead_for(case: Case) -> User | None:
    """The lead of the team the ticket is with, or who stands above."""
    return case.roster.lead_or_above(case.roster.teams.get(case.ticket.team_id or 0))


def _warn(case: Case, ledger: Ledger, promise: Promise, what: str) -> None:
    """The assignee and the escalation owner are told, and the lead before it breaks."""
    owner = next((e.owner_id for e in case.open_escalations if e.owner_id is not None), None)
    ledger.notice(
        key=f"{promise.key}:warned:{promise.told:%Y%m%dT%H%M}:{what}",
        to=(answers_for(case), case.roster.here_or_backup(owner), lead_for(case)),
        kind="staff_promise_warning",
        ticket=case.ticket,
        due=moment(promise.due_at),
        contact=str(case.ticket.requester),
        organization=str(case.ticket.organization or ""),
    )
    ledger.event(case.ticket, "promise_warned", number=promise.number)


def _break(case: Case, ledger: Ledger, promise: Promise) -> None:
    due = promise.told
    in_time = next((at for at in case.replies if promise.made_at < at <= due), None)
    if in_time is not None and promise.kind != PromiseKind.RESOLUTION:
        _end(case, ledger, promise, PromiseState.KEPT, at=in_time)
        return
    _warn(case, ledger, promise, "broken")
    _end(case, ledger, promise, PromiseState.BROKEN, at=ledger.now)
    ledger.change(promise, broken_at=due)


def _end(
    case: Case,
    ledger: Ledger,
    promise: Promise,
    state: PromiseState,
    *,
    at: datetime | None = None,
) -> None:
    ledger.change(promise, state=state, ended_at=at or ledger.now)
    # A warning that has not gone out warns of nothing any more; that it broke is said anew.
    ledger.recall(case.ticket, promise.key)
    ledger.event(case.ticket, f"promise_{state}", number=promise.number)
