from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from staff.models.people import User


class Scope(models.TextChoices):
    """What a program may do with a token, never more than the person it acts for."""

    TICKETS_READ = "tickets:read", _("Read tickets, their messages and details")
    TICKETS_WRITE = "tickets:write", _("Open tickets, answer them and change them")
    ESCALATIONS_READ = "escalations:read", _("Read escalations, promises and explanations")
    ESCALATIONS_WRITE = "escalations:write", _("Escalate, and answer offers")
    CUSTOMERS_READ = "customers:read", _("Read organizations and contacts")
    CUSTOMERS_WRITE = "customers:write", _("Add and change organizations and contacts")
    STAFF_READ = "staff:read", _("Read who works here, in which teams")


class TokenState(models.TextChoices):
    LIVE = "live", _("live")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def live(self, now: datetime) -> ApiTokenQuerySet:
        """Those that are neither expired nor revoked."""
        return self.filter(expires_at__gt=now, revoked_at=None)


class ApiToken(models.Model):
    """A key with which a program acts for a person, within scopes, until a day. Only its hash is
    kept.

    The hash is SHA-256 without a salt: the key has 256 bits, which nobody can try, so that a slow
    hash would cost every request time and keep nobody out.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=80, help_text=_("The program that uses it."))
    prefix = models.CharField(_("begins with"), max_length=12)
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope.choices), verbose_name=_("scopes")
    )
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("revoked by"),
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="api_token_expires_after_it_is_made",
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values, scopes__len__gt=0),
                name="api_token_scopes_are_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def state(self, now: datetime) -> TokenState:
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.expires_at <= now else TokenState.LIVE

    def allows(self, scope: str) -> bool:
        return scope in self.scopes
