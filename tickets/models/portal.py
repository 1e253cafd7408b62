from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.models.customers import Contact


class KeyPurpose(models.TextChoices):
    SIGN_IN = "sign_in", _("Sign in to the portal")
    VERIFY = "verify", _("Confirm an address")


class PortalKey(models.Model):
    """A key in a letter's link that proves its mailbox, once. Only its hash is kept.

    The hash is SHA-256 without a salt: the key has 256 bits, which nobody can try.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="portal_keys")
    purpose = models.CharField(_("purpose"), max_length=8, choices=KeyPurpose.choices)
    digest = models.BinaryField(_("SHA-256"), max_length=32, unique=True)
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("portal key")
        verbose_name_plural = _("portal keys")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=KeyPurpose.values), name="portal_key_purpose_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.created_at:%Y-%m-%d %H:%M}"


class PortalSession(models.Model):
    """A browser in which a contact is signed in. Signing out deletes it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="portal_sessions")
    digest = models.BinaryField(_("SHA-256"), max_length=32, unique=True)
    created_at = models.DateTimeField(_("signed in"))
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("portal session")
        verbose_name_plural = _("portal sessions")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.contact}, {self.created_at:%Y-%m-%d %H:%M}"
