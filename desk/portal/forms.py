"""The forms of the web form and the portal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from desk.detailfields import WithDetails, name_of
from desk.formfields import LineField, TextField
from desk.portal.uploads import FilesField
from tickets.intake import LONGEST_SUBJECT
from tickets.models import RequiredDetail
from tickets.webform import CUSTOMER_ID

LONGEST_TEXT = 50_000


class NewTicketForm(WithDetails):
    """What a visitor asks, and who they say they are."""

    name = LineField(max_length=120, label=_("Your name"))
    email = forms.EmailField(
        max_length=254,
        label=_("Your e-mail address"),
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "email"}),
    )
    customer_id = LineField(max_length=40, required=False, label=_("Your customer ID"))
    subject = LineField(max_length=LONGEST_SUBJECT, label=_("What is it about?"))
    text = TextField(rows=7, max_length=LONGEST_TEXT, label=_("What happened?"))
    attachments = FilesField(label=_("Files"))
    #: No person sees it. A program that fills in whatever there is gives itself away.
    website = forms.CharField(required=False, max_length=1000, label="Website")

    def __init__(self, *args: Any, details: Iterable[RequiredDetail], **options: Any) -> None:
        super().__init__(*args, **options)
        self.ask_for(details)
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        if name_of(CUSTOMER_ID) in self.fields:
            del self.fields["customer_id"]
        # Who you are, what it is about, what we will want to know, what happened.
        self.order_fields(
            ["name", "email", "customer_id", "subject", "text", *self.detail_names, "attachments"]
        )

    @property
    def shown(self) -> list[forms.BoundField]:
        return [field for field in self if field.name != "website"]


class AddressForm(forms.Form):
    email = forms.EmailField(
        max_length=254,
        label=_("Your e-mail address"),
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "email"}),
    )


class AnswerForm(forms.Form):
    text = TextField(rows=5, max_length=LONGEST_TEXT, label=_("Your answer"))
    attachments = FilesField(label=_("Files"))


class ReopenForm(forms.Form):
    text = TextField(rows=3, max_length=LONGEST_TEXT, label=_("What is still wrong?"))
    attachments = FilesField(label=_("Files"))


class DetailsForm(WithDetails):
    """What was asked for and is not there yet."""

    def __init__(self, *args: Any, details: Iterable[RequiredDetail], **options: Any) -> None:
        super().__init__(*args, **options)
        self.ask_for(details)


class EscalateForm(forms.Form):
    reason = TextField(rows=3, max_length=4000, label=_("Why is it more urgent?"))


class MuteForm(forms.Form):
    muted = forms.BooleanField(required=False, widget=forms.HiddenInput)
