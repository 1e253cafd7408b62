"""A desk on which everything that is counted has happened, and every promise is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from escalation import endings, engine, lifecycle, returning, updates
from escalation.models import Escalation
from escalation.models.escalation import ReturnReason
from notifications import delivery, receipts, webhooks
from notifications.eventtypes import MAIL_FAILING
from notifications.models import DeliveryKind, DeliverySource, OutgoingEmail, Preset
from notifications.webhooks import Wish
from staff import apitokens
from staff.models import Role, Scope
from tests.house import START, House, after
from tests.mail import mail
from tests.training.films import draft, film
from tests.training.test_learning import attempt, published, required
from tickets import deliveries, portal, snoozing, triage
from tickets.inbound.ingest import ingest
from tickets.models import InboundEmail, Ticket
from training import enrolling

NOW = after(hours=5)
"""When the story has been told, and everything is checked."""


@dataclass(frozen=True)
class Story:
    """Tickets by what became of them."""

    #: Came by mail with a file; escalated by a rule, accepted, its promise stands.
    accepted: Ticket
    #: Escalated by hand, offered, its first steps taken.
    offered: Ticket
    #: Escalated, declined, and not offered again.
    returned: Ticket
    #: Escalated, resolved, and over.
    closed: Ticket
    #: The letter with its promise bounced.
    untold: Ticket
    #: Nobody has looked into it yet.
    waiting: Ticket


def tell(house: House) -> Story:
    """Everything happens through the stations; the engine and the mail worker look every minute."""
    _learn(house)
    accepted = _by_mail(house)
    ingest(raw=mail("two_from_fields"), source="test", now=START)
    ingest(raw=mail("loop_of_our_own_mail"), source="test", now=START)
    offered, returned, closed, untold, waiting = (
        house.ticket(f"{what} POST /v2/invoices returns 502", assignee=house.anna)
        for what in ("Now:", "Again:", "Once:", "Always:", "Sometimes:")
    )
    house.assess(accepted, impact=1, urgency=1, now=START)
    webhook = webhooks.make(
        wish=Wish(
            name="Program",
            url="https://93.184.216.34/hook",
            preset=Preset.STANDARD,
            language="en",
            events=[MAIL_FAILING],
            team=None,
            private_too=False,
        ),
        now=START,
        by=house.sam,
    )
    apitokens.make(
        user=house.anna,
        name="Export",
        scopes=[Scope.TICKETS_READ],
        expires_at=timezone.now() + timedelta(days=1),
        now=START,
    )
    portal.link_for(contact=house.dana, now=START)
    _pass(START, after(minutes=70))
    for ticket in (returned, closed, untold):
        house.escalate(ticket, now=after(minutes=71))
    _pass(after(minutes=71), after(minutes=75))
    escalation = Escalation.objects.get(ticket=accepted)
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=76), by=house.jonas)
    updates.new_expected_time(
        ticket_id=accepted.pk,
        due=NOW + timedelta(hours=3),
        reason="The cause is found, the repair takes longer.",
        now=after(minutes=77),
        by=house.anna,
    )
    returning.decline(
        escalation_id=Escalation.objects.get(ticket=returned).pk,
        reason_code=ReturnReason.WRONG_TEAM,
        now=after(minutes=77),
        by=house.priya,
    )
    done = Escalation.objects.get(ticket=closed)
    lifecycle.accept(escalation_id=done.pk, now=after(minutes=78), by=house.mei)
    house.reply(closed, now=after(minutes=79))
    lifecycle.resolve(
        escalation_id=done.pk, outcome="Refilled the pool.", now=after(minutes=80), by=house.mei
    )
    endings.resolve(
        ticket_id=closed.pk, outcome="It works again.", now=after(minutes=81), by=house.anna
    )
    endings.close(ticket_id=closed.pk, now=after(minutes=82), by=house.anna)
    told = OutgoingEmail.objects.get(about=untold.about, kind="escalated")
    receipts.record(
        mail=told,
        kind=DeliveryKind.BOUNCED,
        source=DeliverySource.DSN,
        key="bounced",
        at=after(minutes=83),
        status="5.1.1",
        said="550 5.1.1: no such mailbox",
    )
    deliveries.take_in(now=after(minutes=83))
    house.status(waiting, "waiting_on_customer", now=after(minutes=84))
    snoozing.snooze(ticket_id=waiting.pk, until=after(days=2), now=after(minutes=85), by=house.anna)
    _pass(after(minutes=85), after(minutes=90))
    house.escalate(offered, now=NOW - timedelta(minutes=70))
    _pass(NOW - timedelta(minutes=70), NOW)
    webhooks.ping(webhook=webhook, now=NOW, by=house.sam)
    return Story(
        *(
            Ticket.objects.get(pk=ticket.pk)
            for ticket in (accepted, offered, returned, closed, untold, waiting)
        )
    )


def _by_mail(house: House) -> Ticket:
    outcome = ingest(raw=mail("with_attachments"), source="test", now=START)
    message = InboundEmail.objects.get(pk=outcome.inbound_id).message
    assert message is not None
    triage.assign(ticket_id=message.ticket_id, assignee_id=house.anna.pk, now=START, by=house.anna)
    return Ticket.objects.get(pk=message.ticket_id)


def _pass(since: datetime, until: datetime) -> None:
    """The engine and the mail worker look every five minutes."""
    while since <= until:
        engine.turn(clock=partial(_stopped_at, since))
        delivery.send_due(clock=partial(_stopped_at, since), capture=True)
        since += timedelta(minutes=5)


def _stopped_at(moment: datetime) -> datetime:
    return moment


def _learn(house: House) -> None:
    """Anna has completed the procedure, and Ben is asked to."""
    version = published(now=START - timedelta(days=2))
    film(draft(version), house.marco, now=START)
    required(role=Role.AGENT, now=START - timedelta(days=1))
    enrolling.enrol_everywhere(now=START - timedelta(days=1))
    attempt(house.anna, version, right=True, now=START - timedelta(hours=2))
