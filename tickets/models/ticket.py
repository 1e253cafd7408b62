from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Least
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from notifications.models import OutgoingEmail
from staff.models import Team, User
from tickets.models.customers import Category, Complexity, Contact, Organization

if TYPE_CHECKING:
    from datetime import datetime


class Status(models.TextChoices):
    NEW = "new", _("New")
    OPEN = "open", _("Open")
    WAITING = "waiting_on_customer", _("Waiting on customer")
    ON_HOLD = "on_hold", _("On hold")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class Level(models.IntegerChoices):
    """Of impact and of urgency."""

    HIGH = 1, _("High")
    MEDIUM = 2, _("Medium")
    LOW = 3, _("Low")


class Priority(models.IntegerChoices):
    P1 = 1, "P1"
    P2 = 2, "P2"
    P3 = 3, "P3"
    P4 = 4, "P4"


class Channel(models.TextChoices):
    MAIL = "mail", _("Mail")
    WEB = "web", _("Web form")
    PHONE = "phone", _("Phone")
    API = "api", _("API")
    DESK = "desk", _("Desk")


ENDED = (Status.RESOLVED, Status.CLOSED)


def of_teams_of(user: User) -> Q:
    """Nobody's and every open team's tickets, and those of private teams somebody belongs to."""
    return (
        Q(team__isnull=True)
        | Q(team__is_private=False)
        | Q(team__in=user.teams.values("pk"))
        | Q(team__in=user.led_teams.values("pk"))
    )


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        """What this member of staff may see: all but private teams they do not belong to."""
        return self if user.sees_every_team else self.filter(of_teams_of(user))

    def visible_to_contact(self, contact: Contact) -> TicketQuerySet:
        """What a customer may see: their own; an escalation contact, their organization's."""
        if contact.is_escalation_contact and contact.organization_id is not None:
            return self.filter(Q(requester=contact) | Q(organization=contact.organization_id))
        return self.filter(requester=contact)

    def unfinished(self) -> TicketQuerySet:
        return self.exclude(status__in=ENDED)

    def due_for_review(self, now: datetime) -> TicketQuerySet:
        return self.filter(review_at__lte=now)


class Ticket(models.Model):
    """A customer's request.

    ``review_at`` is when the engine must look next, or null when nothing is owed;
    only ``tickets.timeline`` and the review write it.
    """

    REFERENCE: ClassVar[re.Pattern[str]] = re.compile(r"(?:HD-)?([0-9]{1,12})", re.IGNORECASE)

    subject = models.CharField(_("subject"), max_length=300)
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.NEW
    )
    impact = models.PositiveSmallIntegerField(
        _("impact"), choices=Level.choices, default=Level.MEDIUM
    )
    urgency = models.PositiveSmallIntegerField(
        _("urgency"), choices=Level.choices, default=Level.MEDIUM
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority.choices, default=Priority.P3
    )
    complexity = models.CharField(
        _("complexity"), max_length=10, choices=Complexity.choices, default=Complexity.MODERATE
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("category"),
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    requester = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("requester")
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="tickets",
        verbose_name=_("organization"),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("team"),
    )
    assignee = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("assignee"),
        help_text=_("Answers to the customer until the ticket is closed."),
    )
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    customer_reference = models.CharField(_("customer's reference"), max_length=80, blank=True)
    work_item_url = models.URLField(_("external work item"), max_length=500, blank=True)
    work_item_state = models.CharField(_("its state"), max_length=40, blank=True)
    continues = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="continued_by",
        verbose_name=_("continues"),
    )

    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))
    status_since = models.DateTimeField(_("in this status since"))
    assessed_at = models.DateTimeField(_("assessed"), null=True, blank=True)
    waiting_since = models.DateTimeField(
        _("customer waits since"),
        null=True,
        blank=True,
        help_text=_("When the oldest message of the customer came that nobody has answered."),
    )
    first_responded_at = models.DateTimeField(_("first response"), null=True, blank=True)
    last_public_update_at = models.DateTimeField(
        _("last word to the customer"), null=True, blank=True
    )
    last_message_at = models.DateTimeField(_("last message"), null=True, blank=True)
    asked_to_escalate_at = models.DateTimeField(
        _("customer asked to escalate"), null=True, blank=True
    )
    outcome = models.TextField(_("outcome"), blank=True, max_length=4000)
    cause = models.CharField(_("cause"), max_length=500, blank=True)
    reopen_until = models.DateTimeField(_("a reply reopens until"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    reopened_count = models.PositiveIntegerField(_("times reopened"), default=0)

    held = models.BooleanField(
        _("held"),
        default=False,
        help_text=_("An escalation is open: the ticket can be neither resolved nor closed."),
    )
    sla_due_at = models.DateTimeField(_("next clock is due"), null=True, blank=True)
    sla_due_kind = models.CharField(_("next clock"), max_length=20, blank=True)
    muted = models.BooleanField(
        _("muted"),
        default=False,
        db_default=False,
        help_text=_("Its requester wants only letters that bring a new time or ask for something."),
    )
    review_at = models.DateTimeField(_("next look"), null=True, blank=True)
    review_attempts = models.PositiveSmallIntegerField(_("failed looks"), default=0)
    review_error = models.CharField(_("last failure"), max_length=500, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(held=False) | ~Q(status__in=ENDED),
                name="ticket_held_is_not_ended",
            ),
            models.CheckConstraint(
                condition=Q(
                    priority=Least(F("impact") + F("urgency") - Value(1), Value(4)),
                    impact__range=(1, 3),
                    urgency__range=(1, 3),
                ),
                name="ticket_priority_from_impact_and_urgency",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="ticket_status_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=("review_at", "id"),
                condition=Q(review_at__isnull=False),
                name="ticket_due_for_review",
            ),
            models.Index(
                F("sla_due_at").asc(nulls_last=True),
                "id",
                condition=~Q(status__in=ENDED),
                name="ticket_open_by_due",
            ),
            models.Index(
                fields=("team", "status"),
                include=("assignee", "waiting_since"),
                condition=~Q(status__in=ENDED),
                name="ticket_open_by_team",
            ),
            models.Index(
                fields=("assignee", "status"),
                condition=~Q(status__in=ENDED),
                name="ticket_open_by_assignee",
            ),
            models.Index(fields=("organization", "-id"), name="ticket_by_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.subject}"

    def get_absolute_url(self) -> str:
        return _path_of_tickets() + f"{self.reference}/"

    @property
    def address(self) -> str:
        """The absolute address of its page, for mails."""
        return f"{settings.HELPDESK_BASE_URL}{self.get_absolute_url()}"

    @property
    def reference(self) -> str:
        return f"HD-{self.pk}"

    @property
    def about(self) -> str:
        """How rows below this app (mails, notifications) name this ticket."""
        return f"ticket:{self.pk}"

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def awaits_verification(self) -> bool:
        """Whether letters wait, since nobody has proven that who wrote reads that mailbox.

        Only the web form takes an address at its word.
        """
        return self.channel == Channel.WEB and self.requester.verified_at is None

    @property
    def priority_label(self) -> str:
        return f"P{self.priority}"

    @classmethod
    def number_in(cls, reference: str) -> int | None:
        """The number in ``HD-1042`` or ``1042``; None for anything else."""
        match = cls.REFERENCE.fullmatch(reference.strip())
        return int(match.group(1)) if match else None


@cache
def _path_of_tickets() -> str:
    """Where the pages of tickets stand: a batch of notices names hundreds, and reversing is slow."""
    return reverse("desk:ticket", args=("x",)).removesuffix("x/")


class MessageKind(models.TextChoices):
    CUSTOMER = "customer", _("From the customer")
    REPLY = "reply", _("Reply to the customer")
    NOTE = "note", _("Internal note")


class SenderVerdict(models.TextChoices):
    """What the receiving mail server said of the sender (RFC 8601)."""

    PASS = "pass", _("Sender verified")
    FAIL = "fail", _("Sender forged")
    NONE = "none", _("Sender not verified")


class Message(models.Model):
    """One thing somebody wrote on a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(_("kind"), max_length=8, choices=MessageKind.choices)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    text = models.TextField(_("text"))
    quoted = models.TextField(_("quoted text"), blank=True)
    has_html = models.BooleanField(_("came as HTML"), default=False)
    internal = models.BooleanField(
        _("internal"), default=False, help_text=_("The customer does not see it.")
    )
    automatic = models.BooleanField(_("automatic"), default=False)
    thanks = models.BooleanField(_("only thanks"), default=False)
    unverified = models.BooleanField(
        _("unverified sender"),
        default=False,
        help_text=_("Came to a ticket of somebody else; an agent has to accept it."),
    )
    sender_verdict = models.CharField(
        _("sender"), max_length=4, choices=SenderVerdict.choices, default=SenderVerdict.NONE
    )
    message_id = models.CharField(_("Message-ID"), max_length=500, blank=True)
    email = models.OneToOneField(
        OutgoingEmail, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("created_at", "pk")
        indexes = [
            models.Index(fields=("ticket", "created_at", "id"), name="message_by_ticket"),
            models.Index(
                fields=("message_id",),
                condition=~Q(message_id=""),
                name="message_by_message_id",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind="customer", contact__isnull=False, user__isnull=True)
                    | Q(kind__in=("reply", "note"), user__isnull=False, contact__isnull=True)
                ),
                name="message_has_the_right_author",
            ),
            models.CheckConstraint(
                condition=~Q(kind="note") | Q(internal=True), name="message_note_is_internal"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def author_name(self) -> str:
        return str(self.contact or self.user)


class Attachment(models.Model):
    """A file that came with a message; stored under a name of our own."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("content type"), max_length=120)
    content_id = models.CharField(_("Content-ID"), max_length=255, blank=True)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.BinaryField(_("SHA-256"), max_length=32)
    file = models.FileField(_("file"), upload_to="attachments/%Y/%m/", max_length=200)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name


class Detail(models.Model):
    """A piece of information gathered for a ticket, with where it came from.

    An empty value is one the customer was asked for and has not given yet.
    """

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_index=False, related_name="details"
    )
    key = models.SlugField(_("key"))
    value = models.CharField(_("value"), max_length=1000, blank=True)
    asked_at = models.DateTimeField(_("asked for"), null=True, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="details"
    )
    sentence = models.CharField(_("found in"), max_length=500, blank=True)
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("gathered"))

    class Meta:
        verbose_name = _("detail")
        verbose_name_plural = _("details")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("ticket", "key"), name="detail_once_per_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"


class Event(models.Model):
    """Something that happened to a ticket. Append-only; ids and values, never texts."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_index=False, related_name="events"
    )
    kind = models.CharField(_("kind"), max_length=40)
    at = models.DateTimeField(_("at"))
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("at", "pk")
        indexes = [models.Index(fields=("ticket", "at", "id"), name="event_by_ticket")]

    def __str__(self) -> str:
        return f"{self.kind}, {self.at:%Y-%m-%d %H:%M}"
