"""A field for each detail that is asked for, in the desk's forms and in the customers'."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from desk.formfields import LineField
from tickets.models import RequiredDetail

_START = "detail-"


def name_of(key: str) -> str:
    """What the field of a detail is called in a form."""
    return f"{_START}{key}"


class WithDetails(forms.Form):
    """Fields for details, in the reader's language; all may stay blank."""

    def ask_for(self, details: Iterable[RequiredDetail]) -> None:
        for detail in details:
            self.fields[name_of(detail.key)] = LineField(
                max_length=1000, required=False, label=detail.local_label
            )

    @property
    def detail_names(self) -> list[str]:
        return [name for name in self.fields if name.startswith(_START)]

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.detail_names]

    @property
    def details(self) -> dict[str, str]:
        """The details that were filled in, by key."""
        return {
            name.removeprefix(_START): self.cleaned_data[name]
            for name in self.detail_names
            if self.cleaned_data.get(name)
        }
