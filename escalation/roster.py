"""Who works here right now: teams, leads, absences and load, for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from django.db.models import Count, Model

from escalation.models import Escalation
from escalation.models.escalation import State
from staff import setwise
from staff.businesstime import WALL, BusinessTime
from staff.editions import Edition
from staff.models import Absence, CalendarVersion, Role, Team, User
from tickets.models import Category, CategoryTeam, Contact, Organization, Plan, Ticket

M = TypeVar("M", bound=Model)


class Known(dict[int, M]):
    """Rows by their key. One that was made only since they were read is read when it is asked for.

    It is not kept then: what is configured is shared, and somebody may be walking through it.
    """

    def __init__(self, rows: Mapping[int, M], *, read: Callable[[int], M]) -> None:
        super().__init__(rows)
        self._read = read

    def __missing__(self, key: int) -> M:
        return self._read(key)


@dataclass(slots=True)
class Roster:
    """A picture of the staff at one moment; look-ups of what is in it are free of queries.

    ``tiers`` has the teams of each, the lowest first; ``users`` are those who are active, ``people`` everybody who ever was.
    """

    now: datetime
    edition: Edition
    teams: dict[int, Team]
    users: dict[int, User]
    members: dict[int, list[int]]
    leads: dict[int, list[int]]
    backups: dict[int, int | None]
    category_teams: dict[tuple[int, int], int]
    calendars: dict[int, CalendarVersion]
    tiers: dict[int, list[Team]]
    people: dict[int, User]
    categories: dict[int, Category]
    plans: dict[int, Plan]
    _times: dict[tuple[int, str], BusinessTime] = field(default_factory=dict)
    _here: dict[int, list[User]] = field(default_factory=dict)
    _load: dict[int, int] | None = None

    def furnish(self, tickets: Iterable[Ticket]) -> None:
        """Give tickets the rows they point to that were not read along with them.

        Of who asks, each person and organization is read once; the others are configured.
        """
        bare: list[Ticket] = []
        others: list[Ticket] = []
        for ticket in tickets:
            (others if "requester" in ticket._state.fields_cache else bare).append(ticket)
        self.complete(others)
        requesters = Contact.objects.in_bulk({ticket.requester_id for ticket in bare})
        organizations = Organization.objects.in_bulk(
            {ticket.organization_id for ticket in bare if ticket.organization_id is not None}
        )
        for organization in organizations.values():
            setwise.join(organization, plan=self.plans[organization.plan_id])
        for ticket in bare:
            setwise.join(
                ticket,
                requester=requesters[ticket.requester_id],
                organization=_of(organizations, ticket.organization_id),
                team=_of(self.teams, ticket.team_id),
                category=_of(self.categories, ticket.category_id),
                assignee=_of(self.people, ticket.assignee_id),
            )

    def complete(self, tickets: Iterable[Ticket]) -> None:
        """Give tickets that were read together with who asks what of them is configured.

        What was configured only since this roster was called is left to be read.
        """
        for ticket in tickets:
            for name, rows, key in (
                ("team", self.teams, ticket.team_id),
                ("category", self.categories, ticket.category_id),
                ("assignee", self.people, ticket.assignee_id),
            ):
                if key is None or key in rows:
                    setwise.join(ticket, **{name: _of(rows, key)})
            if (customer := ticket.organization) is not None and customer.plan_id in self.plans:
                setwise.join(customer, plan=self.plans[customer.plan_id])

    @property
    def load(self) -> dict[int, int]:
        """How many escalations each person owns; read when somebody is to be chosen by it."""
        if self._load is None:
            owned = (
                Escalation.objects.filter(state=State.ACCEPTED, owner__isnull=False)
                .values_list("owner")
                .annotate(open=Count("pk"))
            )
            self._load = {owner: count for owner, count in owned if owner is not None}
        return self._load

    def team_by_slug(self, slug: str) -> Team | None:
        return next((team for team in self.teams.values() if team.slug == slug), None)

    def is_in(self, user: User, team: Team) -> bool:
        """Whether somebody works in a team or answers for it."""
        return user.pk in self.members.get(team.pk, ()) or user.pk in self.leads.get(team.pk, ())

    def teams_known_to(self, user: User) -> list[Team]:
        """All teams but the private ones that this person does not belong to."""
        return [
            team
            for team in self.teams.values()
            if not team.is_private or user.sees_every_team or self.is_in(user, team)
        ]

    def time_of(self, team: Team) -> BusinessTime:
        """The team's open hours."""
        return self.time(self.calendars[team.calendar_id])

    def calendar_of(self, team: Team) -> CalendarVersion:
        return self.calendars[team.calendar_id]

    def calendar_for(self, ticket: Ticket) -> tuple[CalendarVersion | None, str]:
        """The calendar a ticket's clocks run on, and the zone to read it in ("": its own).

        That is its plan's; the team's where no organization is known; the wall's time
        where there is no team either.
        """
        if ticket.organization is not None:
            plan = ticket.organization.plan
            zone = ticket.organization.zone if plan.in_customer_zone else ""
            return self.calendars[plan.calendar_id], zone
        if ticket.team_id is not None:
            return self.calendars[self.teams[ticket.team_id].calendar_id], ""
        return None, ""

    def time(self, version: CalendarVersion | None, zone: str = "") -> BusinessTime:
        """A calendar version, compiled once for the batch; none is the wall's time."""
        if version is None:
            return WALL
        key = (version.pk, zone)
        time = self._times.get(key)
        if time is None:
            time = self._times[key] = version.business_time(zone=zone or None)
        return time

    def plan_time(self, ticket: Ticket) -> BusinessTime:
        return self.time(*self.calendar_for(ticket))

    def is_here(self, user_id: int | None) -> bool:
        return user_id is not None and user_id in self.users and user_id not in self.backups

    def here_or_backup(self, user_id: int | None) -> User | None:
        """This person; in an absence their backup, or that one's, and so on; None if nobody."""
        seen: set[int] = set()
        while user_id is not None and user_id not in seen:
            seen.add(user_id)
            if user_id in self.users and user_id not in self.backups:
                return self.users[user_id]
            user_id = self.backups.get(user_id)
        return None

    def members_of(self, team: Team) -> list[User]:
        """Active members who are not absent, those with the least work first."""
        if team.pk not in self._here:
            here = [self.users[pk] for pk in self.members[team.pk] if self.is_here(pk)]
            self._here[team.pk] = sorted(
                here, key=lambda user: (self.load.get(user.pk, 0), user.pk)
            )
        return self._here[team.pk]

    def lead_of(self, team: Team) -> User | None:
        """The first lead who is here, or a lead's backup."""
        for pk in self.leads[team.pk]:
            if (person := self.here_or_backup(pk)) is not None:
                return person
        return None

    def manager_of(self, team: Team | None) -> User | None:
        """The team's manager, else any manager, else any admin: the last who can be asked."""
        if team is not None and (person := self.here_or_backup(team.manager_id)) is not None:
            return person
        for role in (Role.MANAGER, Role.ADMIN):
            for user in self.users.values():
                if user.role == role and self.is_here(user.pk):
                    return user
        return None

    def lead_or_above(self, team: Team | None) -> User | None:
        """Who answers for a team; for no team, whoever can be asked last."""
        return (self.lead_of(team) if team is not None else None) or self.manager_of(team)

    def teams_at(self, tier: int) -> Sequence[Team]:
        return self.tiers.get(tier, ())

    def teams_above(self, tier: int) -> list[Team]:
        """Teams of higher tiers, the lowest of them first."""
        return [team for number in self.tiers_above(tier) for team in self.tiers[number]]

    def tiers_above(self, tier: int) -> list[int]:
        """The numbers of higher tiers that have teams, the lowest of them first."""
        return [number for number in self.tiers if number > tier]

    def team_of_category(self, category_id: int | None, tier: int) -> Team | None:
        """The team that knows this category at this tier."""
        if category_id is None:
            return None
        team_id = self.category_teams.get((category_id, tier))
        return self.teams.get(team_id) if team_id is not None else None


def _of(rows: Mapping[int, M], key: int | None) -> M | None:
    return rows[key] if key is not None else None


def call_roll(*, now: datetime, edition: Edition) -> Roster:
    """The roster of ``now``, from what is configured in this edition."""
    standing = edition.keep("roster", _read_standing)
    return Roster(
        now=now,
        edition=edition,
        teams=standing.teams,
        users=standing.users,
        members=standing.members,
        leads=standing.leads,
        backups={
            absence.user_id: absence.backup_id
            for absence in standing.absences
            if absence.starts_at <= now < absence.ends_at
        },
        category_teams=standing.category_teams,
        calendars=standing.calendars,
        tiers=standing.tiers,
        people=standing.people,
        categories=standing.categories,
        plans=standing.plans,
        _times=standing.times,
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    """Of a roster, what is configured."""

    teams: dict[int, Team]
    users: dict[int, User]
    members: dict[int, list[int]]
    leads: dict[int, list[int]]
    absences: Sequence[Absence]
    category_teams: dict[tuple[int, int], int]
    calendars: dict[int, CalendarVersion]
    tiers: dict[int, list[Team]]
    people: dict[int, User]
    categories: dict[int, Category]
    plans: dict[int, Plan]
    times: dict[tuple[int, str], BusinessTime] = field(default_factory=dict)


def _read_standing() -> _Standing:
    members: dict[int, list[int]] = defaultdict(list)
    for team_id, user_id in Team.members.through.objects.order_by("user_id").values_list(
        "team_id", "user_id"
    ):
        members[team_id].append(user_id)
    leads: dict[int, list[int]] = defaultdict(list)
    for team_id, user_id in Team.leads.through.objects.order_by("pk").values_list(
        "team_id", "user_id"
    ):
        leads[team_id].append(user_id)
    every_team = Team.objects.select_related("tier").order_by("tier__number", "name")
    newest = CalendarVersion.objects.order_by("calendar_id", "-number").distinct("calendar_id")
    teams = list(every_team)
    people = {user.pk: user for user in User.objects.order_by("pk")}
    return _Standing(
        teams=Known({team.pk: team for team in teams}, read=lambda pk: every_team.get(pk=pk)),
        users={pk: user for pk, user in people.items() if user.is_active},
        members=members,
        leads=leads,
        absences=tuple(Absence.objects.order_by("pk")),
        category_teams={
            (category_id, tier): team_id
            for category_id, tier, team_id in CategoryTeam.objects.values_list(
                "category_id", "tier__number", "team_id"
            )
        },
        calendars=Known(
            {version.calendar_id: version for version in newest},
            read=lambda pk: newest.get(calendar=pk),
        ),
        tiers={number: list(at) for number, at in groupby(teams, lambda team: team.tier.number)},
        people=people,
        categories=Category.objects.in_bulk(),
        plans=Known(Plan.objects.in_bulk(), read=lambda pk: Plan.objects.get(pk=pk)),
    )
