from __future__ import annotations

from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from escalation.policyfile import parse_policy
from escalation.policyspec import PolicySpec
from staff.models import User


class Policy(models.Model):
    """When, where and how fast tickets go up; what it says stands in its versions."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def in_force(self) -> PolicyVersion:
        """The newest published version; ``PolicyVersion.DoesNotExist`` when there is none."""
        return self.filter(published_at__isnull=False).latest("published_at", "pk")


class PolicyVersion(models.Model):
    """One state of a policy; never changed once published."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    body = models.JSONField(_("body"))
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ("policy", "-number")
        constraints = [
            models.UniqueConstraint(fields=("policy", "number"), name="policy_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"

    @cached_property
    def spec(self) -> PolicySpec:
        """The body, parsed; ``PolicyErrors`` when it is not a policy."""
        return parse_policy(self.body)
