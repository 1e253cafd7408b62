from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from staff.models import Calendar, Skill, Team, Tier, User
from staff.patterns import PatternError, compiled
from staff.zones import validate_zone

if TYPE_CHECKING:
    from staff.businesstime import OpenHours


class Complexity(models.TextChoices):
    SIMPLE = "simple", _("Simple")
    MODERATE = "moderate", _("Moderate")
    SPECIALIST = "specialist", _("Specialist")


class Plan(models.Model):
    """What an organization bought; its SLA targets stand in the policy, by plan and priority."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=40)
    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, related_name="plans", verbose_name=_("calendar")
    )
    in_customer_zone = models.BooleanField(
        _("in the organization's time zone"),
        default=True,
        help_text=_("The calendar's hours are read in the zone of each organization."),
    )
    rank = models.PositiveSmallIntegerField(_("rank"), default=1)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ("rank", "name")

    def __str__(self) -> str:
        return self.name


class Organization(models.Model):
    """The customer company."""

    name = models.CharField(_("name"), max_length=120)
    customer_id = models.CharField(_("customer ID"), max_length=40, unique=True)
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="organizations", verbose_name=_("plan")
    )
    zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    account_manager = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="accounts",
        verbose_name=_("account manager"),
    )

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def business_time(self) -> OpenHours:
        """The plan's calendar in force, in this organization's zone where the plan says so."""
        version = self.plan.calendar.in_force
        return version.business_time(zone=self.zone if self.plan.in_customer_zone else None)


class OrganizationDomain(models.Model):
    """A mail domain whose senders belong to an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(_("domain"), max_length=253)

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        ordering = ("domain",)
        constraints = [
            models.UniqueConstraint(Lower("domain"), name="organization_domain_once"),
        ]

    def __str__(self) -> str:
        return self.domain


class Contact(models.Model):
    """A person at a customer."""

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail address"))
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    is_escalation_contact = models.BooleanField(
        _("escalation contact"),
        default=False,
        help_text=_("Sees the organization's tickets, and is told when a letter bounces."),
    )
    verified_at = models.DateTimeField(
        _("address verified"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When it was proven that who writes reads this mailbox."),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="contact_email_once_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.strip() else self.email.partition("@")[0]


class Category(models.Model):
    """What a ticket is about; says which details are needed and who knows about it."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    complexity = models.CharField(
        _("complexity"),
        max_length=10,
        choices=Complexity.choices,
        default=Complexity.MODERATE,
        help_text=_("What a ticket of this category starts with."),
    )
    keywords = models.TextField(
        _("keywords"),
        blank=True,
        max_length=2000,
        help_text=_("One a line; a new ticket whose subject or text holds one gets this category."),
    )
    skills = models.ManyToManyField(Skill, verbose_name=_("skills"), blank=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class CategoryTeam(models.Model):
    """The team that knows a category at one tier."""

    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="teams")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, verbose_name=_("tier"))
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="categories", verbose_name=_("team")
    )

    class Meta:
        verbose_name = _("team of a category")
        verbose_name_plural = _("teams of categories")
        ordering = ("category", "tier__number")
        constraints = [
            models.UniqueConstraint(
                fields=("category", "tier"), name="category_has_one_team_per_tier"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}, {self.tier}: {self.team}"


def validate_pattern(value: str) -> None:
    """Accept what google-re2 can run: patterns here meet text that strangers wrote."""
    try:
        compiled(value)
    except PatternError as error:
        raise ValidationError(
            _("This pattern cannot be read: %(why)s"), params={"why": str(error)}
        ) from error


class RequiredDetail(models.Model):
    """A piece of information a category's tickets cannot be escalated without."""

    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, related_name="required_details"
    )
    key = models.SlugField(_("key"))
    label = models.CharField(_("label"), max_length=80)
    labels = models.JSONField(
        _("label by language"), default=dict, blank=True, help_text=_('Such as {"de": "…"}.')
    )
    pattern = models.CharField(
        _("pattern"),
        max_length=400,
        blank=True,
        validators=[validate_pattern],
        help_text=_("Finds it in a conversation; its first group is the value."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("required detail")
        verbose_name_plural = _("required details")
        ordering = ("category", "position", "key")
        constraints = [
            models.UniqueConstraint(fields=("category", "key"), name="required_detail_once"),
        ]

    def __str__(self) -> str:
        return self.label

    def label_in(self, language: str) -> str:
        """The label in a language such as ``de``; the plain one where there is none."""
        found = self.labels.get(language)
        return found if isinstance(found, str) and found else self.label

    @property
    def local_label(self) -> str:
        """The label in the reader's language."""
        return self.label_in((get_language() or "en").partition("-")[0])
