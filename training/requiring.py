"""Requirements come and go; whoever they are about is enrolled at once, or let off."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from staff.models import Team, Tier, User
from staff.refusal import Refused
from training import enrolling, sight
from training.holding import hold_procedure
from training.models import Enrollment, Procedure, Requirement

#: The longest somebody can be given to complete a version, in days.
LONGEST_DAYS = 365


@transaction.atomic
def require(
    *,
    procedure: Procedure,
    role: str = "",
    team: Team | None = None,
    tier: Tier | None = None,
    due_days: int,
    by: User,
    now: datetime,
) -> Requirement:
    """Require a procedure of everybody of a role, a team and a tier; what is left out, is any.

    What is required of the same people already is given the new days, which hold for who is enrolled
    from now on. Raises ``Refused`` for who may not, and for days that make no sense.
    """
    if not may_require(by, team):
        raise Refused(_("Choose a team of which you are a lead."), field="team")
    if not 1 <= due_days <= LONGEST_DAYS:
        message = _("Give between 1 and %(most)s days.") % {"most": LONGEST_DAYS}
        raise Refused(message, field="due_days")
    # As enrolling does first, so that neither waits for the other.
    hold_procedure(procedure.pk)
    found, made = Requirement.objects.get_or_create(
        procedure=procedure,
        role=role,
        team=team,
        tier=tier,
        defaults={"due_days": due_days, "created_at": now, "created_by": by},
    )
    if not made and found.due_days != due_days:
        found.due_days = due_days
        found.save(update_fields=("due_days",))
    enrolling.enrol(procedure=procedure, now=now)
    return found


@transaction.atomic
def lift(*, requirement_id: int, by: User, now: datetime) -> None:
    """Require it no longer; whoever nothing else requires it of is let off.

    Raises ``Refused`` for who may not; what is gone already stays gone.
    """
    requirement = (
        Requirement.objects.select_related("procedure", "team").filter(pk=requirement_id).first()
    )
    if requirement is None:
        return
    if not may_require(by, requirement.team):
        raise Refused(_("Leads of this team, managers and admins do this."))
    hold_procedure(requirement.procedure_id)
    requirement.delete()
    enrolling.enrol(procedure=requirement.procedure, now=now)


@transaction.atomic
def ask(
    *, procedure: Procedure, person_id: int, due_at: datetime, by: User, now: datetime
) -> Enrollment:
    """Ask one of one's people to complete the newest version by a moment; raises ``Refused``."""
    person = sight.people_of(by).filter(pk=person_id).first()
    if person is None:
        raise Refused(_("Choose somebody of your teams."), field="person")
    return enrolling.ask(procedure=procedure, user=person, due_at=due_at, by=by, now=now)


def may_require(user: User, team: Team | None) -> bool:
    """Managers and admins of everybody, leads of a team they lead."""
    if user.sees_every_team:
        return True
    return team is not None and sight.teams_of(user).filter(pk=team.pk).exists()
