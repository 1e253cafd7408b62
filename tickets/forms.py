"""The forms of the configuration that need more than their model says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy
from unfold.forms import PaginationInlineFormSet

from tickets.models import Contact, OrganizationDomain, RequiredDetail


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = Contact
        fields = (
            "name",
            "email",
            "organization",
            "is_escalation_contact",
            "language",
            "zone",
            "phone",
        )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if Contact.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(gettext_lazy("Another contact has this address."))
        return email


class OrganizationDomainForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = OrganizationDomain
        fields = ("domain",)

    def clean_domain(self) -> str:
        domain = str(self.cleaned_data["domain"]).strip().lower().removeprefix("@")
        if not domain or any(part in domain for part in " @/,;"):
            raise ValidationError(gettext_lazy("Write a mail domain such as norvik.example."))
        others = OrganizationDomain.objects.filter(domain__iexact=domain)
        found = others.exclude(pk=self.instance.pk).select_related("organization").first()
        if found is not None:
            raise ValidationError(
                gettext_lazy("This domain belongs to %(organization)s."),
                params={"organization": found.organization},
            )
        return domain


class OrganizationDomainFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # unfold is untyped
    """The domains of one organization, none of them twice."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            domain = getattr(form, "cleaned_data", {}).get("domain")
            if domain and domain in seen:
                form.add_error("domain", gettext("This domain stands here twice."))
            seen.add(domain or "")


class RequiredDetailForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = RequiredDetail
        fields = ("position", "key", "label", "labels", "pattern")

    def clean_labels(self) -> dict[str, str]:
        labels: Any = self.cleaned_data["labels"] or {}
        if not isinstance(labels, dict) or not all(isinstance(t, str) for t in labels.values()):
            raise ValidationError(gettext_lazy('Write an object such as {"de": "…"}.'))
        return labels
