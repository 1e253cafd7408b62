"""The stage: a scene on which tickets are escalated, each act a station called in its moment."""

from __future__ import annotations

from datetime import datetime

from escalation import lifecycle, returning, reviewing, updates
from escalation.models import Escalation
from escalation.models.escalation import Kind, ReturnReason, Trigger
from escalation.opening import Request
from helpdesk.demo.scene import Scene, said
from notifications import receipts
from notifications.models import DeliveryKind, DeliverySource, OutgoingEmail
from tickets import deliveries
from tickets.models import Ticket


class Stage(Scene):
    """What can be done with an escalation, and what becomes of its letters."""

    __slots__ = ()

    def escalate(
        self,
        number: int,
        team: str,
        by: str,
        *,
        nature: str = "expertise",
        override: str = "",
        promised: datetime | None = None,
    ) -> None:
        ticket = Ticket.objects.get(pk=number)
        lifecycle.escalate(
            ticket_id=number,
            request=Request(
                kind=Kind.FUNCTIONAL,
                trigger=Trigger.AGENT,
                nature=nature,
                urgency=ticket.urgency,
                tried=said(number, "tried"),
                ask=said(number, "ask"),
                override_reason=said(number, override) if override else "",
                promised=promised,
            ),
            team_id=self.teams[team].pk,
            now=self.at,
            by=self.users[by],
        )

    def appeal(self, number: int, to: str, team: str, by: str) -> None:
        """Escalate to somebody with the authority for it, beside whatever experts do."""
        lifecycle.escalate(
            ticket_id=number,
            request=Request(
                kind=Kind.HIERARCHICAL,
                trigger=Trigger.AGENT,
                nature="authority",
                urgency=1,
                reason=said(number, "reason"),
                ask=said(number, "decide"),
            ),
            team_id=self.teams[team].pk,
            user_id=self.users[to].pk,
            now=self.at,
            by=self.users[by],
        )

    def accept(self, number: int, by: str, *, kind: Kind = Kind.FUNCTIONAL) -> None:
        lifecycle.accept(
            escalation_id=_open(number, kind),
            first_step=said(number, "first_step") if kind == Kind.FUNCTIONAL else "",
            now=self.at,
            by=self.users[by],
        )

    def hand_on(self, number: int, team: str, by: str, cue: str) -> None:
        lifecycle.hand_on(
            escalation_id=_open(number),
            team_id=self.teams[team].pk,
            note=said(number, cue),
            now=self.at,
            by=self.users[by],
        )

    def decline(self, number: int, by: str, reason: ReturnReason, *missing: str) -> None:
        returning.decline(
            escalation_id=_open(number),
            reason_code=reason,
            reason=said(number, "declined"),
            missing=missing,
            now=self.at,
            by=self.users[by],
        )

    def send_back(self, number: int, by: str, reason: ReturnReason) -> None:
        returning.send_back(
            escalation_id=_open(number),
            reason_code=reason,
            reason=said(number, "sent_back"),
            now=self.at,
            by=self.users[by],
        )

    def update(
        self,
        number: int,
        by: str,
        cue: str = "update",
        *,
        headline: str,
        next_step: str = "",
        next_word_by: datetime | None = None,
    ) -> None:
        updates.update(
            ticket_id=number,
            headline=headline,
            text=said(number, cue),
            next_step=next_step,
            next_word_by=next_word_by,
            now=self.at,
            by=self.users[by],
        )

    def new_expected_time(self, number: int, by: str, *, due: datetime) -> None:
        updates.new_expected_time(
            ticket_id=number,
            due=due,
            reason=said(number, "reason"),
            done=said(number, "done"),
            now=self.at,
            by=self.users[by],
        )

    def settle_escalation(self, number: int, by: str, cue: str = "outcome") -> None:
        """The owner resolves the escalation; the ticket is the assignee's to resolve."""
        lifecycle.resolve(
            escalation_id=_open(number),
            outcome=said(number, cue),
            now=self.at,
            by=self.users[by],
        )

    def review(self, number: int, by: str, cue: str = "review") -> None:
        """A lead looks back at the escalation, and calls it avoidable."""
        reviewing.review(
            escalation_id=Escalation.objects.values_list("pk", flat=True).get(ticket_id=number),
            avoidable=True,
            note=said(number, cue),
            now=self.at,
            by=self.users[by],
        )

    # Letters

    def bounces(self, number: int, kind: str) -> None:
        """The newest letter of this kind to the requester comes back: there is no such mailbox."""
        ticket = Ticket.objects.select_related("requester").get(pk=number)
        mail = OutgoingEmail.objects.filter(
            about=ticket.about, kind=kind, to_address=ticket.requester.email
        ).latest("pk")
        receipts.record(
            mail=mail,
            kind=DeliveryKind.BOUNCED,
            source=DeliverySource.DSN,
            key=f"demo:{mail.pk}:bounced",
            at=self.at,
            status="5.1.1",
            said=f"550 5.1.1 <{mail.to_address}>: no such mailbox",
        )
        deliveries.take_in(now=self.at)


def _open(number: int, kind: Kind = Kind.FUNCTIONAL) -> int:
    """The escalation of this kind that is open."""
    return Escalation.objects.open().values_list("pk", flat=True).get(ticket_id=number, kind=kind)
