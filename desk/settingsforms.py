"""The forms of ``/settings/``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from desk.formfields import Boxes, ChoiceField, LineField, TextField
from staff.apitokens import TokenRefused
from staff.models import Scope, User
from staff.zones import every_zone

#: What somebody may change of themselves; name, address and role are the admin's.
PREFERENCES = ("language", "zone", "signature", "mail_notifications", "single_keys")
#: The choice of an expiry by its day.
BY_DATE = "date"


class BoxField(forms.BooleanField):
    """A box that may stay empty."""

    def __init__(self, **options: Any) -> None:
        widget = forms.CheckboxInput(attrs={"class": "form-check-input"})
        super().__init__(widget=widget, required=False, **options)


class PreferencesForm(forms.Form):
    """How the desk speaks to a person, and what stands below what they write."""

    language = ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    zone = ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name.replace("_", " ")) for name in every_zone()],
        help_text=_("Times on the desk and in letters to you are told in it."),
    )
    signature = TextField(
        label=_("Signature"),
        rows=4,
        max_length=2000,
        required=False,
        help_text=_("Stands below your answers to customers."),
    )
    mail_notifications = BoxField(label=_("Tell me by e-mail what is new for me"))
    single_keys = BoxField(label=_("Single-key shortcuts"))

    @classmethod
    def of(cls, user: User) -> PreferencesForm:
        return cls(initial={name: getattr(user, name) for name in PREFERENCES})

    def save(self, user: User) -> None:
        """Write what has changed, and nothing else: an admin may be at work on the same person."""
        changed = [name for name in PREFERENCES if getattr(user, name) != self.cleaned_data[name]]
        for name in changed:
            setattr(user, name, self.cleaned_data[name])
        if changed:
            user.save(update_fields=changed)


class TokenForm(forms.Form):
    """What a program may do, and for how long."""

    name = LineField(
        label=_("Name"),
        max_length=80,
        placeholder=_("Nightly export"),
        help_text=_("The program that will use it, so that you know it again."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), choices=Scope.choices, widget=Boxes()
    )
    lasts = ChoiceField(
        label=_("Expires"),
        choices=[
            ("30", _("in 30 days")),
            ("90", _("in 90 days")),
            ("365", _("in a year")),
            (BY_DATE, _("at the end of a day")),
        ],
        initial="90",
    )
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        help_text=_("Where it expires at the end of a day; within a year."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("lasts") == BY_DATE and "until" in cleaned and cleaned["until"] is None:
            raise ValidationError({"until": _("Which day?")})
        return cleaned

    def expires_at(self, now: datetime) -> datetime:
        """When the token expires; a day ends at the reader's midnight."""
        if self.cleaned_data["lasts"] != BY_DATE:
            return now + timedelta(days=int(self.cleaned_data["lasts"]))
        try:
            return timezone.make_aware(
                datetime.combine(self.cleaned_data["until"] + timedelta(days=1), time.min)
            )
        except OverflowError:  # the last day of all years
            return datetime.max.replace(tzinfo=now.tzinfo)

    def refuse(self, refusal: TokenRefused) -> None:
        """Show a refusal at the field it names, or above the form."""
        named: Mapping[str, str] = {
            "expires_at": "until" if self.cleaned_data["lasts"] == BY_DATE else "lasts"
        }
        field = named.get(refusal.field or "", refusal.field)
        self.add_error(field if field in self.fields else None, str(refusal))
