"""The forms of the configuration that need more than their model says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm as UnfoldUserChangeForm
from unfold.forms import UserCreationForm as UnfoldUserCreationForm

from staff.businesstime import OpenHours
from staff.calendars import canonical
from staff.configuration import CodeArea
from staff.hours import CalendarError, Hours
from staff.models import Absence, Calendar, Role, Team, User

#: What a calendar's form offers to begin with.
OFFICE_HOURS: dict[str, object] = {
    "zone": "Europe/Berlin",
    "weekly": {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "exceptions": {},
}


class _OnceInAnyCase:
    """E-mail addresses are kept small, and nobody else may have this one."""

    cleaned_data: dict[str, Any]
    instance: User

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Somebody here has this address already."))
        return email


class UserCreationForm(_OnceInAnyCase, UnfoldUserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("email", "name", "role")


class UserChangeForm(_OnceInAnyCase, UnfoldUserChangeForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = "__all__"  # the page's fieldsets say which

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays = cleaned.get("is_active") and (
            cleaned.get("role") == Role.ADMIN or self.instance.is_superuser
        )
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=self.instance.pk)
        if not stays and not others.exists():
            raise ValidationError(
                _("Somebody must be left who can configure: make an admin first.")
            )
        return cleaned


class AbsenceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = Absence
        fields = ("user", "starts_at", "ends_at", "backup")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", gettext("An absence ends after it starts."))
        if cleaned.get("backup") and cleaned["backup"] == cleaned.get("user"):
            self.add_error("backup", gettext("Nobody stands in for themselves."))
        return cleaned


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = Team
        fields = "__all__"  # noqa: DJ007  # the page's fieldsets say which

    def clean_backup_team(self) -> Team | None:
        backup: Team | None = self.cleaned_data["backup_team"]
        if backup is not None and backup.pk == self.instance.pk:
            raise ValidationError(_("A team cannot be its own backup."))
        return backup


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    """A calendar with the hours in force; saving other hours publishes a new version."""

    hours = forms.CharField(
        label=_("Hours"),
        widget=CodeArea(),
        help_text=_(
            "The zone, the hours of each day of the week, and the dates that differ: [] is closed. "
            "Days that are left out are closed; 24:00 is the midnight that ends the day."
        ),
    )
    edited = forms.IntegerField(widget=forms.HiddenInput(), required=False)
    #: Hours to look through before they are saved, instead of those in force.
    suggested: Hours | None = None
    #: When the form is shown, or checked.
    now: datetime

    class Meta:
        model = Calendar
        fields = ("name", "slug")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = (
            self.instance.versions.order_by("-number").first() if self.instance.pk else None
        )
        shown = canonical(self.newest) if self.newest else OFFICE_HOURS
        if self.suggested is not None:
            shown = self.suggested.to_json()
        self.initial["hours"] = hours_text(shown)
        self.initial["edited"] = self.newest.number if self.newest else None

    def clean_hours(self) -> Hours:
        try:
            data = json.loads(self.cleaned_data["hours"], object_pairs_hook=_without_doubles)
        except json.JSONDecodeError as error:
            raise ValidationError(
                _("Line %(line)s, column %(column)s: %(reason)s"),
                params={"line": error.lineno, "column": error.colno, "reason": error.msg},
            ) from error
        except CalendarError as error:
            raise ValidationError(str(error)) from error
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not JSON.")) from error
        if not isinstance(data, dict):
            raise ValidationError(_("Write an object with zone, weekly and exceptions."))
        try:
            hours = Hours.from_json(data)
            OpenHours(hours).next_open(self.now)
            return hours
        except CalendarError as error:
            raise ValidationError(str(error)) from error

    def clean_edited(self) -> int | None:
        edited: int | None = self.cleaned_data["edited"]
        if self.newest is not None and edited != self.newest.number:
            self.add_error(
                "hours",
                gettext("Somebody has published version %(number)s meanwhile: open the page again.")
                % {"number": self.newest.number},
            )
        return edited


def hours_text(hours: Mapping[str, object]) -> str:
    """Write hours so that people can read and edit them: a day a line."""
    parts = []
    for key, value in hours.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, Mapping) and value:
            lines = (
                f"    {json.dumps(day)}: {json.dumps(intervals)}"
                for day, intervals in value.items()
            )
            text = "{\n" + ",\n".join(lines) + "\n  }"
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON; a key that stands twice is a mistake, of which half would be lost."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise CalendarError(key, gettext("stands here twice"))
        found[key] = value
    return found
