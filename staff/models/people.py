from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from staff.businesstime import OpenHours, compiled
from staff.hours import Hours
from staff.zones import validate_zone


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    LEAD = "lead", _("Lead")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class Skill(models.Model):
    """Something a person knows that a ticket may need."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person who works here; without a password they cannot sign in."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def leading(self) -> models.QuerySet[User]:
        """Whoever works here and answers for others' work: leads, managers and admins."""
        return self.filter(is_active=True).exclude(role=Role.AGENT)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make an admin with every permission (used by ``createsuperuser``)."""
        return self.create_user(
            email, password, **{"role": Role.ADMIN, "is_superuser": True, **fields}
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person who works here; signs in by e-mail address."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.AGENT)
    skills = models.ManyToManyField(Skill, verbose_name=_("skills"), blank=True)
    zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default="en"
    )
    signature = models.TextField(_("signature"), blank=True, max_length=2000)
    mail_notifications = models.BooleanField(_("notifications by e-mail"), default=True)
    single_keys = models.BooleanField(_("single-key shortcuts"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Whether the configuration pages (Django's admin) open for this person."""
        return self.role == Role.ADMIN or self.is_superuser

    @property
    def is_lead(self) -> bool:
        """Whether this person answers for others' work (leads, managers and admins)."""
        return self.role != Role.AGENT

    @property
    def sees_every_team(self) -> bool:
        return self.role in {Role.MANAGER, Role.ADMIN}

    @property
    def initials(self) -> str:
        parts = self.name.split() or [self.email]
        return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split()[0] if self.name else self.email


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def at(self, moment: datetime | Now) -> AbsenceQuerySet:
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)


class Absence(models.Model):
    """A stretch of time in which somebody's work goes to their backup."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="absences", verbose_name=_("user")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    backup = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stands_in",
        verbose_name=_("backup"),
    )

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ("starts_at", "pk")
        indexes = [models.Index(fields=("ends_at", "starts_at"), name="absence_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(backup__isnull=True) | ~Q(backup=F("user")),
                name="absence_backup_is_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"


class Calendar(models.Model):
    """Business hours under a name; what they are stands in its versions."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def in_force(self) -> CalendarVersion:
        """The newest version; raises ``CalendarVersion.DoesNotExist`` when there is none."""
        return self.versions.latest("number")


class CalendarVersion(models.Model):
    """Business hours as they were at one time; never changed, so that clocks can be re-derived."""

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    hours = models.JSONField(_("hours"), help_text=_("zone, weekly hours and exceptions by date"))
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("calendar version")
        verbose_name_plural = _("calendar versions")
        ordering = ("calendar", "-number")
        constraints = [
            models.UniqueConstraint(fields=("calendar", "number"), name="calendar_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.calendar} v{self.number}"

    def business_time(self, *, zone: str | None = None) -> OpenHours:
        """These hours compiled, in their own zone or, for a plan, in the customer's."""
        # Kept with the row: reading the hours takes a hundred times as long as asking them.
        known: dict[str | None, OpenHours] = self.__dict__.setdefault("_compiled", {})
        if zone not in known:
            hours = self.hours if zone is None else {**self.hours, "zone": zone}
            known[zone] = compiled(Hours.from_json(hours))
        return known[zone]


class Tier(models.Model):
    """A level of expertise: 1 meets the customer, 3 knows the code."""

    number = models.PositiveSmallIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=40)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ("number",)
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=9), name="tier_number_from_1_to_9"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Agents who share work: a department."""

    slug = models.SlugField(_("slug"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, related_name="teams", verbose_name=_("tier")
    )
    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, related_name="teams", verbose_name=_("calendar")
    )
    members = models.ManyToManyField(
        User, related_name="teams", blank=True, verbose_name=_("members")
    )
    leads = models.ManyToManyField(
        User, related_name="led_teams", blank=True, verbose_name=_("leads")
    )
    manager = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="managed_teams",
        verbose_name=_("manager"),
    )
    on_call = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="on_call_for",
        verbose_name=_("on call"),
    )
    backup_team = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="backs_up",
        verbose_name=_("backup team"),
    )
    is_private = models.BooleanField(
        _("private"), default=False, help_text=_("Only its people see its tickets.")
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("tier__number", "name")
        constraints = [
            models.CheckConstraint(
                condition=Q(backup_team__isnull=True) | ~Q(backup_team=F("id")),
                name="team_backup_is_another_team",
            ),
        ]

    def __str__(self) -> str:
        return self.name
