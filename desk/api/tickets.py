"""Tickets: the list, a new one, one, and changing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import RegexValidator, URLValidator
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import choosing, listing
from desk.api.base import ApiView
from desk.api.fields import Address, Choice, Line, Number, Shape, Slug, Text, Texts
from desk.api.files import FilesField, largest_body, sent_files
from desk.api.listing import SEARCH, Key, Listing
from desk.api.operations import operation
from desk.api.problems import invalid
from desk.api.ticketshapes import TicketShape, values
from desk.api.ticketview import TicketView, in_sight, shown
from desk.search.finding import NotUnderstood, ranked
from staff.apitokens import Scope
from staff.models import Team, User
from tickets import calls, labelling, programs, triage
from tickets.calls import Caller
from tickets.errors import Refused
from tickets.intake import LONGEST_SUBJECT
from tickets.models import Category, Contact, Ticket
from tickets.models.customers import Complexity
from tickets.models.ticket import Level, Priority, Status
from tickets.triage import BY_HAND

LONGEST_TEXT = 50_000
MOST_DETAILS = 50
MOST_TAGS = 20


def _found(text: str, user: User) -> list[int]:
    """What the search box finds for this person, in their days."""
    try:
        return ranked(user=user, text=text, now=timezone.now(), zone=ZoneInfo(user.zone))
    except NotUnderstood as problem:
        raise invalid(SEARCH, str(problem)) from None


TICKETS = Listing(
    filters=(
        listing.choices("status", values(Status), "status", "One or more, divided by commas."),
        listing.slug("team", "team__slug", "A team's slug."),
        listing.person("assignee", "assignee", "A person's id, `me` or `none`."),
        listing.choices("priority", values(Priority), "priority", "1 to 4; one or more."),
        listing.slug("category", "category__slug", "A category's slug."),
        listing.identifier("organization", "organization", "An organization's id."),
        listing.identifier("requester", "requester", "A contact's id."),
        listing.words("tag", lambda asked, _user: Q(tags__contains=[asked]), longest=40),
        listing.words(
            "customer_reference", lambda asked, _user: Q(customer_reference=asked), longest=80
        ),
        listing.flag("escalated", "held", "Whether an escalation is open."),
        listing.moment("created_after", "created_at__gte"),
        listing.moment("created_before", "created_at__lt"),
        listing.moment("updated_after", "updated_at__gte"),
    ),
    orderings={
        # In the order in which they came, which is that of their numbers.
        "created": Key("pk"),
        "updated": Key("updated_at", datetime),
        "priority": Key("priority"),
        "sla_due": Key("sla_due_at", datetime, nullable=True),
    },
    default="-created",
    search=_found,
)


class SenderShape(Shape):
    """Who asks: a contact by id, or by the address they have or get."""

    id = Number(required=False)
    email = Address(required=False)
    name = Line(max_length=120, allow_blank=True, required=False)
    customer_id = Line(max_length=40, required=False)
    language = Choice(choices=[code for code, _name in settings.LANGUAGES], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("id" in attrs) == ("email" in attrs):
            raise serializers.ValidationError(_("Give an id, or an e-mail address."))
        if "id" in attrs and len(attrs) > 1:
            raise serializers.ValidationError(_("Who is known by an id stays as they are."))
        return attrs


class DetailsField(serializers.DictField):
    """Details by key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Line(max_length=1000, allow_blank=True), **options)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict):
            if len(data) > MOST_DETAILS:
                raise serializers.ValidationError(
                    _("These are more details than %(most)s.") % {"most": MOST_DETAILS}
                )
            for key in data:
                _is_key(key)
        return super().to_internal_value(data)


_is_key = RegexValidator(r"\A[-a-zA-Z0-9_]{1,50}\Z", message=_("A detail's key is a slug."))


class NewTicketShape(Shape):
    """What a customer asks."""

    requester = SenderShape()
    subject = Line(max_length=LONGEST_SUBJECT)
    text = Text(max_length=LONGEST_TEXT)
    category = Slug(
        required=False, allow_null=True, help_text="A category's slug; else the words tell."
    )
    details = DetailsField(required=False, help_text="By key, such as a key of the category's.")
    customer_reference = Line(max_length=80, allow_blank=True, default="")
    tags = Texts(each=40, at_most=MOST_TAGS, required=False)
    attachments = FilesField()


class TicketChangeShape(Shape):
    """What to change of a ticket; what is not named stays."""

    version = Number(max_value=2**31 - 1, help_text="The version that was looked at.")
    team = Slug(required=False, help_text="A team's slug.")
    category = Slug(required=False, allow_null=True, help_text="A category's slug.")
    impact = Choice(choices=values(Level), required=False)
    urgency = Choice(choices=values(Level), required=False)
    complexity = Choice(choices=values(Complexity), required=False)
    assignee = Number(required=False, allow_null=True, help_text="A person's id.")
    status = Choice(choices=[each.value for each in BY_HAND], required=False)
    tags = Texts(each=40, at_most=MOST_TAGS, required=False, help_text="All of them.")
    customer_reference = Line(max_length=80, allow_blank=True, required=False)
    work_item_url = Line(
        max_length=500,
        allow_blank=True,
        required=False,
        validators=[URLValidator(schemes=["http", "https"])],
    )
    work_item_state = Line(max_length=40, allow_blank=True, required=False)


_ASKED = {
    "requester": {"email": "dana@norvik.example", "name": "Dana Reyes"},
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10 UTC.",
    "category": "api",
    "details": {"key-id": "key_4f2a91"},
    "customer_reference": "INC-88",
    "tags": ["invoices"],
}


class Tickets(ApiView):
    tag = "Tickets"

    @operation("List tickets", scope=Scope.TICKETS_READ, gives=TicketShape, listing=TICKETS)
    def get(self) -> Response:
        """Those that the token's person may see, the newest first."""
        return self.page(shown(in_sight(self.user)))

    @operation(
        "Open a ticket",
        scope=Scope.TICKETS_WRITE,
        takes=NewTicketShape,
        gives=TicketShape,
        status=201,
        largest=largest_body,
        asks={"Dana's calls fail": _ASKED},
    )
    def post(self) -> Response:
        """Team and details come from the category and from what is said, as with a mail."""
        sent = self.sent
        requester = sent["requester"]
        category = sent.get("category")
        message = programs.open_ticket(
            contact=self._contact(requester),
            subject=sent["subject"],
            text=sent["text"],
            category=choosing.chosen(Category.objects.all(), "category", slug=category)
            if category is not None
            else None,
            details=sent.get("details", {}),
            customer_reference=sent["customer_reference"],
            tags=sent.get("tags", []),
            attachments=sent_files(sent.get("attachments", [])),
            now=self.now,
            by=self.user,
        )
        ticket = message.ticket
        return self.answer(ticket, location=reverse("api:ticket", args=(ticket.pk,)))

    def _contact(self, requester: dict[str, Any]) -> Contact:
        if "id" in requester:
            return choosing.contact(self.user, requester["id"], "requester.id")
        caller = Caller(**{"name": "", **requester})
        try:
            return calls.contact_behind(caller=caller, now=self.now)
        except Refused as refusal:
            raise Refused(str(refusal), field=f"requester.{refusal.field}") from refusal


class OneTicket(TicketView):
    @operation("Read a ticket", scope=Scope.TICKETS_READ, gives=TicketShape)
    def get(self, ticket: int) -> Response:
        return self.answer(self.find(ticket))

    @operation(
        "Change a ticket",
        scope=Scope.TICKETS_WRITE,
        takes=TicketChangeShape,
        gives=TicketShape,
        asks={"Assess and take it": {"version": 1, "impact": 1, "urgency": 1, "assignee": 7}},
    )
    def patch(self, ticket: int) -> Response:
        """All of it or nothing. Where the ticket is no longer in the version that is sent, the
        answer (409) has both versions and the ticket as it is now.
        """
        held = self.hold(ticket)
        changes = self.sent
        if not changes:
            raise invalid("", _("Name something to change."), code="required")
        self._move(held, changes)
        self._assess(held, changes)
        if "assignee" in changes:
            triage.assign(
                ticket_id=ticket, assignee_id=changes["assignee"], now=self.now, by=self.user
            )
        if "status" in changes:
            triage.set_status(
                ticket_id=ticket, status=changes["status"], now=self.now, by=self.user
            )
        labels = {name: changes[name] for name in labelling.FIELDS if name in changes}
        if labels:
            labelling.label(ticket_id=ticket, labels=labels, now=self.now, by=self.user)
        return self.ticket_now(ticket)

    def _move(self, ticket: Ticket, changes: dict[str, Any]) -> None:
        if "team" in changes:
            team = choosing.chosen(Team.objects.all(), "team", slug=changes["team"])
            triage.move(ticket_id=ticket.pk, team_id=team.pk, now=self.now, by=self.user)

    def _assess(self, ticket: Ticket, changes: dict[str, Any]) -> None:
        if not changes.keys() & {"impact", "urgency", "complexity", "category"}:
            return
        category_id = ticket.category_id
        if "category" in changes:
            slug = changes["category"]
            category_id = (
                choosing.chosen(Category.objects.all(), "category", slug=slug).pk
                if slug is not None
                else None
            )
        triage.assess(
            ticket_id=ticket.pk,
            impact=changes.get("impact", ticket.impact),
            urgency=changes.get("urgency", ticket.urgency),
            complexity=changes.get("complexity", ticket.complexity),
            category_id=category_id,
            now=self.now,
            by=self.user,
        )
