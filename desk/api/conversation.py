"""What is said on a ticket: messages, and the files that came with them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import choosing, listing
from desk.api.fields import Choice, Number, Shape, Text
from desk.api.files import FilesField, largest_body, sent_files
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.problems import not_found
from desk.api.ticketshapes import MessageShape, values
from desk.api.ticketview import TicketView
from desk.downloads import hand_out
from staff.apitokens import Scope
from tickets import conversation, programs
from tickets.models import Attachment, Message
from tickets.models.ticket import MessageKind, Status
from tickets.triage import BY_HAND

MESSAGES = Listing(
    filters=(
        listing.choices("kind", values(MessageKind), "kind", "One or more, divided by commas."),
        listing.flag("internal", "internal"),
        listing.moment("created_after", "created_at__gte"),
    ),
    orderings={"id": Key("pk")},
)


class NewMessageShape(Shape):
    """A reply to the customer, a note among staff, or what a customer said elsewhere."""

    kind = Choice(choices=values(MessageKind))
    text = Text(max_length=50_000)
    status = Choice(
        choices=[each.value for each in BY_HAND],
        required=False,
        help_text="Of a reply: the status that follows; waiting_on_customer if not named.",
    )
    contact = Number(
        required=False, help_text="Of a customer's word: who said it; else the requester."
    )
    attachments = FilesField()
    version = Number(max_value=2**31 - 1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        belongs = {
            "status": MessageKind.REPLY,
            "contact": MessageKind.CUSTOMER,
            "attachments": MessageKind.CUSTOMER,
        }
        faults = {
            name: [_("Only with the kind %(kind)s.") % {"kind": kind.value}]
            for name, kind in belongs.items()
            if name in attrs and attrs["kind"] != kind
        }
        if faults:
            raise serializers.ValidationError(faults)
        return attrs


class Messages(TicketView):
    tag = "Messages"

    @operation("List messages", scope=Scope.TICKETS_READ, gives=MessageShape, listing=MESSAGES)
    def get(self, ticket: int) -> Response:
        """The whole conversation, notes among staff included; the newest first."""
        self.must_see(ticket)
        return self.page(_messages().filter(ticket=ticket))

    @operation(
        "Write on a ticket",
        scope=Scope.TICKETS_WRITE,
        takes=NewMessageShape,
        gives=MessageShape,
        status=201,
        largest=largest_body,
        asks={
            "Reply": {"kind": "reply", "text": "We are looking into it.", "status": "open"},
            "Note": {"kind": "note", "text": "The gateway's log shows timeouts."},
        },
    )
    def post(self, ticket: int) -> Response:
        """A reply is sent to the customer by mail. What a customer says on a closed ticket
        stands on a new one: the answer's `ticket` names it.
        """
        held = self.hold(ticket)
        sent = self.sent
        if sent["kind"] == MessageKind.REPLY:
            message = conversation.reply(
                ticket_id=ticket,
                text=sent["text"],
                status=sent.get("status", Status.WAITING.value),
                now=self.now,
                by=self.user,
            )
        elif sent["kind"] == MessageKind.NOTE:
            message = conversation.note(
                ticket_id=ticket, text=sent["text"], now=self.now, by=self.user
            )
        else:
            contact = (
                choosing.contact(self.user, sent["contact"], "contact")
                if "contact" in sent
                else held.requester
            )
            message = programs.say(
                ticket_id=ticket,
                contact=contact,
                text=sent["text"],
                attachments=sent_files(sent.get("attachments", [])),
                now=self.now,
                by=self.user,
            )
        return self.answer(_messages().get(pk=message.pk))


class OneAttachment(TicketView):
    tag = "Messages"

    @operation("Download a file", scope=Scope.TICKETS_READ, file=True)
    def get(self, ticket: int, pk: int) -> HttpResponseBase:
        """Under the name it came with, as bytes that no browser opens in place."""
        self.must_see(ticket)
        found = Attachment.objects.filter(pk=pk, message__ticket=ticket).first()
        if found is None:
            raise not_found()
        return hand_out(found)


def _messages() -> QuerySet[Message]:
    return Message.objects.select_related("user", "contact").prefetch_related("attachments")
