from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from escalation.models.policy import PolicyVersion
from staff.models import CalendarVersion, User


class RelookCause(models.TextChoices):
    POLICY = "policy", _("A policy was published")
    CALENDAR = "calendar", _("A calendar was changed")


class RelookQuerySet(models.QuerySet["Relook"]):
    def pending(self) -> RelookQuerySet:
        return self.filter(done_at__isnull=True)


class Relook(models.Model):
    """A walk over the tickets that stand, since something they are judged by has changed.

    It goes from ``cursor`` to ``last_id`` in the order of their ids, only while nothing is due.
    With ``to_open_tickets`` running clocks are brought to the policy version as well; without,
    they keep the one they started with.
    """

    cause = models.CharField(_("cause"), max_length=8, choices=RelookCause.choices)
    policy_version = models.ForeignKey(
        PolicyVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="relooks",
        verbose_name=_("policy version"),
    )
    calendar_version = models.OneToOneField(
        CalendarVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="relook",
        verbose_name=_("calendar version"),
    )
    to_open_tickets = models.BooleanField(_("applied to open tickets"), default=False)
    cursor = models.BigIntegerField(
        _("cursor"), default=0, help_text=_("The last ticket that was looked at.")
    )
    last_id = models.BigIntegerField(_("last ticket"))
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    looked = models.PositiveIntegerField(_("tickets looked at"), default=0)
    changed = models.PositiveIntegerField(_("next looks changed"), default=0)
    applied = models.PositiveIntegerField(_("tickets applied to"), default=0)

    objects = RelookQuerySet.as_manager()

    class Meta:
        verbose_name = _("relook")
        verbose_name_plural = _("relooks")
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(cause="policy", policy_version__isnull=False)
                | Q(cause="calendar", calendar_version__isnull=False),
                name="relook_names_its_cause",
            ),
            models.CheckConstraint(
                condition=Q(to_open_tickets=False) | Q(cause="policy"),
                name="relook_applies_a_policy",
            ),
            models.CheckConstraint(
                condition=Q(cursor__gte=0, cursor__lte=F("last_id")), name="relook_within_range"
            ),
        ]
        indexes = [
            models.Index(fields=("id",), condition=Q(done_at=None), name="relook_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.policy_version_id or self.calendar_version_id}"
