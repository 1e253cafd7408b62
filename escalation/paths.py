"""The escalation path: who is asked next while nobody accepts.

Steps chain from when a step actually fired, so that an outage of hours does not run three
of them in one minute. A path cannot end in nobody: its last step asks a manager, and where
a step's own person is missing or absent it goes to a backup, a lead, a manager.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy

from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Escalation, Handoff, Step
from escalation.policyspec import Action, PathStep
from escalation.roster import Roster
from notifications.values import moment, phrase
from staff.durations import Duration, parse_duration
from staff.models import Team, User


@dataclass(frozen=True, slots=True)
class PathEntry:
    """A step of a hand-off's path as a page shows it; ``at`` is when it fired or will."""

    number: int
    action: str
    at: datetime
    fired: bool
    user: User | None
    team: Team | None

    @property
    def label(self) -> str:
        text = str(ACTIONS.get(self.action, self.action))
        return text[:1].upper() + text[1:]


ACTIONS = {
    "remind": gettext_lazy("remind the team"),
    "on_call": gettext_lazy("ask the person on call"),
    "lead": gettext_lazy("tell the lead"),
    "manager": gettext_lazy("tell the manager"),
    "backup_team": gettext_lazy("hand on to the backup team"),
}
"""What a step of a path does, in words."""

AN_HOUR = Duration(timedelta(hours=1), wall=True)


def plan(*, case: Case, key: str | None = None, on_the_wall: bool = False) -> list[dict[str, Any]]:
    """The policy's path for this ticket (or a rule's own), frozen; it ends with a manager.

    ``on_the_wall`` lets its steps come as fast at night as by day.
    """
    path = case.policy.path_of(plan=case.plan, priority=case.ticket.priority, key=key)
    steps = list(path.steps)
    if not steps or steps[-1].do != Action.MANAGER:
        steps.append(PathStep(do=Action.MANAGER, after=steps[-1].after if steps else AN_HOUR))
    return [
        {
            "action": str(step.do),
            "after": str(step.after.on_the_wall if on_the_wall else step.after),
        }
        for step in steps
    ]


def receivers(*, handoff: Handoff, roster: Roster) -> list[User]:
    """Whom an offer reaches: the named person, or the team's people, or who stands above."""
    if handoff.to_user_id is not None:
        person = roster.here_or_backup(handoff.to_user_id)
        if person is not None:
            return [person]
    team = roster.teams[handoff.to_team_id]
    people = roster.members_of(team)
    if not people and (above := roster.lead_or_above(team)) is not None:
        people = [above]
    return people


def person_for(*, action: str, team: Team, roster: Roster) -> User | None:
    """Whom a step tells; None only where nobody at all works here."""
    on_call = roster.here_or_backup(team.on_call_id) if action == "on_call" else None
    lead = roster.lead_of(team) if action != "manager" else None
    return on_call or lead or roster.manager_of(team)


def next_step(*, case: Case, handoff: Handoff) -> tuple[int, dict[str, Any], datetime] | None:
    """The number, definition and moment of the next step; None when all have fired."""
    fired = case.steps.get(handoff.pk, [])
    number = len(fired) + 1
    if number > len(handoff.path):
        return None
    since = fired[-1].fired_at if fired else handoff.offered_at
    definition = handoff.path[number - 1]
    return number, definition, _time(case.roster, handoff, definition["after"], since)


def entries(*, case: Case, handoff: Handoff) -> list[PathEntry]:
    """The whole path of a hand-off: what fired, and what would, chained from there."""
    return chained(handoff=handoff, fired=case.steps.get(handoff.pk, []), roster=case.roster)


def chained(*, handoff: Handoff, fired: Sequence[Step], roster: Roster) -> list[PathEntry]:
    """As ``entries``, from the steps that fired."""
    shown = [
        PathEntry(
            number=step.number,
            action=step.action,
            at=step.fired_at,
            fired=True,
            user=roster.users.get(step.user_id) if step.user_id else None,
            team=roster.teams.get(step.team_id) if step.team_id else None,
        )
        for step in fired
    ]
    since = fired[-1].fired_at if fired else handoff.offered_at
    team = roster.teams[handoff.to_team_id]
    for number, definition in enumerate(handoff.path[len(fired) :], start=len(fired) + 1):
        since = _time(roster, handoff, definition["after"], since)
        action = definition["action"]
        backup = roster.teams.get(team.backup_team_id or 0)
        shown.append(
            PathEntry(
                number=number,
                action=action,
                at=since,
                fired=False,
                user=None
                if action in ("remind", "backup_team")
                else person_for(action=action, team=team, roster=roster),
                team=backup if action == "backup_team" else team,
            )
        )
    return shown


def drive(
    *, case: Case, ledger: Ledger, escalation: Escalation, handoff: Handoff
) -> tuple[datetime | None, Team | None]:
    """Fire the step that is due, if one is.

    Returns when to look next, and the backup team the escalation has to be handed on to
    where the step says so.
    """
    upcoming = next_step(case=case, handoff=handoff)
    if upcoming is None:
        return None, None
    number, definition, at = upcoming
    if at > ledger.now:
        return at, None
    team = case.roster.teams[handoff.to_team_id]
    action = definition["action"]
    step = Step(handoff=handoff, number=number, action=action, fired_at=ledger.now)
    hand_on_to = None
    if action == "remind":
        _remind(
            case=case,
            ledger=ledger,
            handoff=handoff,
            key=f"{escalation.key}:{handoff.number}:{number}",
        )
    elif action == "backup_team" and (hand_on_to := untried_backup(case, escalation, team)):
        step.team = hand_on_to
    else:
        _tell(case=case, ledger=ledger, escalation=escalation, handoff=handoff, step=step)
    ledger.add(step)
    case.steps.setdefault(handoff.pk, []).append(step)
    ledger.event(
        case.ticket,
        "step_fired",
        escalation=escalation.pk,
        handoff=handoff.pk,
        step=number,
        action=action,
        user=step.user_id,
        team=step.team_id,
    )
    following = next_step(case=case, handoff=handoff)
    return (following[2] if following else None), hand_on_to


def untried_backup(case: Case, escalation: Escalation, team: Team) -> Team | None:
    """The team's backup, unless this escalation has been offered to it already."""
    backup = case.roster.teams.get(team.backup_team_id or 0)
    tried = {handoff.to_team_id for handoff in case.hops(escalation)}
    return backup if backup is not None and backup.pk not in tried else None


def _remind(*, case: Case, ledger: Ledger, handoff: Handoff, key: str) -> None:
    ledger.notice(
        key=key,
        to=receivers(handoff=handoff, roster=case.roster),
        kind="staff_reminder",
        ticket=case.ticket,
        team=case.roster.teams[handoff.to_team_id].name,
        accept_by=moment(handoff.accept_by),
    )


_ROLES = {
    "on_call": "as_on_call",
    "lead": "as_lead",
    "manager": "as_manager",
    "backup_team": "as_backup",
}


def _tell(
    *, case: Case, ledger: Ledger, escalation: Escalation, handoff: Handoff, step: Step
) -> None:
    team = case.roster.teams[handoff.to_team_id]
    step.user = person_for(action=step.action, team=team, roster=case.roster)
    ledger.notice(
        key=f"{escalation.key}:{handoff.number}:{step.number}",
        to=(step.user,),
        kind="staff_escalation_path",
        ticket=case.ticket,
        team=team.name,
        accept_by=moment(handoff.accept_by),
        role=phrase(_ROLES[step.action]),
    )


def _time(roster: Roster, handoff: Handoff, after: str, since: datetime) -> datetime:
    return parse_duration(after).after(since, roster.time_of(roster.teams[handoff.to_team_id]))
