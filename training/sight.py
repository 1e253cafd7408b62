"""Whose training somebody answers for: leads for the people of their teams, managers and admins for
everybody."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from staff.models import Team, User


def people_of(user: User) -> QuerySet[User]:
    """The people whose records this person may read, who left included; nobody for agents."""
    if user.sees_every_team:
        return User.objects.all()
    if not user.is_lead:
        return User.objects.none()
    led = user.led_teams.values("pk")
    return User.objects.filter(
        Q(pk=user.pk)
        | Q(pk__in=Team.members.through._default_manager.filter(team__in=led).values("user"))
        | Q(pk__in=Team.leads.through._default_manager.filter(team__in=led).values("user"))
    )


def teams_of(user: User) -> QuerySet[Team]:
    """The teams of whose people this person may require something."""
    if user.sees_every_team:
        return Team.objects.all()
    return user.led_teams.all() if user.is_lead else Team.objects.none()
