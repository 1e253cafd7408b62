"""A ticket is resolved, closed, opened again, or out of sight for a while."""

from __future__ import annotations

from rest_framework.response import Response

from desk.api.fields import Line, Moment, Number, Shape, Text
from desk.api.operations import operation
from desk.api.ticketshapes import TicketShape
from desk.api.ticketview import TicketView
from escalation import endings
from staff.apitokens import Scope
from tickets import snoozing


class VersionShape(Shape):
    """The version that was looked at, if it matters."""

    version = Number(max_value=2**31 - 1, required=False)


class ResolveShape(VersionShape):
    """What came of it; the customer reads it."""

    outcome = Text(max_length=4000)
    cause = Line(max_length=500, allow_blank=True, default="")


class SnoozeShape(VersionShape):
    """Until when."""

    until = Moment()
    reason = Line(max_length=500, allow_blank=True, default="")


class Resolve(TicketView):
    @operation(
        "Resolve a ticket",
        scope=Scope.TICKETS_WRITE,
        takes=ResolveShape,
        gives=TicketShape,
        asks={"Solved": {"outcome": "The gateway's limit is raised.", "cause": "A low limit"}},
    )
    def post(self, ticket: int) -> Response:
        """The customer is asked to check. Not while an escalation is open."""
        self.hold(ticket)
        endings.resolve(
            ticket_id=ticket,
            outcome=self.sent["outcome"],
            cause=self.sent["cause"],
            now=self.now,
            by=self.user,
        )
        return self.ticket_now(ticket)


class Close(TicketView):
    @operation("Close a ticket", scope=Scope.TICKETS_WRITE, takes=VersionShape, gives=TicketShape)
    def post(self, ticket: int) -> Response:
        """One that is resolved."""
        self.hold(ticket)
        endings.close(ticket_id=ticket, now=self.now, by=self.user)
        return self.ticket_now(ticket)


class Reopen(TicketView):
    @operation(
        "Open a ticket again", scope=Scope.TICKETS_WRITE, takes=VersionShape, gives=TicketShape
    )
    def post(self, ticket: int) -> Response:
        """One that is resolved or closed."""
        self.hold(ticket)
        endings.reopen(ticket_id=ticket, now=self.now, by=self.user)
        return self.ticket_now(ticket)


class SnoozeTicket(TicketView):
    @operation(
        "Snooze a ticket",
        scope=Scope.TICKETS_WRITE,
        takes=SnoozeShape,
        gives=TicketShape,
        asks={"Over the weekend": {"until": "2099-01-04T09:00:00Z"}},
    )
    def post(self, ticket: int) -> Response:
        """Out of sight until then, or until the customer writes; clocks run on."""
        self.hold(ticket)
        snoozing.snooze(
            ticket_id=ticket,
            until=self.sent["until"],
            reason=self.sent["reason"],
            now=self.now,
            by=self.user,
        )
        return self.ticket_now(ticket)


class Unsnooze(TicketView):
    @operation(
        "Bring a ticket back in sight",
        scope=Scope.TICKETS_WRITE,
        takes=VersionShape,
        gives=TicketShape,
    )
    def post(self, ticket: int) -> Response:
        """Doing it again changes nothing."""
        self.hold(ticket)
        snoozing.unsnooze(ticket_id=ticket, now=self.now, by=self.user)
        return self.ticket_now(ticket)
