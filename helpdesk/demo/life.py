"""A ticket of the past year while its life is told, and what people do in any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from escalation.models import PolicyVersion
from escalation.policyspec import PolicySpec, Targets
from escalation.roster import Roster
from helpdesk.demo.shelf import Shelf
from helpdesk.demo.yearwords import Topic
from staff.businesstime import BusinessTime
from staff.models import Team, User
from tickets.gathering import Gathered
from tickets.models import Contact, Detail, Message, RequiredDetail, Ticket
from tickets.models.ticket import Channel, MessageKind, SenderVerdict, Status

MINUTE = timedelta(minutes=1)

Stretch = tuple[datetime, datetime]


@dataclass(slots=True)
class Life:
    """A ticket being told; ``at`` is how far the story has come."""

    rng: Random
    shelf: Shelf
    roster: Roster
    policy_version: PolicyVersion
    ticket: Ticket
    topic: Topic
    required: Sequence[RequiredDetail]
    at: datetime
    #: All of it happened before this.
    curtain: datetime
    #: Of what stands still, nothing is counted.
    paused: list[Stretch] = field(default_factory=list)
    details: dict[str, Detail] = field(default_factory=dict)
    words: list[datetime] = field(default_factory=list)

    @property
    def policy(self) -> PolicySpec:
        return self.policy_version.spec

    @property
    def plan(self) -> str:
        organization = self.ticket.organization
        assert organization is not None
        return organization.plan.slug

    @property
    def goals(self) -> Targets:
        return self.policy.targets_for(plan=self.plan, priority=self.ticket.priority)

    @property
    def agent(self) -> User:
        assert self.ticket.assignee is not None
        return self.ticket.assignee

    @property
    def team(self) -> Team:
        assert self.ticket.team is not None
        return self.ticket.team

    @property
    def office(self) -> BusinessTime:
        """When those who answer the customer are there."""
        return self.roster.time_of(self.team)

    @property
    def plan_time(self) -> BusinessTime:
        return self.roster.plan_time(self.ticket)

    @property
    def gathered(self) -> Gathered:
        return Gathered(required=tuple(self.required), present=self.details)

    def while_open(self, aim: datetime, *, before: datetime | None = None) -> datetime:
        """When somebody is there to do it: not earlier than now, in time where that can be."""
        there = self.office.add(aim, self.rng.randint(0, 25) * MINUTE) if aim > self.at else self.at
        if before is not None and there >= before:
            earlier = self.office.add(before, -self.rng.randint(4, 40) * MINUTE)
            there = earlier if earlier > self.at else there
        return max(there, self.at + self.rng.randint(2, 6) * MINUTE)

    # What people write

    def hears(self, text: str, at: datetime, *, thanks: bool = False) -> Message:
        """The customer writes."""
        contact = self.ticket.requester
        message = self._message(MessageKind.CUSTOMER, f"Hello,\n\n{text}\n\n{contact.name}", at)
        message.contact, message.channel, message.thanks = contact, self.ticket.channel, thanks
        if self.ticket.channel == Channel.MAIL:
            message.sender_verdict = SenderVerdict.PASS
        return message

    def says(self, text: str, at: datetime) -> Message:
        """The assignee writes the customer."""
        name = self.ticket.requester.first_name
        message = self._message(MessageKind.REPLY, f"Hello {name},\n\n{text}", at)
        message.user = self.agent
        self.shelf.event(self.ticket, "replied", at, user=self.agent, message=message)
        self.words.append(at)
        self.ticket.first_responded_at = self.ticket.first_responded_at or at
        self.ticket.last_public_update_at = at
        return message

    def notes(self, text: str, at: datetime) -> None:
        message = self._message(MessageKind.NOTE, text, at)
        message.user, message.internal = self.agent, True
        self.shelf.event(self.ticket, "noted", at, user=self.agent, message=message)

    def _message(self, kind: MessageKind, text: str, at: datetime) -> Message:
        message = Message(
            ticket=self.ticket, kind=kind, channel=Channel.DESK, text=text, created_at=at
        )
        self.shelf.put(message)
        self.ticket.last_message_at = at
        return message

    def turns(
        self, to: Status, at: datetime, *, user: User | None = None, contact: Contact | None = None
    ) -> None:
        """The ticket comes into a status."""
        ticket = self.ticket
        self.shelf.event(
            ticket,
            "status_changed",
            at,
            user=user,
            contact=contact,
            **{"from": str(ticket.status), "to": str(to)},
        )
        ticket.status, ticket.status_since, ticket.version = to, at, ticket.version + 1
