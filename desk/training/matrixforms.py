"""What the address of ``/training/people/`` may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from desk.formfields import ChoiceField, offer
from desk.training.matrix import Wanted, Wish
from staff.models import Role, Team
from training.models import ProcedureVersion

#: How somebody stands, in words.
WANTED = {
    Wanted.CURRENT: _("completed"),
    Wanted.ASKED: _("to learn"),
    Wanted.OVERDUE: _("overdue"),
    Wanted.EXPIRED: _("expired"),
    Wanted.NEVER: _("never completed"),
}


class Filter(forms.Form):
    """Which people of which procedure; anything that is no choice is refused."""

    procedure = ChoiceField(label=_("Procedure"), required=False)
    team = ChoiceField(label=_("Team"), required=False)
    role = ChoiceField(
        label=_("Role"), required=False, choices=[("", _("Every role")), *Role.choices]
    )
    standing = ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Every state")), *((each.value, said) for each, said in WANTED.items())],
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"class": "form-control", "type": "search"}),
    )

    def __init__(
        self, data: object, *, offered: Sequence[ProcedureVersion], teams: QuerySet[Team]
    ) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        offer(self, "procedure", [(each.procedure.slug, each.name) for each in offered])
        offer(
            self,
            "team",
            [("", str(_("Every team"))), *((str(team.pk), team.name) for team in teams)],
        )

    def wish(self) -> Wish:
        asked = self.cleaned_data
        return Wish(
            team=int(asked["team"]) if asked["team"] else None,
            role=asked["role"],
            standing=asked["standing"],
            name=asked["name"],
        )

    @property
    def kept(self) -> dict[str, str]:
        """What is asked for, as an address says it again."""
        return {name: value for name, value in self.cleaned_data.items() if value}
