"""The form of the configuration in which a policy is written."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from escalation.defaults import default_body
from escalation.models import Policy
from escalation.policyspec import PolicySpec
from escalation.policytext import read_policy, write_policy
from escalation.problems import PolicyErrors
from staff.configuration import CodeArea


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    """A policy with its newest version; saving another text keeps it as a draft."""

    file = forms.CharField(
        label=_("Policy file"),
        widget=CodeArea(rows=40),
        help_text=_("YAML. What is saved is a draft: it decides nothing until it is published."),
    )

    class Meta:
        model = Policy
        fields = ("name", "slug")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = self.instance.versions.order_by("-number").first() if self.instance.pk else None
        self.initial["file"] = write_policy(newest.body if newest else default_body())

    def clean_file(self) -> PolicySpec:
        try:
            return read_policy(self.cleaned_data["file"])
        except PolicyErrors as errors:
            raise ValidationError([str(error) for error in errors.errors]) from errors
