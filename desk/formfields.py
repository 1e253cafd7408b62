"""What the desk's forms are made of: their kinds of fields, and what these can be set to.

A form says whether an input can be read; whether it may be done is for the station, whose
``Refused`` comes back to the field it names (``refuse``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise as LazyText
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from escalation.gate import CompletionNeeded
from staff.models import Team, User
from tickets.errors import Refused
from tickets.models import Category
from tickets.models.ticket import Level

if TYPE_CHECKING:
    UserChoiceField = forms.ModelChoiceField[User]
    TeamChoiceField = forms.ModelChoiceField[Team]
    CategoryChoiceField = forms.ModelChoiceField[Category]
else:
    # Generic only for who checks types; Django's own class takes no parameter.
    UserChoiceField = TeamChoiceField = CategoryChoiceField = forms.ModelChoiceField

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def refuse(form: forms.Form, refusal: Refused) -> None:
    """Show a station's refusal at the field it names, or above the form."""
    field = refusal.field if refusal.field in form.fields else None
    said = str(refusal)
    if isinstance(refusal, CompletionNeeded):
        said = format_html('{} <a href="{}">{}</a>', said, refusal.address, _("To the procedure"))
    form.add_error(field, said)


def offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Set what a choice field of one form can be set to."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = choices


def offer_staff(form: forms.Form, *, people: Sequence[User], teams: Sequence[Team]) -> None:
    """Give a form's fields for people and teams what is read already, instead of a query each."""
    for field in form.fields.values():
        if isinstance(field, PersonField):
            _choose(field, [(each.pk, field.label_from_instance(each)) for each in people])
        elif isinstance(field, TeamField):
            _choose(field, [(each.pk, field.label_from_instance(each)) for each in teams])


def offer_categories(form: forms.Form, *, categories: Sequence[Category]) -> None:
    """As ``offer_staff``, for what a ticket can be about."""
    for field in form.fields.values():
        if isinstance(field, CategoryField):
            _choose(field, [(each.pk, field.label_from_instance(each)) for each in categories])


def _choose(field: PersonField | TeamField | CategoryField, choices: list[tuple[int, str]]) -> None:
    empty = [("", field.empty_label)] if field.empty_label is not None else []
    field.choices = [*empty, *choices]


class TextField(forms.CharField):
    """Several lines of text; NULs are refused by Django, the length by us."""

    def __init__(self, *, rows: int = 3, max_length: int = 4000, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "class": "form-control"})
        super().__init__(widget=widget, max_length=max_length, **options)


class LineField(forms.CharField):
    """One line of text."""

    def __init__(
        self, *, max_length: int = 500, placeholder: str | LazyText = "", **options: Any
    ) -> None:
        attrs: dict[str, Any] = {"class": "form-control"}
        if placeholder:
            attrs["placeholder"] = placeholder
        super().__init__(widget=forms.TextInput(attrs=attrs), max_length=max_length, **options)


class WhenNeededField(LineField):
    """One line that is asked for only once something was refused for want of it."""

    when_needed = True


class MomentField(forms.DateTimeField):
    """A moment in the reader's time zone, within this century."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "form-control"}, format="%Y-%m-%dT%H:%M"
        )
        super().__init__(widget=widget, **options)

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is not None and not EARLIEST < moment < LATEST:
            raise ValidationError(_("This time is too far away."))
        return moment


class ChoiceField(forms.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Select(attrs={"class": "form-select"}), **options)


class Boxes(forms.CheckboxSelectMultiple):
    def __init__(self) -> None:
        super().__init__(attrs={"class": "form-check-input"})


class LevelField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=Level.choices,
            coerce=int,
            widget=forms.Select(attrs={"class": "form-select"}),
            **options,
        )


class PersonField(UserChoiceField):
    """Somebody who works here; nobody is a choice where it is not required."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=User.objects.filter(is_active=True).order_by("name"),
            widget=forms.Select(attrs={"class": "form-select"}),
            **{"empty_label": _("choose somebody"), **options},
        )


class TeamField(TeamChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Team.objects.select_related("tier").order_by("tier__number", "name"),
            widget=forms.Select(attrs={"class": "form-select"}),
            **options,
        )

    def label_from_instance(self, team: Team) -> str:
        return f"{team.name} · {team.tier.name}"


class CategoryField(CategoryChoiceField):
    """What a ticket is about; not to know it yet is a choice."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Category.objects.order_by("name"),
            required=False,
            empty_label=_("not known yet"),
            widget=forms.Select(attrs={"class": "form-select"}),
            label=_("Category"),
            **options,
        )
