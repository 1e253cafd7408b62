"""The form of the configuration in which a mail's text is written."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.models import MailTemplate
from notifications.templates import TemplateFault, check_template
from staff.configuration import CodeArea


class MailTemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable
    class Meta:
        model = MailTemplate
        fields = ("subject", "text")
        widgets = {"text": CodeArea(rows=14, wide=False)}

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("subject", "text"):
            # Each is checked on its own, so that a fault is told where it was written.
            whole = {"subject": "-", "text": "-", name: cleaned.get(name, "-")}
            try:
                check_template(key=self.instance.key, **whole)
            except TemplateFault as fault:
                self.add_error(name, ValidationError(str(fault)))
        newer = MailTemplate.objects.filter(
            key=self.instance.key,
            language=self.instance.language,
            version__gt=self.instance.version,
        )
        if newer.exists():
            raise ValidationError(_("A newer version is in force: change that one."))
        return cleaned
