"""Cases: tickets with everything the engine knows of them, read under their locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, Q

from escalation import procedures
from escalation.ledger import Ledger
from escalation.models import (
    Clock,
    Decision,
    Escalation,
    Handoff,
    PolicyVersion,
    Promise,
    Step,
)
from escalation.models.clock import ClockState
from escalation.models.escalation import Kind
from escalation.policyspec import PolicySpec
from escalation.procedures import InForce
from escalation.roster import Roster, call_roll
from notifications import receipts
from notifications.models import DeliveryEvent, DeliveryKind, OutgoingEmail
from staff import editions, setwise
from staff.businesstime import BusinessTime
from staff.editions import Edition
from staff.models import CalendarVersion, User
from tickets import locking
from tickets.deliveries import is_to_a_customer
from tickets.gathering import Gathered, gathered_many
from tickets.models import Contact, Event, FollowUp, Message, Snooze, Ticket
from tickets.models.followup import UNDELIVERED
from tickets.models.ticket import MessageKind

PASSED_ON = ":instead:"
"""In the key of a letter that goes to somebody else, since the requester could not be reached."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A ticket came into a status at a moment."""

    at: datetime
    status: str


@dataclass(slots=True)
class Case:
    """One ticket, its clocks, escalations, promise and follow-ups.

    Hand-offs stand by their escalation's key, those of open escalations only; ``replies`` are
    the moments of public words since a promise that is due was made; up to ``reckoned_until``
    a review has followed the ticket's changes of status. ``receipts`` tell what became of letters
    where one bounced: then ``deputies`` are the escalation contacts who can be written to
    instead, ``passed_on`` and ``reminded`` the keys of what has been done about it, and
    ``told_otherwise_at`` is when somebody last ticked off having told the customer.
    """

    ticket: Ticket
    policy_version: PolicyVersion
    roster: Roster
    gathered: Gathered
    clocks: list[Clock] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    handoffs: dict[str, list[Handoff]] = field(default_factory=dict)
    steps: dict[int, list[Step]] = field(default_factory=dict)
    promise: Promise | None = None
    replies: list[datetime] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    snooze: Snooze | None = None
    decisions: list[Decision] = field(default_factory=list)
    fired: dict[str, datetime] = field(default_factory=dict)
    receipts: list[DeliveryEvent] = field(default_factory=list)
    deputies: list[Contact] = field(default_factory=list)
    passed_on: set[str] = field(default_factory=set)
    reminded: set[str] = field(default_factory=set)
    told_otherwise_at: datetime | None = None
    reopened_at: datetime | None = None
    reckoned_until: datetime | None = None

    @property
    def policy(self) -> PolicySpec:
        return self.policy_version.spec

    @property
    def procedure(self) -> InForce | None:
        """The version of the procedure that an escalation of now follows."""
        return procedures.in_force(
            edition=self.roster.edition, slug=self.policy.training.procedure, now=self.roster.now
        )

    @property
    def plan(self) -> str | None:
        """The slug of the organization's plan."""
        organization = self.ticket.organization
        return organization.plan.slug if organization else None

    @property
    def own_time(self) -> BusinessTime:
        """The hours of the team the ticket is with; the plan's where none has it."""
        team = self.roster.teams.get(self.ticket.team_id or 0)
        return self.roster.time_of(team) if team else self.roster.plan_time(self.ticket)

    @property
    def open_escalations(self) -> list[Escalation]:
        return [escalation for escalation in self.escalations if escalation.is_open]

    def open_of(self, kind: str) -> Escalation | None:
        return next((e for e in self.open_escalations if e.kind == kind), None)

    def next_number(self, kind: str) -> int:
        return 1 + max((e.number for e in self.escalations if e.kind == kind), default=0)

    def hops(self, escalation: Escalation) -> list[Handoff]:
        """The escalation's hand-offs, the first one first."""
        return self.handoffs.setdefault(escalation.key, [])

    def current(self, escalation: Escalation) -> Handoff:
        return self.hops(escalation)[-1]

    @property
    def tier(self) -> int | None:
        """The highest tier that has the ticket now; None where no team does."""
        tiers = [self.ticket.team.tier.number] if self.ticket.team is not None else []
        for escalation in self.open_escalations:
            if escalation.kind == Kind.FUNCTIONAL:
                tiers += [handoff.to_team.tier.number for handoff in self.hops(escalation)]
        return max(tiers, default=None)

    def clock_of(self, handoff: Handoff) -> Clock | None:
        return next(
            (c for c in self.clocks if c.handoff_id is not None and c.handoff_id == handoff.pk),
            None,
        )


def load(*, tickets: Sequence[Ticket], now: datetime) -> list[Case]:
    """Read the cases of tickets that are locked already, in a fixed number of queries."""
    ids = [ticket.pk for ticket in tickets]
    edition = editions.current()
    roster = call_roll(now=now, edition=edition)
    policy_version = edition.keep("policy in force", _policy_in_force)
    gathered = gathered_many(tickets, edition=edition)
    roster.furnish(tickets)
    cases = {
        ticket.pk: Case(
            ticket=ticket,
            policy_version=policy_version,
            roster=roster,
            gathered=gathered[ticket.pk],
        )
        for ticket in tickets
    }
    _load_clocks(cases, edition)
    _load_escalations(cases)
    for promise in (
        Promise.objects.filter(ticket__pk__among=ids)
        .order_by("ticket_id", "-number")
        .distinct("ticket_id")
    ):
        cases[promise.ticket_id].promise = promise
    _load_replies(cases, now)
    for follow_up in FollowUp.objects.filter(
        ticket__pk__among=ids, done_at__isnull=True, dropped_at__isnull=True
    ).order_by("due_at", "pk"):
        cases[follow_up.ticket_id].follow_ups.append(follow_up)
    for snooze in Snooze.objects.open().filter(ticket__pk__among=ids):
        cases[snooze.ticket_id].snooze = snooze
    decisions = list(Decision.objects.filter(ticket__pk__among=ids).order_by("at", "pk"))
    policies = _policies(edition, {decision.policy_version_id for decision in decisions})
    for decision in decisions:
        setwise.join(decision, policy_version=policies[decision.policy_version_id])
        cases[decision.ticket_id].decisions.append(decision)
        cases[decision.ticket_id].fired[decision.rule_key] = decision.at
    _load_receipts(cases)
    _load_reopenings(cases)
    return [cases[pk] for pk in ids]


def open_case(*, ticket_id: int, now: datetime, by: User | None) -> tuple[Case, Ledger]:
    """Lock a ticket and read its case; everything that changes one begins here.

    Raises ``Ticket.DoesNotExist``.
    """
    ticket = locking.lock(ticket_id)
    [case] = load(tickets=[ticket], now=now)
    return case, Ledger(now=now, by=by)


def _policy_in_force() -> PolicyVersion:
    return PolicyVersion.objects.select_related("policy").in_force()


def _policies(edition: Edition, ids: set[int]) -> dict[int, PolicyVersion]:
    """Versions never change: one object for each, so that a body is parsed once."""
    policies: dict[int, PolicyVersion] = edition.keep("policy versions", dict)
    in_force = edition.keep("policy in force", _policy_in_force)
    policies[in_force.pk] = in_force
    if unread := ids - policies.keys():
        policies |= PolicyVersion.objects.select_related("policy").in_bulk(unread)
    return policies


def _load_clocks(cases: dict[int, Case], edition: Edition) -> None:
    calendars: dict[int, CalendarVersion] = edition.keep("calendar versions", dict)
    clocks = list(
        Clock.objects.filter(ticket__pk__among=cases)
        .filter(Q(handoff__isnull=True) | Q(state__in=(ClockState.RUNNING, ClockState.PAUSED)))
        .order_by("pk")
    )
    policies = _policies(edition, {clock.policy_version_id for clock in clocks})
    if (
        unread := {clock.calendar_version_id for clock in clocks if clock.calendar_version_id}
        - calendars.keys()
    ):
        calendars |= CalendarVersion.objects.in_bulk(unread)
    for clock in clocks:
        setwise.join(clock, policy_version=policies[clock.policy_version_id])
        if clock.calendar_version_id is not None:
            setwise.join(clock, calendar_version=calendars[clock.calendar_version_id])
        cases[clock.ticket_id].clocks.append(clock)


def _load_escalations(cases: dict[int, Case]) -> None:
    of: dict[int, tuple[Case, Escalation]] = {}
    for escalation in (
        Escalation.objects.filter(ticket__pk__among=cases).select_related("owner").order_by("pk")
    ):
        case = cases[escalation.ticket_id]
        case.escalations.append(escalation)
        if escalation.is_open:
            of[escalation.pk] = case, escalation
    if not of:
        return
    case_of: dict[int, Case] = {}
    for handoff in (
        Handoff.objects.filter(escalation__pk__among=of)
        .select_related("to_team__tier", "to_user")
        .order_by("escalation_id", "number")
    ):
        case, escalation = of[handoff.escalation_id]
        setwise.join(handoff, escalation=escalation)
        case.hops(escalation).append(handoff)
        case_of[handoff.pk] = case
    for step in Step.objects.filter(handoff__pk__among=case_of).order_by("handoff_id", "number"):
        case_of[step.handoff_id].steps.setdefault(step.handoff_id, []).append(step)


def _load_replies(cases: dict[int, Case], now: datetime) -> None:
    """After an outage a promise may have been kept by a word that was not the last one."""
    since = {
        case.ticket.pk: case.promise.made_at
        for case in cases.values()
        if case.promise is not None
        and case.promise.is_live
        and case.promise.due_at is not None
        and case.promise.due_at <= now
    }
    if not since:
        return
    for ticket_id, at in (
        Message.objects.filter(
            ticket__pk__among=since, kind=MessageKind.REPLY, created_at__gt=min(since.values())
        )
        .order_by("created_at")
        .values_list("ticket", "created_at")
    ):
        if at > since[ticket_id]:
            cases[ticket_id].replies.append(at)


def _load_receipts(cases: dict[int, Case]) -> None:
    """One query, and four more where letters bounced."""
    about = {case.ticket.about: case for case in cases.values()}
    for event in (
        DeliveryEvent.objects.filter(about__among=about, taken_at__isnull=False)
        .exclude(kind__in=(DeliveryKind.DELAYED, DeliveryKind.COMPLAINED))
        .select_related("email")
        .order_by("at", "pk")
    ):
        if is_to_a_customer(event):
            about[event.about].receipts.append(event)
    bounced = [
        case
        for case in cases.values()
        if any(event.kind == DeliveryKind.BOUNCED for event in case.receipts)
    ]
    if not bounced:
        return
    deputies = list(
        Contact.objects.filter(
            organization__in={case.ticket.organization_id for case in bounced},
            is_escalation_contact=True,
        ).order_by("pk")
    )
    gone = receipts.unreachable([contact.email for contact in deputies])
    for case in bounced:
        case.deputies = [
            contact
            for contact in deputies
            if contact.organization_id == case.ticket.organization_id
            and contact.pk != case.ticket.requester_id
            and contact.email.lower() not in gone
        ]
    for key, about_ticket in OutgoingEmail.objects.filter(
        about__in={case.ticket.about for case in bounced}, dedupe_key__contains=PASSED_ON
    ).values_list("dedupe_key", "about"):
        about[about_ticket].passed_on.add(key)
    for ticket_id, key, done_at in FollowUp.objects.filter(
        ticket__in=[case.ticket.pk for case in bounced], kind__in=UNDELIVERED
    ).values_list("ticket", "key", "done_at"):
        case = cases[ticket_id]
        case.reminded.add(key)
        if done_at is not None:
            case.told_otherwise_at = max(case.told_otherwise_at or done_at, done_at)


def _load_reopenings(cases: dict[int, Case]) -> None:
    reopened = [pk for pk, case in cases.items() if case.ticket.reopened_count]
    if not reopened:
        return
    for ticket_id, at in (
        Event.objects.filter(ticket__in=reopened, kind="reopened")
        .values_list("ticket")
        .annotate(last=Max("at"))
    ):
        cases[ticket_id].reopened_at = at
