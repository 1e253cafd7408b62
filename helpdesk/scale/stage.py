"""One ticket on the stage: who takes part, and what can be done to it, each act a station."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from escalation import endings, lifecycle, returning, updates, withdrawing
from escalation.models import Escalation, Handoff
from escalation.models.escalation import OPEN, Kind, Nature, ReturnReason, Trigger
from escalation.opening import Request
from escalation.roster import Roster
from staff.models import Team, User
from tickets import conversation, intake, portal, snoozing, triage
from tickets.intake import Incoming
from tickets.models import Category, Contact, RequiredDetail, Ticket
from tickets.models.ticket import Channel, SenderVerdict, Status

TAGS = ((), (), (), ("vip",), ("import",), ("invoices", "month-end"), ("beta",))


@dataclass(frozen=True, slots=True)
class _Protocol:
    """The one file that comes with tickets: all of them name the same."""

    name: str = "protocol.txt"
    content_type: str = "text/plain"
    content_id: str = ""
    data: bytes = b"10:14:02 POST /v2/orders 502\n10:14:09 POST /v2/orders 502\n"


@dataclass(slots=True)
class Stage:
    """Every act happens at ``at``; ``curtain`` is when the tickets are loaded.

    What is said are names of slots (``qzc0qz``: the customer's first text), filled in later.
    """

    curtain: datetime
    rng: Random
    roster: Roster
    contact: Contact
    category: Category | None
    required: list[RequiredDetail]
    team: Team
    assignee: User
    impact: int
    urgency: int
    #: How often customer and agent write once more than the story needs.
    rounds: int
    at: datetime
    ticket_id: int = 0
    said: int = 0
    owner: User | None = field(default=None)

    def ago(self, **length: float) -> datetime:
        return self.curtain - timedelta(**length)

    # The customer

    def opens(self, *, details: bool = False, file: bool = False) -> None:
        ticket = intake.open_ticket(
            contact=self.contact,
            subject="qzsubjectqz",
            incoming=self._incoming(file=file),
            category=self.category,
            tags=self.rng.choice(TAGS),
            details={need.key: f"{need.key}_qzuidqz" for need in self.required}
            if details
            else None,
            now=self.at,
        ).ticket
        self.ticket_id = ticket.pk

    def writes(self) -> None:
        intake.append_message(
            ticket_id=self.ticket_id, contact=self.contact, incoming=self._incoming(), now=self.at
        )

    def appeals(self) -> None:
        """The customer asks for more haste; a rule takes it to somebody with authority."""
        portal.ask_to_escalate(
            ticket_id=self.ticket_id, contact=self.contact, incoming=self._incoming(), now=self.at
        )

    def confirms(self) -> None:
        endings.confirm(ticket_id=self.ticket_id, now=self.at, contact=self.contact)

    # Whose ticket it is

    def takes(self) -> None:
        """Assessed, and given to somebody."""
        ticket = Ticket.objects.get(pk=self.ticket_id)
        if (ticket.impact, ticket.urgency) != (self.impact, self.urgency):
            triage.assess(
                ticket_id=self.ticket_id,
                impact=self.impact,
                urgency=self.urgency,
                complexity=ticket.complexity,
                category_id=ticket.category_id,
                now=self.at,
                by=self.assignee,
            )
        triage.assign(
            ticket_id=self.ticket_id, assignee_id=self.assignee.pk, now=self.at, by=self.assignee
        )

    def replies(self, status: Status = Status.OPEN) -> None:
        conversation.reply(
            ticket_id=self.ticket_id,
            text=self._text("a"),
            status=status,
            now=self.at,
            by=self.assignee,
        )

    def notes(self) -> None:
        conversation.note(
            ticket_id=self.ticket_id, text=self._text("a"), now=self.at, by=self.assignee
        )

    def becomes(self, status: Status) -> None:
        triage.set_status(ticket_id=self.ticket_id, status=status, now=self.at, by=self.assignee)

    def snoozes(self, *, until: datetime) -> None:
        snoozing.snooze(ticket_id=self.ticket_id, until=until, now=self.at, by=self.assignee)

    def resolves(self) -> None:
        endings.resolve(
            ticket_id=self.ticket_id,
            outcome=self._text("a"),
            cause="A setting that an update had changed." if self.rng.random() < 0.6 else "",
            now=self.at,
            by=self.assignee,
        )

    def closes(self) -> None:
        endings.close(ticket_id=self.ticket_id, now=self.at, by=self.assignee)

    # Its escalation

    def escalates(self) -> None:
        """To the team that knows the category one tier up."""
        lifecycle.escalate(
            ticket_id=self.ticket_id,
            request=Request(
                kind=Kind.FUNCTIONAL,
                trigger=Trigger.AGENT,
                nature=self.rng.choice((Nature.EXPERTISE, Nature.ACCESS)),
                urgency=self.urgency,
                tried=self._text("s"),
                ask=self._text("s"),
                override_reason="" if self._has_details() else "It cannot wait for the details.",
            ),
            team_id=self.tier_above().pk,
            now=self.at,
            by=self.assignee,
        )

    def accepts(self, kind: Kind = Kind.FUNCTIONAL) -> None:
        escalation, handoff = self._open(kind)
        self.owner = self._receiver(handoff)
        lifecycle.accept(
            escalation_id=escalation.pk, first_step=self._text("s"), now=self.at, by=self.owner
        )

    def declines(self) -> None:
        escalation, handoff = self._open()
        returning.decline(
            escalation_id=escalation.pk,
            reason_code=ReturnReason.NOT_REPRODUCIBLE,
            reason=self._text("s"),
            now=self.at,
            by=self._receiver(handoff),
        )

    def offers_again(self) -> None:
        escalation, handoff = self._open()
        lifecycle.offer_again(
            escalation_id=escalation.pk,
            team_id=handoff.to_team_id,
            note=self._text("s"),
            override_reason="It happens to several customers.",
            now=self.at,
            by=self.assignee,
        )

    def hands_on(self) -> None:
        escalation, handoff = self._open()
        others = [team for team in self._teams() if team.pk != handoff.to_team_id]
        assert self.owner is not None
        lifecycle.hand_on(
            escalation_id=escalation.pk,
            team_id=others[-1].pk,
            note=self._text("s"),
            now=self.at,
            by=self.owner,
        )

    def takes_back(self) -> None:
        escalation, _handoff = self._open()
        withdrawing.withdraw(
            escalation_id=escalation.pk,
            reason="It has been found out here.",
            now=self.at,
            by=self.assignee,
        )

    def says_when(self, *, due: datetime) -> None:
        """A new expected time for the customer."""
        updates.new_expected_time(
            ticket_id=self.ticket_id, due=due, reason=self._text("s"), now=self.at, by=self.assignee
        )

    def settles(self, kind: Kind = Kind.FUNCTIONAL) -> None:
        """The escalation's owner has done the work."""
        escalation, _handoff = self._open(kind)
        assert escalation.owner is not None
        lifecycle.resolve(
            escalation_id=escalation.pk, outcome=self._text("s"), now=self.at, by=escalation.owner
        )

    def is_escalated(self, kind: Kind = Kind.FUNCTIONAL) -> bool:
        return Escalation.objects.open().filter(ticket=self.ticket_id, kind=kind).exists()

    def tier_above(self) -> Team:
        category = self.category.pk if self.category else None
        for team in self._teams():
            known = self.roster.team_of_category(category, team.tier.number)
            return known or team
        raise LookupError("There is no team above the first tier.")

    def _teams(self) -> list[Team]:
        return self.roster.teams_above(self.team.tier.number)

    def _open(self, kind: Kind = Kind.FUNCTIONAL) -> tuple[Escalation, Handoff]:
        escalation = Escalation.objects.get(ticket=self.ticket_id, kind=kind, state__in=OPEN)
        return escalation, escalation.handoffs.latest("number")

    def _receiver(self, handoff: Handoff) -> User:
        if handoff.to_user is not None:
            return self.roster.here_or_backup(handoff.to_user_id) or handoff.to_user
        return self.rng.choice(self.roster.members_of(self.roster.teams[handoff.to_team_id]))

    def _has_details(self) -> bool:
        keys = {need.key for need in self.required}
        return keys <= set(
            Ticket.objects.get(pk=self.ticket_id)
            .details.exclude(value="")
            .values_list("key", flat=True)
        )

    def _incoming(self, *, file: bool = False) -> Incoming:
        text = self._text("c")
        return Incoming(
            text=text,
            channel=self.rng.choices((Channel.MAIL, Channel.PHONE, Channel.API), (86, 8, 6))[0],
            message_id=f"<qzuidqz.{self.said}@qzdomainqz>",
            sender_verdict=SenderVerdict.PASS,
            attachments=(_Protocol(),) if file else (),
        )

    def _text(self, speaker: str) -> str:
        """The next text: of the customer (c), of the assignee (a), or a short one (s)."""
        self.said += 1
        return f"qz{speaker}{self.said - 1}qz"
