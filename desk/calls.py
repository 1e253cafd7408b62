"""The page on which a call is written down: who may be found, and what may be chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from desk.detailfields import WithDetails
from desk.formfields import ChoiceField, LevelField, LineField, TextField, offer
from staff.models import User
from tickets import calls
from tickets.calls import Caller
from tickets.intake import LONGEST_SUBJECT
from tickets.models import Category, Contact, RequiredDetail, Ticket
from tickets.models.ticket import Level


@dataclass(frozen=True, slots=True)
class Search:
    """Who was asked for, and who was found."""

    words: str
    found: Sequence[Contact]


def search(*, words: str, user: User) -> Search:
    """Find contacts by what somebody typed, whatever that is."""
    words = " ".join("".join(each for each in words if each.isprintable()).split())[:100]
    return Search(words=words, found=calls.find(words=words, user=user))


class CallForm(WithDetails):
    """A call: whose it is, which ticket it is about, what was said, how much it matters."""

    ticket = ChoiceField(label=_("About"), required=False)
    subject = LineField(max_length=LONGEST_SUBJECT, required=False, label=_("Subject"))
    text = TextField(rows=6, max_length=50_000, label=_("What was said"))
    category = forms.ModelChoiceField(
        queryset=Category.objects.order_by("name"),
        required=False,
        empty_label=_("told by the words"),
        widget=forms.Select(attrs={"class": "form-select"}),
        label=_("Category"),
    )
    impact = LevelField(label=_("Impact"), initial=Level.MEDIUM)
    urgency = LevelField(label=_("Urgency"), initial=Level.MEDIUM)
    mine = forms.BooleanField(required=False, initial=True, label=_("Assign it to me"))
    tell = forms.BooleanField(
        required=False, label=_("Send the caller “We have your request”, with the expected time")
    )

    def __init__(
        self,
        *args: Any,
        tickets: Iterable[Ticket] = (),
        details: Iterable[RequiredDetail] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        for name in ("mine", "tell"):
            self.fields[name].widget.attrs["class"] = "form-check-input"
        known = [(str(each.pk), f"{each.reference} · {each.subject[:80]}") for each in tickets]
        offer(self, "ticket", [("", gettext("a new ticket")), *known])
        if not known:
            del self.fields["ticket"]
        self.ask_for(details)

    @property
    def ticket_id(self) -> int | None:
        """The ticket it goes to; None for a new one."""
        chosen = self.cleaned_data.get("ticket")
        return int(chosen) if chosen else None


class CallerForm(forms.Form):
    """Somebody who calls for the first time."""

    name = LineField(max_length=120, label=_("Name"))
    email = forms.EmailField(
        max_length=254,
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"class": "form-control"}),
        help_text=_("Letters go there; at a known organization's domain, they join it."),
    )
    phone = LineField(max_length=40, required=False, label=_("Phone"))
    customer_id = LineField(max_length=40, required=False, label=_("Customer ID"))
    language = ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    @property
    def caller(self) -> Caller:
        return Caller(**self.cleaned_data)
