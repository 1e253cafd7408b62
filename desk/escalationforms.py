"""The forms of an escalation: opening one, answering it, ending it, and looking back at it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from desk.detailfields import WithDetails
from desk.formfields import (
    Boxes,
    ChoiceField,
    LevelField,
    LineField,
    MomentField,
    PersonField,
    TeamField,
    TextField,
    WhenNeededField,
    offer,
)
from escalation.models.escalation import Kind, Nature, ReturnReason
from tickets.gathering import Gathered


class TickForm(forms.Form):
    item = forms.SlugField(max_length=50, widget=forms.HiddenInput)
    ticked = forms.BooleanField(required=False, widget=forms.HiddenInput)


def _training_override() -> WhenNeededField:
    return WhenNeededField(required=False, label=_("Why it cannot wait for the procedure"))


class AcceptForm(forms.Form):
    first_step = LineField(
        required=False,
        max_length=300,
        label=_("What you begin with"),
        placeholder=_("such as tracing a failed call"),
    )
    training_override = _training_override()


class ReasonForm(forms.Form):
    """Why an escalation is withdrawn or de-escalated; who was asked reads it."""

    reason = TextField(rows=2, max_length=2000, label=_("Why"))


class ReviewForm(forms.Form):
    """What a lead says of an escalation afterwards."""

    avoidable = forms.BooleanField(required=False, label=_("It could have been avoided"))
    note = TextField(rows=2, max_length=2000, required=False, label=_("What to learn from it"))


class OwnerForm(forms.Form):
    """Who goes on with the work."""

    owner = PersonField(label=_("Owner"))
    training_override = _training_override()


class AcceptForForm(OwnerForm):
    """Who takes an offer on, and what they begin with."""

    first_step = LineField(
        required=False,
        max_length=300,
        label=_("What they begin with"),
        placeholder=_("such as tracing a failed call"),
    )
    field_order = ("owner", "first_step", "training_override")


class ReturnForm(forms.Form):
    """Decline, or send back."""

    reason_code = ChoiceField(choices=ReturnReason.choices, label=_("Why"))
    reason = TextField(rows=2, max_length=2000, required=False, label=_("In words"))
    missing = forms.MultipleChoiceField(required=False, widget=Boxes, label=_("What is missing"))

    def __init__(self, *args: Any, gathered: Gathered, **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "missing", [(detail.key, detail.local_label) for detail in gathered.required])


class HandOnForm(forms.Form):
    team = TeamField(label=_("To team"))
    user = PersonField(required=False, empty_label=_("anybody there"), label=_("To person"))
    note = TextField(rows=2, required=False, label=_("Note for them"))


class OfferAgainForm(HandOnForm):
    override_reason = LineField(required=False, label=_("Why it goes without the missing details"))
    training_override = _training_override()


class EscalateForm(WithDetails):
    """The escalate panel: where to, why, what was tried, what is asked, and the letter.

    What is missing of the required details has a field each, to be filled in place.
    """

    kind = ChoiceField(choices=Kind.choices, label=_("Kind"), initial=Kind.FUNCTIONAL)
    team = TeamField(label=_("To team"))
    user = PersonField(required=False, empty_label=_("anybody there"), label=_("To person"))
    nature = ChoiceField(choices=Nature.choices, label=_("Nature"), initial=Nature.EXPERTISE)
    urgency = LevelField(label=_("Urgency"))
    tried = TextField(required=False, label=_("What was tried"))
    ask = TextField(
        rows=2,
        max_length=2000,
        required=False,
        label=_("What you ask for"),
        help_text=_("At least one of the two, so that nobody has to start anew."),
    )
    ask_customer = forms.BooleanField(
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        label=_("Ask the customer for what is missing, in the same letter"),
    )
    override_reason = LineField(required=False, label=_("Why it goes without the missing details"))
    training_override = _training_override()
    promised = MomentField(
        required=False,
        label=_("Reply expected by"),
        help_text=_("Left empty, it is the policy's time; the letter shows which."),
    )
    note_to_customer = TextField(
        rows=2, max_length=600, required=False, label=_("A line of your own for the customer")
    )

    def __init__(self, *args: Any, gathered: Gathered, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ask_for(gathered.missing)
