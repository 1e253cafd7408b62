"""Follow-ups of a ticket: dated reminders for staff."""

from __future__ import annotations

from uuid import uuid4

from django.db.models import Q
from rest_framework.response import Response

from desk.api import choosing, listing
from desk.api.fields import Line, Moment, Number, Shape
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.problems import not_found
from desk.api.ticketshapes import FollowUpShape
from desk.api.ticketview import TicketView
from staff.apitokens import Scope
from staff.models import User
from tickets import followups
from tickets.models import FollowUp
from tickets.models.followup import FollowUpKind

FOLLOW_UPS = Listing(
    filters=(
        listing.Filter(
            name="open",
            read=listing.truth,
            rows=lambda asked, _user: (
                Q(done_at__isnull=True, dropped_at__isnull=True)
                if asked
                else Q(done_at__isnull=False) | Q(dropped_at__isnull=False)
            ),
            schema={"type": "boolean"},
            description="Neither done nor no longer needed.",
        ),
    ),
    orderings={"id": Key("pk")},
)


class NewFollowUpShape(Shape):
    """A reminder."""

    text = Line(max_length=500)
    due_at = Moment()
    user = Number(
        required=False, allow_null=True, help_text="A person's id; else it is the assignee's."
    )
    every = Line(
        max_length=20, allow_blank=True, default="", help_text="Repeat it so long after: 4h, 2d."
    )
    version = Number(max_value=2**31 - 1, required=False)


class FollowUps(TicketView):
    tag = "Follow-ups"

    @operation("List follow-ups", scope=Scope.TICKETS_READ, gives=FollowUpShape, listing=FOLLOW_UPS)
    def get(self, ticket: int) -> Response:
        self.must_see(ticket)
        return self.page(FollowUp.objects.filter(ticket=ticket).select_related("user"))

    @operation(
        "Add a follow-up",
        scope=Scope.TICKETS_WRITE,
        takes=NewFollowUpShape,
        gives=FollowUpShape,
        status=201,
        asks={"Ask again": {"text": "Ask the vendor again.", "due_at": "2099-01-04T09:00:00Z"}},
    )
    def post(self, ticket: int) -> Response:
        self.hold(ticket)
        sent = self.sent
        person = sent.get("user")
        if person is not None:
            choosing.chosen(User.objects.filter(is_active=True), "user", pk=person)
        made = followups.add(
            ticket_id=ticket,
            kind=FollowUpKind.BY_HAND,
            key=f"HD-{ticket}:by-program:{uuid4().hex}",
            due_at=sent["due_at"],
            now=self.now,
            by=self.user,
            user_id=person,
            text=sent["text"],
            every=sent["every"],
        )
        return self.answer(FollowUp.objects.select_related("user").get(pk=made.pk))


class Done(TicketView):
    tag = "Follow-ups"

    @operation("Tick a follow-up off", scope=Scope.TICKETS_WRITE, gives=FollowUpShape)
    def post(self, ticket: int, pk: int) -> Response:
        """Doing it again changes nothing."""
        self.must_see(ticket)
        if not FollowUp.objects.filter(pk=pk, ticket=ticket).exists():
            raise not_found()
        followups.complete(followup_id=pk, now=self.now, by=self.user)
        return self.answer(FollowUp.objects.select_related("user").get(pk=pk))
