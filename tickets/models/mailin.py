from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Message, Ticket


class InboundOutcome(models.TextChoices):
    STORED = "stored", _("Stored, not read yet")
    CREATED = "created", _("Opened a ticket")
    APPENDED = "appended", _("Added to a ticket")
    IGNORED = "ignored", _("Ignored")
    SUSPENDED = "suspended", _("Suspended")
    QUARANTINED = "quarantined", _("Quarantined")


class InboundEmail(models.Model):
    """A mail as it came, byte for byte, kept before anybody tries to read it."""

    mailbox = models.CharField(_("mailbox"), max_length=254, blank=True)
    source = models.CharField(_("source"), max_length=500)
    header_message_id = models.CharField(_("Message-ID"), max_length=500, blank=True)
    sha256 = models.BinaryField(_("SHA-256"), max_length=32)
    raw = models.BinaryField(_("raw mail"))
    size = models.PositiveIntegerField(_("size in bytes"))
    envelope_from = models.CharField(  # noqa: DJ001  # null and empty are different senders
        _("envelope sender"),
        max_length=500,
        null=True,
        blank=True,
        help_text=_("Empty for a null return path, absent where the door does not know it."),
    )
    received_at = models.DateTimeField(_("received"))
    outcome = models.CharField(
        _("outcome"),
        max_length=12,
        choices=InboundOutcome.choices,
        default=InboundOutcome.STORED,
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    same_id_as_another = models.BooleanField(_("another mail has this Message-ID"), default=False)
    ticket = models.ForeignKey(
        Ticket, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_emails"
    )
    message = models.OneToOneField(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_email"
    )

    class Meta:
        verbose_name = _("inbound e-mail")
        verbose_name_plural = _("inbound e-mails")
        ordering = ("-received_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("mailbox", "header_message_id", "sha256"), name="inbound_email_once"
            ),
        ]
        indexes = [
            models.Index(fields=("header_message_id",), name="inbound_email_by_message_id"),
            models.Index(
                fields=("outcome", "-received_at"),
                condition=Q(outcome__in=("stored", "suspended", "quarantined")),
                name="inbound_email_to_look_at",
            ),
        ]

    def __str__(self) -> str:
        return self.header_message_id or f"{self.source} ({self.received_at:%Y-%m-%d %H:%M})"
