from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from escalation.models.escalation import Escalation
from notifications.models import OutgoingEmail
from staff.models import User
from tickets.models import Ticket

if TYPE_CHECKING:
    from datetime import datetime


class PromiseKind(models.TextChoices):
    REPLY = "reply", _("Reply")
    UPDATE = "update", _("Update")
    RESOLUTION = "resolution", _("Resolution")


class PromiseState(models.TextChoices):
    OPEN = "open", _("Open")
    SUSPENDED = "suspended", _("Waits for the customer")
    KEPT = "kept", _("Kept")
    BROKEN = "broken", _("Broken")
    REPLACED = "replaced", _("Replaced")
    WITHDRAWN = "withdrawn", _("Withdrawn")


LIVE = (PromiseState.OPEN, PromiseState.SUSPENDED)
STANDING = (*LIVE, PromiseState.BROKEN)


class Promise(models.Model):
    """A time a customer was told. At most one is live per ticket.

    A suspended promise has no ``due_at``; ``target`` is what it is given anew when the
    customer has answered.
    """

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_index=False, related_name="promises"
    )
    escalation = models.ForeignKey(
        Escalation, on_delete=models.CASCADE, null=True, blank=True, related_name="promises"
    )
    number = models.PositiveIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=PromiseKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=PromiseState.choices)
    target = models.CharField(_("target"), max_length=20, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    email = models.ForeignKey(
        OutgoingEmail, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    replaces = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaced_by"
    )
    slips = models.PositiveSmallIntegerField(_("slips"), default=0)
    warned_count = models.PositiveSmallIntegerField(_("warnings"), default=0)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    broken_at = models.DateTimeField(_("broken"), null=True, blank=True)
    not_told_since = models.DateTimeField(
        _("customer not told since"),
        null=True,
        blank=True,
        help_text=_("The letter with this time bounced, and none has arrived since."),
    )

    class Meta:
        verbose_name = _("promise")
        verbose_name_plural = _("promises")
        ordering = ("ticket", "number")
        constraints = [
            models.UniqueConstraint(fields=("ticket", "number"), name="promise_number_once"),
            models.UniqueConstraint(
                fields=("ticket",), condition=Q(state__in=LIVE), name="promise_live_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(due_at__isnull=False), name="promise_open_is_due"
            ),
        ]
        indexes = [
            models.Index(fields=("due_at",), condition=Q(state="open"), name="promise_open_by_due"),
            models.Index(
                fields=("ticket",),
                condition=Q(not_told_since__isnull=False),
                name="promise_not_told",
            ),
        ]

    def __str__(self) -> str:
        return f"HD-{self.ticket_id} promise {self.number}"

    @property
    def key(self) -> str:
        return f"HD-{self.ticket_id}:promise:{self.number}"

    @property
    def letter(self) -> OutgoingEmail | None:
        """The mail by which the customer is told: its own, or the one that merged with."""
        return self.email.goes_as if self.email is not None else None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_untold(self) -> bool:
        """Whether the customer does not know of it, and still should."""
        return self.not_told_since is not None and self.state in STANDING

    @property
    def told(self) -> datetime:
        """The time the customer was told; ``ValueError`` while it waits for them."""
        if self.due_at is None:
            raise ValueError(f"{self} is {self.state} and has no time")
        return self.due_at
