"""What the desk itself remembers; what is worked on belongs to the apps below."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models import ApiToken, User


class IdempotentRequest(models.Model):
    """A request that a program may send again: what it asked, and what was answered.

    It is kept for a day. ``status`` is 0 only inside the transaction that does the work.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(_("key"), max_length=200)
    fingerprint = models.BinaryField(_("fingerprint"), max_length=32)
    status = models.PositiveSmallIntegerField(_("status"))
    body = models.TextField(_("answer"), blank=True)
    location = models.CharField(_("location"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("sent"))

    class Meta:
        verbose_name = _("request of the API")
        verbose_name_plural = _("requests of the API")
        constraints = [
            models.UniqueConstraint(fields=("token", "key"), name="idempotent_request_once"),
        ]
        indexes = [models.Index(fields=("created_at",), name="idempotent_request_by_age")]

    def __str__(self) -> str:
        return self.key


class SelfCheck(models.Model):
    """A self-check that was asked for and, once it is made, what it came to.

    ``results`` is the list ``checks`` of the command's JSON: names, counts and ids, no texts.
    """

    asked_at = models.DateTimeField(_("asked for"))
    asked_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
        help_text=_("Nobody where its day had come."),
    )
    begun_at = models.DateTimeField(_("begun"), null=True, blank=True)
    made_at = models.DateTimeField(_("made"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), default=0)
    found = models.PositiveIntegerField(_("promises not kept"), default=0)
    failed = models.PositiveIntegerField(_("checks not made"), default=0)
    results = models.JSONField(_("results"), default=list)

    class Meta:
        verbose_name = _("self-check")
        verbose_name_plural = _("self-checks")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(made_at=None), name="self_check_asked_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"
