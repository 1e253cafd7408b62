"""What answers say of tickets and of what hangs on them."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from desk.api.fields import Moment, written
from desk.api.shapes import ID, CustomerShape, PersonShape, RequesterShape, TeamShape
from desk.api.telling import Told
from tickets.models import Attachment, Message, Ticket
from tickets.models.customers import Complexity
from tickets.models.followup import FollowUpKind
from tickets.models.ticket import Channel, Level, MessageKind, Priority, Status


def values(choices: Any) -> list[Any]:
    """A choice's values alone; what they are called is for pages."""
    return list(choices.values)


@cache
def _page(number: int) -> str:
    """The address of a page, looked up once and not for each row of a list."""
    return reverse("desk:ticket", args=(f"HD-{number}",))


class TicketShape(Told):
    """A customer's request."""

    reference = serializers.RegexField(r"^HD-[0-9]{1,12}$")
    subject = serializers.CharField()
    status = serializers.ChoiceField(values(Status))
    impact = serializers.ChoiceField(values(Level), help_text="1 is high, 3 is low.")
    urgency = serializers.ChoiceField(values(Level), help_text="1 is high, 3 is low.")
    priority = serializers.ChoiceField(
        values(Priority), help_text="1 (P1) to 4; it follows from impact and urgency."
    )
    complexity = serializers.ChoiceField(values(Complexity))
    category = serializers.CharField(source="category.slug", allow_null=True, default=None)
    channel = serializers.ChoiceField(values(Channel))
    requester = RequesterShape()
    organization = CustomerShape(allow_null=True)
    team = TeamShape(allow_null=True)
    assignee = PersonShape(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    customer_reference = serializers.CharField()
    work_item_url = serializers.CharField()
    work_item_state = serializers.CharField()
    continues = serializers.SerializerMethodField(help_text="The closed ticket it goes on from.")
    escalated = serializers.BooleanField(source="held", help_text="An escalation is open.")
    created_at = Moment()
    updated_at = Moment()
    status_since = Moment()
    assessed_at = Moment(allow_null=True)
    waiting_since = Moment(allow_null=True, help_text="The customer waits for us since then.")
    first_responded_at = Moment(allow_null=True)
    last_public_update_at = Moment(allow_null=True)
    last_message_at = Moment(allow_null=True)
    sla_due_at = Moment(allow_null=True, help_text="The next of its clocks is due.")
    sla_due_kind = serializers.CharField()
    snoozed_until = serializers.SerializerMethodField()
    outcome = serializers.CharField()
    cause = serializers.CharField()
    reopen_until = Moment(allow_null=True)
    resolved_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    reopened_count = serializers.IntegerField(min_value=0)
    version = serializers.IntegerField(
        min_value=1, help_text="Send it with a change, which is refused if it has grown since."
    )
    page = serializers.SerializerMethodField(help_text="The address of its page at the desk.")

    def get_page(self, ticket: Ticket) -> str:
        return f"{settings.HELPDESK_BASE_URL}{_page(0).replace('HD-0', ticket.reference)}"

    def get_continues(self, ticket: Ticket) -> str | None:
        return f"HD-{ticket.continues_id}" if ticket.continues_id is not None else None

    def get_snoozed_until(self, ticket: Ticket) -> str | None:
        until = getattr(ticket, "snoozed_until", None)
        return written(until) if until is not None else None


class AttachmentShape(Told):
    """A file that came with a message."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(min_value=0)
    url = serializers.SerializerMethodField(help_text="Where it is downloaded, with a token.")

    def get_url(self, attachment: Attachment) -> str:
        return reverse("api:attachment", args=(attachment.message.ticket_id, attachment.pk))


class MessageShape(Told):
    """One thing somebody wrote on a ticket."""

    id = serializers.IntegerField(**ID)
    ticket = serializers.SerializerMethodField(
        help_text="Its reference; a word on a closed ticket opens a new one."
    )
    kind = serializers.ChoiceField(values(MessageKind))
    channel = serializers.ChoiceField(values(Channel))
    user = PersonShape(allow_null=True, help_text="Who wrote it, if they work here.")
    contact = RequesterShape(allow_null=True, help_text="Who wrote it, at the customer.")
    text = serializers.CharField()
    quoted = serializers.CharField(help_text="What it quoted of earlier mail.")
    internal = serializers.BooleanField(help_text="The customer does not see it.")
    automatic = serializers.BooleanField(help_text="No person wrote it.")
    thanks = serializers.BooleanField(help_text="It says thanks and nothing else.")
    unverified = serializers.BooleanField(
        help_text="Whoever wrote it is not on this ticket; an agent has to accept it."
    )
    created_at = Moment()
    attachments = AttachmentShape(many=True)

    def get_ticket(self, message: Message) -> str:
        return f"HD-{message.ticket_id}"


class DetailShape(Told):
    """A piece of information that a ticket needs or has."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name of the framework's, too
    required = serializers.BooleanField(  # type: ignore[assignment]
        help_text="The category asks for it."
    )
    value = serializers.CharField(allow_null=True)
    asked_at = Moment(allow_null=True, help_text="When the customer was asked for it.")
    message = serializers.IntegerField(
        allow_null=True, help_text="The id of the message it came with."
    )
    sentence = serializers.CharField(help_text="The sentence it was found in.")
    set_by = serializers.IntegerField(allow_null=True, help_text="The id of the person who set it.")


class DetailsShape(Told):
    """What is known of what a ticket needs."""

    completeness = serializers.IntegerField(
        min_value=0, max_value=100, help_text="Percent of the required details that are there."
    )
    details = DetailShape(many=True)


class FollowUpShape(Told):
    """A dated reminder for staff."""

    id = serializers.IntegerField(**ID)
    kind = serializers.ChoiceField(values(FollowUpKind))
    text = serializers.CharField()
    user = PersonShape(allow_null=True, help_text="The ticket's assignee where nobody is named.")
    due_at = Moment()
    every = serializers.CharField(help_text="Repeated so long after, such as 4h.")
    created_at = Moment()
    fired_at = Moment(allow_null=True, help_text="When it last reminded.")
    done_at = Moment(allow_null=True)
    dropped_at = Moment(allow_null=True, help_text="When it was no longer needed.")


class EventShape(Told):
    """Something that happened to a ticket."""

    id = serializers.IntegerField(**ID)
    kind = serializers.CharField()
    at = Moment()
    user = PersonShape(allow_null=True, help_text="Who did it, if they work here.")
    contact = RequesterShape(allow_null=True, help_text="Who did it, at the customer.")
    data = serializers.DictField(  # type: ignore[assignment]  # a name of the framework's, too
        help_text="Ids and values; they depend on the kind."
    )
