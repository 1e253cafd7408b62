from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from escalation.models.escalation import Escalation
from staff.models import User


class Review(models.Model):
    """What a lead says of an escalation afterwards: whether it could have been avoided, and how."""

    escalation = models.OneToOneField(Escalation, on_delete=models.CASCADE, related_name="review")
    avoidable = models.BooleanField(_("avoidable"))
    note = models.TextField(_("what to learn from it"), blank=True, max_length=2000)
    at = models.DateTimeField(_("reviewed"))
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("reviewed by")
    )

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.escalation_id}: {'avoidable' if self.avoidable else 'needed'}"
