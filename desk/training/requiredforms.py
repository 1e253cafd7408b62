"""The forms of ``/training/…/people/``."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from desk.formfields import ChoiceField, PersonField, TeamField
from staff.models import Role, Tier, User
from training import sight
from training.requiring import LONGEST_DAYS


class DayField(forms.DateField):
    """A day in the reader's time zone, as the moment at which it ends."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")
        super().__init__(widget=widget, **options)

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is None:
            return None
        if not 2000 <= day.year < 2100:
            raise ValidationError(_("This time is too far away."))
        # Its last second, so that it is shown as the day that was meant.
        last = datetime.combine(day, time(23, 59, 59), timezone.get_current_timezone())
        return last.astimezone(UTC)


class RequireForm(forms.Form):
    """Of whom a procedure is required."""

    role = ChoiceField(
        label=_("Role"), required=False, choices=[("", _("Every role")), *Role.choices]
    )
    team = TeamField(label=_("Team"), required=False, empty_label=_("Every team"))
    tier = ChoiceField(label=_("Tier"), required=False)
    due_days = forms.IntegerField(
        label=_("Days to complete it"),
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=14,
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric"}),
    )

    def __init__(self, data: object = None, *, by: User) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        team = self.fields["team"]
        assert isinstance(team, TeamField)
        team.queryset = sight.teams_of(by).select_related("tier").order_by("tier__number", "name")
        if not by.sees_every_team:
            team.required, team.empty_label = True, None
        tier = self.fields["tier"]
        assert isinstance(tier, ChoiceField)
        self.tiers = {str(each.pk): each for each in Tier.objects.all()}
        tier.choices = [
            ("", _("Every tier")),
            *((key, each.name) for key, each in self.tiers.items()),
        ]

    def chosen_tier(self) -> Tier | None:
        return self.tiers.get(self.cleaned_data["tier"])


class AskForm(forms.Form):
    """One person, and by when."""

    person = PersonField(label=_("Person"))
    due = DayField(label=_("To be completed by"))

    def __init__(self, data: object = None, *, by: User) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        person = self.fields["person"]
        assert isinstance(person, PersonField)
        person.queryset = sight.people_of(by).filter(is_active=True).order_by("name")
