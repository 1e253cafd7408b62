"""Who works here and what tickets are about: what is there, or a house of its own where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from staff.models import Calendar, CalendarVersion, Role, Skill, Team, Tier, User
from tickets.models import Category, CategoryTeam, Plan, RequiredDetail
from tickets.models.customers import Complexity

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Mapping[str, dict[str, Any]] = {
    "always": {"zone": "UTC", "weekly": {day: [["00:00", "24:00"]] for day in _WEEK}},
    "office": {
        "zone": "Europe/Berlin",
        "weekly": {day: [["08:00", "18:00"]] for day in _WEEK[:5]},
    },
}
#: By slug: name, tier, calendar, how many people, whom it is backed up by.
_TEAMS = {
    "frontline-north": ("Frontline North", 1, "office", 12, "frontline-south"),
    "frontline-south": ("Frontline South", 1, "office", 12, "frontline-north"),
    "frontline-night": ("Frontline Night", 1, "always", 6, "frontline-north"),
    "integrations": ("Integrations", 2, "always", 8, "platform"),
    "accounts": ("Accounts", 2, "office", 6, "integrations"),
    "platform": ("Platform", 3, "always", 5, "integrations"),
}
_FIRST = [
    "Ada",
    "Bruno",
    "Clara",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jakob",
    "Karla",
    "Levi",
    "Mira",
    "Nils",
    "Olga",
    "Pavel",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
    "Umar",
    "Vera",
    "Wanda",
    "Xaver",
    "Yara",
    "Zeno",
    "Alma",
    "Boris",
    "Celia",
    "Dario",
    "Emma",
    "Fritz",
    "Gina",
    "Henk",
    "Ida",
    "Jan",
    "Kira",
    "Lars",
    "Maja",
    "Noah",
    "Otis",
    "Paula",
    "Rolf",
    "Selma",
    "Timo",
    "Ursel",
    "Volker",
    "Wim",
]
_LAST = [
    "Abel",
    "Brandt",
    "Conti",
    "Dorn",
    "Engel",
    "Falk",
    "Grau",
    "Hahn",
    "Ivers",
    "Jung",
    "Krug",
    "Lenz",
    "Moor",
    "Neumann",
    "Ott",
    "Petri",
    "Rasch",
    "Seidel",
    "Thoma",
    "Ulrich",
    "Vogt",
    "Wolff",
    "Zander",
]
#: By slug: name, complexity, the frontline team and the one at tier 2, required details.
_CATEGORIES = {
    "api": ("API", Complexity.SPECIALIST, "north", "integrations", ("request", "api-key")),
    "webhooks": ("Webhooks", Complexity.SPECIALIST, "night", "integrations", ("event", "endpoint")),
    "billing": ("Billing", Complexity.MODERATE, "south", "accounts", ("invoice",)),
    "sign-in": ("Sign-in", Complexity.MODERATE, "north", "accounts", ("account",)),
    "exports": ("Exports", Complexity.MODERATE, "south", "integrations", ("job",)),
    "account": ("Account", Complexity.SIMPLE, "night", "accounts", ()),
}
_LABELS = {
    "request": ("Request ID", "Anfrage-ID"),
    "api-key": ("API key ID", "ID des API-Schlüssels"),
    "event": ("Event ID", "Ereignis-ID"),
    "endpoint": ("Endpoint", "Adresse des Endpunkts"),
    "invoice": ("Invoice number", "Rechnungsnummer"),
    "account": ("Account", "Konto"),
    "job": ("Job ID", "Auftragsnummer"),
}


@transaction.atomic
def furnish(*, now: datetime) -> None:
    """Make people, teams, plans and categories where there are none of them."""
    calendars = {slug: _calendar(slug, now) for slug in _HOURS}
    if not Plan.objects.exists():
        for rank, (slug, hours) in enumerate(
            (("gold", "always"), ("silver", "office"), ("bronze", "office")), 1
        ):
            Plan.objects.create(
                slug=slug,
                name=slug.capitalize(),
                calendar=calendars[hours],
                in_customer_zone=hours != "always",
                rank=rank,
            )
    if Team.objects.exists():
        return
    _staff(calendars)
    if not Category.objects.exists():
        _categories()


def _calendar(slug: str, now: datetime) -> Calendar:
    calendar, _new = Calendar.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize()})
    if not calendar.versions.exists():
        CalendarVersion.objects.create(
            calendar=calendar, number=1, hours=_HOURS[slug], created_at=now
        )
    return calendar


def _staff(calendars: Mapping[str, Calendar]) -> None:
    skills = {
        slug: Skill.objects.get_or_create(slug=slug, defaults={"name": about[0]})[0]
        for slug, about in _CATEGORIES.items()
    }
    tiers = {
        number: Tier.objects.get_or_create(number=number, defaults={"name": f"Tier {number}"})[0]
        for number in (1, 2, 3)
    }
    manager = _person("Helga Manager", Role.MANAGER)
    _person("Sara Admin", Role.ADMIN)
    teams: dict[str, Team] = {}
    number = 0
    for slug, (name, tier, hours, size, _backup) in _TEAMS.items():
        team = Team.objects.create(
            slug=slug, name=name, tier=tiers[tier], calendar=calendars[hours], manager=manager
        )
        people = []
        for _seat in range(size):
            full = f"{_FIRST[number % len(_FIRST)]} {_LAST[number * 7 % len(_LAST)]}"
            people.append(_person(full, Role.AGENT, number))
            number += 1
        for person in people:
            person.skills.set(list(skills.values()))
        lead = _person(f"{name} Lead", Role.LEAD)
        team.members.set(people)
        team.leads.add(lead)
        team.on_call = people[0]
        team.save(update_fields=("on_call",))
        teams[slug] = team
    for slug, (*_rest, backup) in _TEAMS.items():
        teams[slug].backup_team = teams[backup]
        teams[slug].save(update_fields=("backup_team",))


def _person(name: str, role: Role, number: int | None = None) -> User:
    mailbox = name.lower().replace(" ", ".") + ("" if number is None else f".{number}")
    return User.objects.create_user(
        f"{mailbox}@scale.example", name=name, role=role, mail_notifications=False
    )


def _categories() -> None:
    teams = {team.slug: team for team in Team.objects.all()}
    tiers = {tier.number: tier for tier in Tier.objects.all()}
    for slug, (name, complexity, frontline, second, needed) in _CATEGORIES.items():
        category = Category.objects.create(slug=slug, name=name, complexity=complexity)
        for number, team in ((1, f"frontline-{frontline}"), (2, second), (3, "platform")):
            CategoryTeam.objects.create(category=category, tier=tiers[number], team=teams[team])
        for position, key in enumerate(needed, 1):
            label, german = _LABELS[key]
            RequiredDetail.objects.create(
                category=category,
                key=key,
                label=label,
                labels={"de": german},
                pattern=rf"\b({key}_[0-9a-z]{{4,}})\b",
                position=position,
            )
