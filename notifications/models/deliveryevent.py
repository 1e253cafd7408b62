from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.models.mail import OutgoingEmail


class DeliveryKind(models.TextChoices):
    ACCEPTED = "accepted", _("taken by the mail server")
    DELIVERED = "delivered", _("delivered")
    BOUNCED = "bounced", _("bounced")
    COMPLAINED = "complained", _("complained of")
    DELAYED = "delayed", _("delayed")


class DeliverySource(models.TextChoices):
    SMTP = "smtp", _("our mail server")
    DSN = "dsn", _("a delivery report")
    WEBHOOK = "webhook", _("the mail provider")


class DeliveryEvent(models.Model):
    """What became of one letter for one recipient, as far as we were told."""

    email = models.ForeignKey(
        OutgoingEmail, on_delete=models.CASCADE, related_name="delivery_events"
    )
    about = models.CharField(_("about"), max_length=40, blank=True)
    kind = models.CharField(_("what happened"), max_length=10, choices=DeliveryKind.choices)
    source = models.CharField(_("told by"), max_length=7, choices=DeliverySource.choices)
    at = models.DateTimeField(_("at"))
    recipient = models.CharField(_("recipient"), max_length=254)
    status = models.CharField(_("status code"), max_length=20, blank=True)
    said = models.CharField(_("said"), max_length=500, blank=True)
    event_key = models.CharField(_("key"), max_length=200, unique=True)
    taken_at = models.DateTimeField(
        _("taken in"),
        null=True,
        blank=True,
        help_text=_("Since when whoever queued the mail knows of it."),
    )

    class Meta:
        verbose_name = _("delivery event")
        verbose_name_plural = _("delivery events")
        ordering = ("-at", "-pk")
        indexes = [
            models.Index(fields=("id",), name="delivery_new", condition=Q(taken_at=None)),
            models.Index(fields=("about", "id"), name="delivery_about"),
            models.Index(fields=("recipient", "id"), name="delivery_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.recipient} {self.status}".strip()

    @property
    def is_hard(self) -> bool:
        """Whether the address itself was refused, for good (RFC 3463: class 5)."""
        return self.kind == DeliveryKind.BOUNCED and self.status.startswith("5")

    def is_overcome_by(self, later: DeliveryEvent) -> bool:
        """Whether what was heard later shows that letters arrive again.

        That a mail server takes a letter shows it only where it was the mail server that had
        refused the other one, or the letter goes to another address: what is only reported
        afterwards was taken, too.
        """
        if (later.at, later.pk) <= (self.at, self.pk):
            return False
        if later.kind == DeliveryKind.DELIVERED:
            return True
        return later.kind == DeliveryKind.ACCEPTED and (
            self.source == DeliverySource.SMTP or later.recipient != self.recipient
        )
