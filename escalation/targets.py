"""Where an escalation goes: from a rule's targets, or a person's choice, to a team and people.

An empty, absent or closed target falls through to the next; the list cannot end in nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from escalation.cases import Case
from escalation.roster import Roster
from escalation.rules import Target, TargetForm
from staff.models import Role, Team, User
from tickets.errors import Refused


@dataclass(frozen=True, slots=True)
class Destination:
    """A team and, where the offer goes to one person, that person."""

    team: Team
    user: User | None = None


def choose(*, case: Case, targets: Sequence[Target]) -> Destination:
    """The first of a rule's targets that somebody stands behind in time; else whoever is above.

    Where all of them are closed it is the first again, for its backup or its lead
    (``when_closed``). Raises ``Refused`` only when nobody at all works here.
    """
    first: Destination | None = None
    for target in targets:
        for destination in _candidates(case, target):
            if destination.user is None and not _staffed(case.roster, destination.team):
                continue
            if _answers_in_time(case, destination):
                return destination
            first = first or destination
    return first or _above(case)


def suggest(*, case: Case) -> Destination:
    """What the escalate panel proposes: the category's team of the next tier."""
    return choose(case=case, targets=(Target(form=TargetForm.NEXT_TIER, value=True),))


def when_closed(*, case: Case, destination: Destination, before: datetime) -> Destination:
    """Redirect an offer whose team would not open before ``before``.

    To its on-call, else to the backup team where that is open or has one, else to the
    lead, else to the lead's lead.
    """
    roster, team = case.roster, destination.team
    if destination.user is not None or roster.time_of(team).next_open(roster.now) < before:
        return destination
    if (on_call := roster.here_or_backup(team.on_call_id)) is not None:
        return Destination(team=team, user=on_call)
    backup = roster.teams.get(team.backup_team_id or 0)
    if backup is not None:
        if roster.time_of(backup).is_open(roster.now) and _staffed(roster, backup):
            return Destination(team=backup)
        if (on_call := roster.here_or_backup(backup.on_call_id)) is not None:
            return Destination(team=backup, user=on_call)
    return Destination(team=team, user=roster.lead_or_above(team))


def may_receive(*, roster: Roster, team: Team, user: User) -> bool:
    """Whether somebody may take what is offered to a team: its people, and those above."""
    return (
        user.pk in roster.members[team.pk]
        or user.pk in roster.leads[team.pk]
        or team.on_call_id == user.pk
        or user.role in (Role.MANAGER, Role.ADMIN)
    )


def _candidates(case: Case, target: Target) -> Iterator[Destination]:
    roster, ticket = case.roster, case.ticket
    own = roster.teams.get(ticket.team_id or 0)
    match target.form:
        case TargetForm.TEAM:
            if (team := roster.team_by_slug(str(target.value))) is not None:
                yield Destination(team)
        case TargetForm.CATEGORY_TIER:
            yield from _of_tier(case, int(target.value))
        case TargetForm.NEXT_TIER:
            for tier in roster.tiers_above(case.tier or 0):
                yield from _of_tier(case, tier)
        case TargetForm.TEAM_LEAD:
            if own is not None and (lead := roster.lead_of(own)) is not None:
                yield Destination(own, lead)
        case TargetForm.MANAGER:
            if own is not None and (manager := roster.manager_of(own)) is not None:
                yield Destination(own, manager)
        case TargetForm.PERSON:
            wanted = str(target.value).lower()
            person = next((u for u in roster.users.values() if u.email == wanted), None)
            here = roster.here_or_backup(person.pk) if person is not None else None
            team = _team_of(roster, here) or own
            if here is not None and team is not None:
                yield Destination(team, here)


def _of_tier(case: Case, tier: int) -> Iterator[Destination]:
    """The category's team of a tier; then any other of that tier."""
    roster, ticket = case.roster, case.ticket
    known = roster.team_of_category(ticket.category_id, tier)
    if known is not None:
        yield Destination(known)
    for team in roster.teams_at(tier):
        if team is not known:
            yield Destination(team)


def _team_of(roster: Roster, user: User | None) -> Team | None:
    if user is None:
        return None
    return next(
        (team for team in roster.teams.values() if user.pk in roster.members[team.pk]), None
    )


def _staffed(roster: Roster, team: Team) -> bool:
    return bool(roster.members_of(team)) or roster.lead_of(team) is not None


def _answers_in_time(case: Case, destination: Destination) -> bool:
    """Whether the team opens before acceptance or reply are due, or somebody is on call."""
    roster, team = case.roster, destination.team
    if destination.user is not None or roster.here_or_backup(team.on_call_id) is not None:
        return True
    goals = case.policy.targets_for(plan=case.plan, priority=case.ticket.priority)
    time = roster.time_of(team)
    return time.next_open(roster.now) < min(
        goals.acceptance.after(roster.now, time), goals.promise.after(roster.now, time)
    )


def _above(case: Case) -> Destination:
    roster = case.roster
    team = roster.teams.get(case.ticket.team_id or 0) or next(iter(roster.teams.values()), None)
    person = roster.lead_or_above(team) if team is not None else None
    if team is None or person is None:
        raise Refused(_("Nobody works here who could take this escalation."))
    return Destination(team, person)
