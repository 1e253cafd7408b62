"""The forms of the webhooks' pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from notifications.eventtypes import FAMILIES, EventType, subscribable, suggested
from notifications.models import DeliveryState, Preset, Webhook
from notifications.outgoinghttp import LONGEST_URL
from notifications.webhooks import Wish, may_choose
from staff.models import Role, Team, User

_FAMILY_WORDS: dict[str, LazyText] = {
    "ticket": _("Tickets"),
    "message": _("Messages"),
    "detail": _("Details"),
    "escalation": _("Escalations"),
    "promise": _("Promises"),
    "clock": _("Clocks"),
    "customer": _("Whether the customer knows"),
    "delivery": _("Letters"),
    "follow_up": _("Follow-ups"),
    "mail": _("The mail server"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One box of the events, or that of a whole family."""

    value: str
    meaning: LazyText | str
    checked: bool


@dataclass(frozen=True, slots=True)
class Family:
    """The boxes of one kind of event; open where some are checked but not all."""

    name: str
    label: LazyText
    whole: Choice
    parts: tuple[Choice, ...]

    @property
    def is_open(self) -> bool:
        return not self.whole.checked and any(each.checked for each in self.parts)


class WebhookForm(forms.Form):
    """A webhook as somebody wants it to be; the station says what is not possible."""

    name = forms.CharField(label=_("Name"), max_length=80)
    preset = forms.ChoiceField(label=_("Who listens"), choices=Preset.choices)
    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST_URL,
        help_text=_("The receiver's https address, as it was given to you there."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of the lines in a chat channel."),
    )
    team = forms.ModelChoiceField(
        label=_("Only tickets of"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("every team that is not private"),
        help_text=_("A private team's tickets are told only to webhooks that name it."),
    )
    private_too = forms.BooleanField(label=_("Private teams' tickets, too"), required=False)
    events = forms.MultipleChoiceField(label=_("Events"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        by: User,
        webhook: Webhook | None = None,
        preset: str = Preset.STANDARD,
    ) -> None:
        initial: dict[str, Any] = {
            "preset": preset,
            "language": by.language,
            "events": suggested(preset),
        }
        if webhook is not None:
            initial = {
                name: getattr(webhook, name)
                for name in ("name", "preset", "url", "language", "team", "private_too", "events")
            }
        super().__init__(data, initial=initial)
        teams = self.fields["team"]
        assert isinstance(teams, forms.ModelChoiceField)
        teams.queryset = Team.objects.filter(pk__in=[team.pk for team in may_choose(by)])
        events = self.fields["events"]
        assert isinstance(events, forms.MultipleChoiceField)
        events.choices = [(name, name) for name in sorted(subscribable())]
        if by.role != Role.ADMIN:
            del self.fields["private_too"]

    def families(self) -> Iterator[Family]:
        """The boxes of the events, as they were last checked."""
        chosen = set(self["events"].value() or ())
        for name, types in FAMILIES.items():
            whole = f"{name}.*"
            yield Family(
                name=name,
                label=_FAMILY_WORDS[name],
                whole=Choice(whole, _("All of them, and those to come"), whole in chosen),
                parts=tuple(_choice(each, chosen) for each in types),
            )

    def wish(self, webhook: Webhook | None = None) -> Wish:
        """What a valid form asks for; who may not choose ``private_too`` leaves it as it is."""
        said = self.cleaned_data
        return Wish(
            name=said["name"],
            url=said["url"],
            preset=said["preset"],
            language=said["language"],
            events=said["events"],
            team=said["team"],
            private_too=said.get("private_too", webhook.private_too if webhook else False),
        )


def _choice(each: EventType, chosen: set[str]) -> Choice:
    return Choice(each.name, each.meaning, each.name in chosen)


class LogFilter(forms.Form):
    """What the log of a webhook may be asked for."""

    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("Every state")), *DeliveryState.choices], required=False
    )
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
