"""What can be done on a page: a link each, behind which the form is shown when it is asked for.

A page that carried every form, and every list of people in them, was mostly forms nobody opens.
The link leads to the form at the address that it is sent to; htmx puts it in the link's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.forms import Form

from desk.actions import Action
from desk.escalationactions import ON_ESCALATION
from desk.formfields import offer_categories, offer_staff
from desk.ticketactions import ON_TICKET
from escalation.models import Escalation
from escalation.roster import Roster
from staff.models import User
from tickets import triage
from tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done at an address; its form where it is open."""

    name: str
    label: str
    icon: str
    url: str
    #: What the address is asked for its form with.
    asked: str = ""
    form: Form | None = None
    primary: bool = False
    key: str = ""

    @property
    def href(self) -> str:
        return f"{self.url}?{self.asked}" if self.asked else self.url


def key_of(name: str) -> str:
    """An action's name as templates and ids of fields write it."""
    return name.replace("-", "_")


def of(name: str, action: Action, url: str, *, asked: str = "") -> Act:
    return Act(
        name=name,
        label=str(action.label),
        icon=action.icon,
        url=url,
        asked=asked,
        primary=action.primary,
        key=action.key,
    )


def on_ticket(ticket: Ticket, *, asked: str = "") -> dict[str, Act]:
    """What is shown when it is asked for, by its key."""
    page = ticket.get_absolute_url()
    return {
        key_of(name): of(name, action, f"{page}{name}/", asked=asked)
        for name, action in ON_TICKET.items()
        if action.label
    }


def on_escalation(ticket: Ticket, escalation: Escalation, *, asked: str = "") -> dict[str, Act]:
    """As ``on_ticket``, of one of its escalations."""
    page = f"{ticket.get_absolute_url()}escalations/{escalation.pk}/"
    return {
        key_of(name): of(name, action, f"{page}{name}/", asked=asked)
        for name, action in ON_ESCALATION.items()
        if action.label
    }


def back_to(address: str, *, card: int | None = None) -> str:
    """How a form is asked for that leads back to an address; ``card`` is the escalation's on it."""
    return urlencode({"next": address, **({"card": card} if card is not None else {})})


def prepare(
    form: Form, *, ids: str, roster: Roster, owners: tuple[User, ...] | None = None
) -> None:
    """Give a form ids of its own, and its choices from what is read already.

    ``owners`` are those who may be named, where that is not everybody.
    """
    form.auto_id = f"{ids}-%s"
    people = owners if owners is not None else people_of(roster)
    offer_staff(form, people=people, teams=tuple(roster.teams.values()))
    offer_categories(form, categories=triage.categories(roster.edition))


def people_of(roster: Roster) -> tuple[User, ...]:
    """Everybody who works here, by name."""
    return tuple(sorted(roster.users.values(), key=lambda person: person.name))
