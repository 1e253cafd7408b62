"""What the rules may know of a ticket, put together from its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from escalation.cases import Case
from escalation.models import Clock
from escalation.models.clock import ClockKind, ClockState
from escalation.rules import Rule
from escalation.ticketfacts import ClockFact, TicketFacts
from tickets.models import Message
from tickets.models.ticket import MessageKind, SenderVerdict

TEXTS_READ = 20
"""How many of a customer's newest messages the condition ``text`` looks through."""


@dataclass(slots=True)
class Heard:
    """What a ticket's customer wrote, newest first, and whether the newest sender is verified."""

    texts: list[str] = field(default_factory=list)
    sender_verified: bool = False


NOTHING = Heard()


def listen(cases: Sequence[Case]) -> Mapping[int, Heard]:
    """Read what customers wrote, by ticket; without a query where no rule asks for it."""
    heard: dict[int, Heard] = {}
    asked = [case.ticket.pk for case in cases if _needs_messages(case.policy.rules)]
    if not asked:
        return heard
    newest_first = Window(
        RowNumber(), partition_by="ticket", order_by=[F("created_at").desc(), F("pk").desc()]
    )
    for ticket_id, text, verdict in (
        Message.objects.filter(
            ticket__pk__among=asked, kind=MessageKind.CUSTOMER, unverified=False, automatic=False
        )
        .annotate(nth=newest_first)
        .filter(nth__lte=TEXTS_READ)
        .order_by("ticket_id", "nth")
        .values_list("ticket", "text", "sender_verdict")
    ):
        if ticket_id not in heard:
            heard[ticket_id] = Heard(sender_verified=verdict == SenderVerdict.PASS)
        heard[ticket_id].texts.append(text)
    return heard


def facts_of(case: Case, heard: Heard = NOTHING) -> TicketFacts:
    """The facts of one ticket, as ``decide`` takes them."""
    ticket = case.ticket
    return TicketFacts(
        reference=ticket.reference,
        status=ticket.status,
        priority=ticket.priority,
        impact=ticket.impact,
        urgency=ticket.urgency,
        created_at=ticket.created_at,
        status_since=ticket.status_since,
        plan_time=case.roster.plan_time(ticket),
        complexity=ticket.complexity,
        category=ticket.category.slug if ticket.category else None,
        plan=case.plan,
        organization=ticket.organization.customer_id if ticket.organization else None,
        team=ticket.team.slug if ticket.team else None,
        tier=case.tier,
        assignee=ticket.assignee_id is not None,
        tags=frozenset(ticket.tags),
        language=ticket.requester.language,
        channel=ticket.channel,
        subject=ticket.subject,
        text="\n".join(heard.texts),
        reopened_count=ticket.reopened_count,
        reopened_at=case.reopened_at,
        completeness=case.gathered.percent,
        escalated=frozenset(str(escalation.kind) for escalation in case.open_escalations),
        times_escalated=len(case.escalations),
        sender_verified=heard.sender_verified,
        waiting_since=ticket.waiting_since,
        last_public_update_at=ticket.last_public_update_at,
        customer_asked_to_escalate_at=ticket.asked_to_escalate_at,
        clocks={
            str(clock.kind): _fact_of(clock)
            for clock in case.clocks
            if clock.is_live and clock.kind != ClockKind.ACCEPTANCE
        },
        fired=case.fired,
    )


def _fact_of(clock: Clock) -> ClockFact:
    return ClockFact(
        time=clock.time,
        budget=clock.budget,
        consumed=clock.consumed,
        running_since=clock.running_since if clock.state == ClockState.RUNNING else None,
        breached_at=clock.breached_at,
    )


def _needs_messages(rules: Sequence[Rule]) -> bool:
    return any(rule.facts & {"text", "sender_verified"} for rule in rules)
