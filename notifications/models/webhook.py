from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from staff.models import Team

if TYPE_CHECKING:
    from staff.models import User


class Preset(models.TextChoices):
    """Who listens, and so in which words it is told."""

    STANDARD = "standard", _("A program (Standard Webhooks)")
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    MATTERMOST = "mattermost", "Mattermost"
    GOOGLE_CHAT = "google_chat", "Google Chat"
    DISCORD = "discord", "Discord"


class WhyOff(models.TextChoices):
    HAND = "hand", _("turned off by hand")
    GONE = "gone", _("the receiver said that it is gone")
    FAILING = "failing", _("nothing arrived any more for days")


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> WebhookQuerySet:
        """Those that tell nothing which this person may not see."""
        if user.sees_every_team:
            return self
        return self.filter(private_too=False).filter(
            Q(team__isnull=True)
            | Q(team__is_private=False)
            | Q(team__in=user.teams.values("pk"))
            | Q(team__in=user.led_teams.values("pk"))
        )

    def listening(self) -> WebhookQuerySet:
        return self.filter(is_active=True)


class Webhook(models.Model):
    """An address that is told what happens, as Standard Webhooks has it.

    Without a team it hears of every ticket but those of private teams; with one, of that team's
    alone. ``private_too`` is an admin's word: then it hears of private teams' as well.
    """

    name = models.CharField(_("name"), max_length=80)
    url = models.CharField(_("address"), max_length=500)
    preset = models.CharField(
        _("receiver"), max_length=12, choices=Preset.choices, default=Preset.STANDARD
    )
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    events = ArrayField(models.CharField(max_length=60), verbose_name=_("events"), default=list)
    team = models.ForeignKey(
        Team,
        # Without it the webhook would hear of every team's tickets.
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        verbose_name=_("team"),
    )
    private_too = models.BooleanField(_("private teams, too"), default=False)
    key = models.CharField(_("key"), max_length=120)
    previous_key = models.CharField(_("key before"), max_length=120, blank=True)
    previous_key_until = models.DateTimeField(_("signs until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    disabled_at = models.DateTimeField(_("off since"), null=True, blank=True)
    disabled_why = models.CharField(_("why off"), max_length=8, choices=WhyOff.choices, blank=True)
    failing_since = models.DateTimeField(_("nothing arrives since"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("made"))

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="webhook_name_once_in_any_case"),
            models.CheckConstraint(
                condition=Q(preset__in=Preset.values), name="webhook_preset_is_known"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, disabled_at__isnull=True, disabled_why="")
                | Q(is_active=False, disabled_at__isnull=False, disabled_why__in=WhyOff.values),
                name="webhook_off_says_since_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(previous_key="", previous_key_until__isnull=True)
                | (~Q(previous_key="") & Q(previous_key_until__isnull=False)),
                name="webhook_key_before_ends",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(private_too=False),
                name="webhook_of_a_team_hears_of_no_other",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("notifications:webhook", args=(self.pk,))

    @property
    def place(self) -> str:
        """Where it leads, without what may be a secret in it."""
        return urlsplit(self.url).hostname or "?"

    @property
    def is_chat(self) -> bool:
        return self.preset != Preset.STANDARD

    def keys(self, now: datetime) -> list[str]:
        """What signs now: two of them while the older one is being replaced."""
        if self.previous_key and self.previous_key_until and now < self.previous_key_until:
            return [self.key, self.previous_key]
        return [self.key]


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")
    WITHDRAWN = "withdrawn", _("not sent")


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def waiting(self) -> WebhookDeliveryQuerySet:
        return self.filter(state=DeliveryState.QUEUED)


class WebhookDelivery(models.Model):
    """One message for one webhook: the row stands before anything is sent.

    ``body`` is what is sent and signed, byte for byte, however often; ``message_id`` stays, so
    that a receiver knows a repetition.
    """

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    dedupe_key = models.CharField(_("dedupe key"), max_length=120, unique=True)
    message_id = models.CharField(_("message id"), max_length=60, unique=True)
    event_type = models.CharField(_("event"), max_length=60)
    about = models.CharField(_("about"), max_length=40, blank=True)
    ref = models.CharField(_("reference"), max_length=30, blank=True)
    body = models.TextField(_("body"))
    state = models.CharField(
        _("state"), max_length=9, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tries = models.PositiveSmallIntegerField(
        _("attempts in this round"), default=0, help_text=_("A resend begins a new round.")
    )
    next_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    lease_token = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    latency_ms = models.PositiveIntegerField(_("answered after (ms)"), null=True, blank=True)
    created_at = models.DateTimeField(_("queued"))
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    in_doubt = models.ForeignKey(
        "OutboxPause",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="messages_in_doubt",
        verbose_name=_("in doubt since"),
        help_text=_("It waited when the backup was made, and may have been sent since."),
    )

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("-pk",)
        indexes = [
            models.Index(
                fields=("webhook", "next_at", "id"),
                name="hook_due",
                condition=Q(next_at__isnull=False),
            ),
            models.Index(
                fields=("webhook", "lease_until"),
                name="hook_leased",
                condition=Q(state=DeliveryState.SENDING),
            ),
            models.Index(fields=("webhook", "-id"), name="hook_log"),
            models.Index(fields=("webhook", "state", "-id"), name="hook_log_by_state"),
            models.Index(fields=("about", "id"), name="hook_about"),
            models.Index(
                fields=("in_doubt",), name="hook_in_doubt", condition=Q(in_doubt__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="hook_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=DeliveryState.SENDING,
                    lease_until__isnull=False,
                    lease_token__isnull=False,
                )
                | (
                    ~Q(state=DeliveryState.SENDING)
                    & Q(lease_until__isnull=True, lease_token__isnull=True)
                ),
                name="hook_leased_only_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.QUEUED, next_at__isnull=False)
                | (~Q(state=DeliveryState.QUEUED) & Q(next_at__isnull=True)),
                name="hook_due_only_while_queued",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.DELIVERED) | Q(delivered_at__isnull=False),
                name="hook_delivered_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} to {self.webhook_id}"

    @property
    def is_settled(self) -> bool:
        return self.state not in (DeliveryState.QUEUED, DeliveryState.SENDING)


class WebhookAttempt(models.Model):
    """What one attempt met."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="tried", verbose_name=_("delivery")
    )
    at = models.DateTimeField(_("at"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    said = models.CharField(_("answer"), max_length=500, blank=True)
    latency_ms = models.PositiveIntegerField(_("answered after (ms)"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.status or self.said}"


class MailOutage(models.Model):
    """A stretch of time in which letters were due and none went out."""

    began_at = models.DateTimeField(_("since"))
    noticed_at = models.DateTimeField(_("noticed"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail outage")
        verbose_name_plural = _("mail outages")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(ended_at=None), name="mail_outage_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"
