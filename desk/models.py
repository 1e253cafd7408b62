"""What the desk itself remembers; what is worked on belongs to the apps below."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from staff.models import ApiToken


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
