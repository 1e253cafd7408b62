"""Who works at Brightquay, in which teams, and how they sign in to the demo."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from staff.models import Absence, Calendar, Role, Skill, Team, Tier, User

SKILLS: Mapping[str, str] = {
    "api": "API",
    "webhooks": "Webhooks",
    "billing": "Billing",
    "exports": "Exports",
    "sso": "Single sign-on",
    "compliance": "Data and compliance",
    "german": "German",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at Brightquay; they sign in as ``anna@brightquay.example``."""

    name: str
    zone: str
    role: Role = Role.AGENT
    skills: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.name.split()[0].lower()

    @property
    def email(self) -> str:
        return f"{self.key}@brightquay.example"

    @property
    def password(self) -> str:
        """Known to everybody who reads this: the demo is nothing to protect."""
        return f"{self.key}-at-brightquay"


PEOPLE: Mapping[str, Person] = {
    person.key: person
    for person in (
        Person("Anna Keller", "Europe/Berlin", skills=("api", "exports", "german")),
        Person("Ben Osei", "Europe/London", skills=("billing", "webhooks")),
        Person("Carla Nunes", "America/Chicago", skills=("sso", "billing")),
        Person("Dev Shah", "America/Chicago", skills=("api", "billing")),
        Person("Marco Ruiz", "Europe/Madrid", Role.LEAD, ("billing", "compliance")),
        Person("Priya Nair", "Asia/Singapore", skills=("api", "webhooks", "billing")),
        Person("Mei Tanaka", "Asia/Tokyo", skills=("api", "webhooks")),
        Person("Tomasz Wolny", "Europe/Warsaw", skills=("api", "exports", "billing")),
        Person("Grace Lim", "Asia/Singapore", Role.LEAD, ("api",)),
        Person("Jonas Weil", "Europe/Berlin", skills=("sso", "exports", "billing", "german")),
        Person("Lena Fuchs", "Europe/Berlin", Role.LEAD, ("sso", "compliance", "german")),
        Person("Helen Brandt", "Europe/London", Role.MANAGER),
        Person("Sam Okafor", "Europe/London", Role.ADMIN),
    )
}

#: Who signs in to the demo, by what they show.
SIGN_INS: Mapping[str, str] = {
    "admin": "sam",
    "lead": "marco",
    "agent": "anna",
    "receiver": "priya",
}


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """A team as it is set up; people by their keys."""

    name: str
    tier: int
    calendar: str
    members: tuple[str, ...]
    leads: tuple[str, ...]
    on_call: str | None = None
    backup: str | None = None


TEAMS: Mapping[str, TeamPlan] = {
    "frontline-emea": TeamPlan("Frontline EMEA", 1, "berlin", ("anna", "ben"), ("marco",)),
    "frontline-americas": TeamPlan(
        "Frontline Americas", 1, "chicago", ("carla", "dev"), ("marco",)
    ),
    "integrations": TeamPlan(
        "Integrations",
        2,
        "tokyo",
        ("priya", "mei", "tomasz"),
        ("grace",),
        on_call="priya",
        backup="platform",
    ),
    "platform": TeamPlan(
        "Platform", 3, "berlin", ("jonas",), ("lena",), on_call="jonas", backup="integrations"
    ),
}

MANAGER = "helen"
AWAY, STANDS_IN = "mei", "tomasz"
AWAY_SINCE, AWAY_FOR = timedelta(days=12), timedelta(days=9)


def load(
    *, calendars: Mapping[str, Calendar], now: datetime
) -> tuple[dict[str, User], dict[str, Team]]:
    """Make the people and teams that are missing; both by their keys."""
    skills = {
        slug: Skill.objects.get_or_create(slug=slug, defaults={"name": name})[0]
        for slug, name in SKILLS.items()
    }
    users = _users(skills)
    tiers = {
        number: Tier.objects.get_or_create(number=number, defaults={"name": f"Tier {number}"})[0]
        for number in (1, 2, 3)
    }
    teams: dict[str, Team] = {}
    new: list[str] = []
    for slug, plan in TEAMS.items():
        teams[slug], made = Team.objects.get_or_create(
            slug=slug,
            defaults={
                "name": plan.name,
                "tier": tiers[plan.tier],
                "calendar": calendars[plan.calendar],
                "manager": users[MANAGER],
                "on_call": users[plan.on_call] if plan.on_call else None,
            },
        )
        if made:
            new.append(slug)
            teams[slug].members.set([users[key] for key in plan.members])
            teams[slug].leads.set([users[key] for key in plan.leads])
    for slug in new:
        if backup := TEAMS[slug].backup:
            teams[slug].backup_team = teams[backup]
            teams[slug].save(update_fields=("backup_team",))
    if new and not users[AWAY].absences.exists():
        Absence.objects.create(
            user=users[AWAY],
            backup=users[STANDS_IN],
            starts_at=now - AWAY_SINCE,
            ends_at=now + AWAY_FOR,
        )
    return users, teams


def renew_absence(*, users: Mapping[str, User], now: datetime) -> None:
    """Have the one away be away now, unless somebody has changed or ended that absence."""
    absence = Absence.objects.filter(user=users[AWAY], backup=users[STANDS_IN]).last()
    if absence is not None and absence.ends_at - absence.starts_at == AWAY_SINCE + AWAY_FOR:
        absence.starts_at, absence.ends_at = now - AWAY_SINCE, now + AWAY_FOR
        absence.save(update_fields=("starts_at", "ends_at"))


def _users(skills: Mapping[str, Skill]) -> dict[str, User]:
    there = {
        user.email: user
        for user in User.objects.filter(email__in=[person.email for person in PEOPLE.values()])
    }
    missing = [person for person in PEOPLE.values() if person.email not in there]
    # A hash is slow by design; they are made side by side.
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(make_password, [person.password for person in missing]))
    for person, hashed in zip(missing, hashes, strict=True):
        user = User.objects.create(
            email=person.email,
            name=person.name,
            role=person.role,
            zone=person.zone,
            is_superuser=person.role == Role.ADMIN,
            signature=f"{person.name}\nBrightquay Support",
            password=hashed,
        )
        user.skills.set([skills[slug] for slug in person.skills])
        there[person.email] = user
    return {key: there[person.email] for key, person in PEOPLE.items()}
