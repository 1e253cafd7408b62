"""The forms of a ticket: what is said on it, how it is judged, and what is told to its customer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from desk.formfields import (
    Boxes,
    CategoryField,
    ChoiceField,
    LevelField,
    LineField,
    MomentField,
    PersonField,
    TeamField,
    TextField,
    offer,
)
from tickets.gathering import Gathered
from tickets.models.customers import Complexity
from tickets.models.ticket import Status


class VersionedForm(forms.Form):
    """Carries the ticket's version, so that nobody writes over what they have not seen."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)


class ReplyForm(forms.Form):
    text = TextField(rows=4, max_length=50_000, label=_("Your reply"))
    status = ChoiceField(
        label=_("Then"),
        choices=[
            (Status.WAITING, _("wait for the customer")),
            (Status.OPEN, _("keep it open")),
            (Status.ON_HOLD, _("put it on hold")),
        ],
        initial=Status.WAITING,
    )


class NoteForm(forms.Form):
    text = TextField(rows=4, max_length=50_000, label=_("Internal note"))


class CallNoteForm(forms.Form):
    """A call of the ticket's requester."""

    text = TextField(rows=4, max_length=50_000, label=_("What was said"))


class AssessForm(VersionedForm):
    impact = LevelField(label=_("Impact"))
    urgency = LevelField(label=_("Urgency"))
    complexity = ChoiceField(choices=Complexity.choices, label=_("Complexity"))
    category = CategoryField()


class AssignForm(VersionedForm):
    assignee = PersonField(required=False, empty_label=_("nobody yet"), label=_("Assignee"))


class MoveForm(VersionedForm):
    team = TeamField(label=_("Team"))


class StatusForm(VersionedForm):
    status = ChoiceField(
        label=_("Status"),
        choices=[
            (Status.OPEN, Status.OPEN.label),
            (Status.WAITING, Status.WAITING.label),
            (Status.ON_HOLD, Status.ON_HOLD.label),
        ],
    )


class SnoozeForm(forms.Form):
    """Until when a ticket is out of sight: a usual time, or one's own."""

    usual = ChoiceField(
        label=_("Until"),
        choices=[
            ("tomorrow", _("tomorrow, 9:00")),
            ("hours", _("in four hours")),
            ("monday", _("next Monday, 9:00")),
            ("own", _("the time below")),
        ],
    )
    until = MomentField(required=False, label=_("Another time"))
    reason = LineField(required=False, label=_("What for"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("usual") == "own" and not data.get("until") and "until" not in self.errors:
            self.add_error("until", _("Say until when."))
        return data


class DetailForm(forms.Form):
    key = forms.SlugField(max_length=50, widget=forms.HiddenInput)
    value = LineField(max_length=1000, label=_("Value"))


class AskForm(forms.Form):
    """Which of the missing details to ask the customer for."""

    keys = forms.MultipleChoiceField(widget=Boxes, label=_("Ask for"))

    def __init__(self, *args: Any, gathered: Gathered, **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "keys", [(detail.key, detail.local_label) for detail in gathered.missing])


class FollowUpForm(forms.Form):
    text = LineField(label=_("What to do"))
    due_at = MomentField(label=_("When"))
    user = PersonField(required=False, empty_label=_("the assignee"), label=_("For"))
    every = LineField(
        max_length=20, required=False, label=_("Repeat every"), placeholder=_("such as 4h")
    )


class ResolveForm(forms.Form):
    """Of a ticket, or of an escalation."""

    outcome = TextField(label=_("What came of it"), max_length=4000)
    cause = LineField(required=False, label=_("The cause"))


class UpdateForm(forms.Form):
    headline = LineField(max_length=120, label=_("What is new, in a few words"))
    text = TextField(label=_("The update"))
    known = TextField(rows=2, required=False, label=_("What we know"))
    next_step = TextField(rows=2, required=False, label=_("What comes next"))
    workaround = TextField(rows=2, required=False, label=_("Until then"))
    next_word_by = MomentField(required=False, label=_("Next word by"))


class NewTimeForm(forms.Form):
    due = MomentField(label=_("New expected time"))
    reason = TextField(rows=2, max_length=1000, label=_("Why it takes longer"))
    done = TextField(rows=2, required=False, label=_("What is done so far"))
