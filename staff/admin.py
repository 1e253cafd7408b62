"""The configuration of who works here, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from staff import apitokens
from staff.calendars import (
    UnknownCountry,
    canonical,
    closed_on,
    national_holidays,
    publish_hours,
)
from staff.configuration import Configuration, History, HistoryInline, verbatim
from staff.forms import (
    AbsenceForm,
    CalendarForm,
    TeamForm,
    UserChangeForm,
    UserCreationForm,
    hours_text,
)
from staff.hours import Hours
from staff.models import Absence, ApiToken, Calendar, CalendarVersion, Skill, Team, Tier, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Configuration):  # type: ignore[type-arg,misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active", "teams")
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    filter_horizontal = ()
    autocomplete_fields = ("skills",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        (_("Work"), {"fields": ("role", "skills", "is_active")}),
        (
            _("Preferences"),
            {"fields": ("zone", "language", "signature", "mail_notifications", "single_keys")},
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("name", "email", "role", "usable_password", "password1", "password2")},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever leaves is made inactive: what they did stays theirs."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Addresses kept for signing in and for new passwords would outlive this one otherwise.
        EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()


@admin.register(Skill)
class SkillAdmin(Configuration):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    fixed_fields = ("slug",)


@admin.register(Tier)
class TierAdmin(Configuration):
    list_display = ("number", "name")
    list_display_links = ("number", "name")
    search_fields = ("name",)


@admin.register(Team)
class TeamAdmin(Configuration):
    form = TeamForm
    list_display = ("name", "tier", "calendar", "manager", "on_call", "backup_team", "is_private")
    list_filter = ("tier", "is_private")
    list_select_related = ("tier", "calendar", "manager", "on_call", "backup_team")
    search_fields = ("name", "slug")
    autocomplete_fields = ("members", "leads", "manager", "on_call", "backup_team")
    fixed_fields = ("slug",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "tier", "calendar", "is_private")}),
        (_("People"), {"fields": ("members", "leads", "manager", "on_call", "backup_team")}),
    )


@admin.register(Absence)
class AbsenceAdmin(Configuration):
    form = AbsenceForm
    list_display = ("user", "starts_at", "ends_at", "backup")
    list_select_related = ("user", "backup")
    search_fields = ("user__name", "backup__name")
    autocomplete_fields = ("user", "backup")
    ordering = ("-ends_at", "pk")
    date_hierarchy = "starts_at"


class CalendarVersionInline(HistoryInline):
    model = CalendarVersion
    fields = ("number", "created_at", "created_by")
    readonly_fields = fields
    show_change_link = True
    verbose_name_plural = _("versions")


@admin.register(Calendar)
class CalendarAdmin(Configuration):
    form = CalendarForm
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    fixed_fields = ("slug",)
    fields = ("name", "slug", "hours", "edited")
    inlines = (CalendarVersionInline,)
    change_form_outer_before_template = "staff/admin/_holidays.html"

    def get_form(
        self, request: HttpRequest, obj: Calendar | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Calendar]]:
        form: type[CalendarForm] = super().get_form(request, obj, change, **kwargs)
        form.now = timezone.now()
        if obj is not None and request.method == "GET" and "country" in request.GET:
            form.suggested = self._with_holidays(request, obj)
        return form

    def save_model(self, request: HttpRequest, obj: Calendar, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        version = publish_hours(
            calendar=obj, hours=form.cleaned_data["hours"], by=request.user, now=timezone.now()
        )
        if version is not None:
            told = gettext("Version %(number)s of these hours is in force.")
            messages.success(request, told % {"number": version.number})

    def _with_holidays(self, request: HttpRequest, calendar: Calendar) -> Hours | None:
        """The hours in force, closed on the holidays asked for; nothing is saved."""
        country, year = request.GET["country"], request.GET.get("year", "")
        try:
            days = national_holidays(
                country=country, year=int(year) if year.isdecimal() and len(year) == 4 else 0
            )
            hours = Hours.from_json(calendar.in_force.hours)
        except UnknownCountry:
            told = gettext("No holidays are known for “%(country)s” in “%(year)s”.")
            messages.error(request, told % {"country": country, "year": year})
            return None
        except CalendarVersion.DoesNotExist:
            return None
        suggested = closed_on(hours, days)
        fresh = dict(suggested.exceptions).keys() - dict(hours.exceptions).keys()
        told = ngettext(
            "%(number)s day was added below and is not saved yet. Look it through: %(days)s",
            "%(number)s days were added below and are not saved yet. Look them through: %(days)s",
            len(fresh),
        )
        named = ", ".join(f"{day.isoformat()} {days[day]}" for day in sorted(fresh))
        messages.info(request, told % {"number": len(fresh), "days": named or "–"})
        return suggested


@admin.register(CalendarVersion)
class CalendarVersionAdmin(History):
    list_display = ("calendar", "number", "created_at", "created_by")
    list_display_links = ("calendar", "number")
    list_filter = ("calendar",)
    list_select_related = ("calendar", "created_by")
    fields = ("calendar", "number", "created_at", "created_by", "shown_hours")
    readonly_fields = fields

    @admin.display(description=_("hours"))
    def shown_hours(self, version: CalendarVersion) -> SafeString:
        return verbatim(hours_text(canonical(version)))


@admin.register(ApiToken)
class ApiTokenAdmin(History):
    """Whose programs may do what; an admin takes a token back, and sees of it what its person does."""

    list_display = ("name", "user", "prefix", "created_at", "last_used_at", "expires_at", "state")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "user__name", "user__email", "prefix")
    ordering = ("-pk",)
    actions = ("revoke",)
    fields = (
        "name",
        "user",
        "prefix",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "revoked_by",
    )
    readonly_fields = fields

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> str:
        return str(token.state(timezone.now()).label)

    @admin.action(description=_("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        assert isinstance(request.user, User)
        now = timezone.now()
        revoked = sum(
            apitokens.revoke(token_id=pk, now=now, by=request.user)
            for pk in chosen.values_list("pk", flat=True)
        )
        told = ngettext("%(number)s token is revoked.", "%(number)s tokens are revoked.", revoked)
        messages.success(request, told % {"number": revoked})
