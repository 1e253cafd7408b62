"""The forms of the ticket, the escalate panel, the offers and the board.

A form says whether an input can be read; whether it may be done is for the station, whose
``Refused`` comes back to the field it names (``refuse``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from escalation.models.escalation import Kind, Nature, ReturnReason
from staff.models import Team, User
from tickets.errors import Refused
from tickets.gathering import Gathered
from tickets.models import Category
from tickets.models.customers import Complexity
from tickets.models.ticket import Level, Status

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
    form.add_error(field, str(refusal))


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
            **options,
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
        offer(self, "keys", missing_choices(gathered))


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


class TickForm(forms.Form):
    item = forms.SlugField(max_length=50, widget=forms.HiddenInput)
    ticked = forms.BooleanField(required=False, widget=forms.HiddenInput)


class AcceptForm(forms.Form):
    first_step = LineField(
        required=False,
        max_length=300,
        label=_("What you begin with"),
        placeholder=_("such as tracing a failed call"),
    )


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


class AcceptForForm(OwnerForm):
    """Who takes an offer on, and what they begin with."""

    first_step = LineField(
        required=False,
        max_length=300,
        label=_("What they begin with"),
        placeholder=_("such as tracing a failed call"),
    )


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


class EscalateForm(forms.Form):
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
    promised = MomentField(
        required=False,
        label=_("Reply expected by"),
        help_text=_("Left empty, it is the policy's time; the letter shows which."),
    )
    note_to_customer = TextField(
        rows=2, max_length=600, required=False, label=_("A line of your own for the customer")
    )

    DETAIL = "detail-"

    def __init__(self, *args: Any, gathered: Gathered, **options: Any) -> None:
        super().__init__(*args, **options)
        for detail in gathered.missing:
            self.fields[f"{self.DETAIL}{detail.key}"] = LineField(
                max_length=1000, required=False, label=detail.local_label
            )

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(self.DETAIL)]

    @property
    def details(self) -> dict[str, str]:
        """The details that were filled in, by key."""
        return {
            name.removeprefix(self.DETAIL): value
            for name, value in self.cleaned_data.items()
            if name.startswith(self.DETAIL) and value
        }


def missing_choices(gathered: Gathered) -> list[tuple[str, str]]:
    return [(detail.key, detail.local_label) for detail in gathered.missing]


def details_of(gathered: Gathered, keys: Iterable[str]) -> list[str]:
    """The labels of required details, in their order."""
    wanted = set(keys)
    return [detail.local_label for detail in gathered.required if detail.key in wanted]
