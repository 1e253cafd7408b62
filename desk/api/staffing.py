"""Who works here: people, teams, tiers; of private teams, their people are told to them alone."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Now
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import listing
from desk.api.base import ApiView
from desk.api.fields import Slugs
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.shapes import PersonShape, TeamShape
from desk.api.ticketshapes import values
from staff.apitokens import Scope
from staff.models import Absence, Role, Team, Tier, User


def known_teams(user: User) -> QuerySet[Team]:
    """The teams whose people somebody may know."""
    if user.sees_every_team:
        return Team.objects.all()
    return Team.objects.filter(
        Q(is_private=False)
        | Q(pk__in=user.teams.values("pk"))
        | Q(pk__in=user.led_teams.values("pk"))
    )


def _in_team(slug: str, user: User) -> Q:
    teams = known_teams(user).filter(slug=slug).values("pk")
    return Q(pk__in=User.objects.filter(Q(teams__in=teams) | Q(led_teams__in=teams)).values("pk"))


PEOPLE = Listing(
    filters=(
        listing.choices("role", values(Role), "role", "One or more, divided by commas."),
        listing.Filter(
            name="team",
            read=listing.slug("team", "").read,
            rows=_in_team,
            schema=listing.slug("team", "").schema,
            description="A team's slug: its members and leads.",
        ),
        listing.slug("skill", "skills__slug", "A skill's slug."),
        listing.words("email", lambda asked, _user: Q(email__iexact=asked), longest=254),
    ),
    orderings={"id": Key("pk"), "name": Key("name", str)},
    default="name",
)

TEAMS = Listing(
    filters=(
        listing.choices("tier", range(1, 10), "tier__number", "1 to 9."),
        listing.flag("private", "is_private"),
    ),
    orderings={"id": Key("pk"), "name": Key("name", str)},
    default="name",
)

TIERS = Listing(orderings={"number": Key("number")}, default="number")


class StaffShape(PersonShape):
    """Somebody who works here, with their teams."""

    role = serializers.ChoiceField(values(Role))
    zone = serializers.CharField()
    language = serializers.CharField()
    skills = Slugs(help_text="Slugs.")
    teams = Slugs(help_text="Slugs.")
    leads = Slugs(
        source="led_teams",
        help_text="Slugs of the teams they lead.",
    )
    away = serializers.BooleanField(help_text="Their work goes to their backup now.")


class WholeTeamShape(TeamShape):
    """A team, with its people."""

    private = serializers.BooleanField(source="is_private")
    members = PersonShape(
        many=True,
        allow_null=True,
        source="members_known",
        help_text="Null where the team is private, and not one's own.",
    )
    leads = PersonShape(
        many=True, allow_null=True, source="leads_known", help_text="As its members."
    )
    manager = PersonShape(allow_null=True)
    on_call = PersonShape(allow_null=True)
    backup_team = serializers.CharField(
        source="backup_team.slug", allow_null=True, default=None, help_text="A team's slug."
    )


class TierShape(serializers.Serializer[Any]):
    """A level of expertise: 1 meets the customer."""

    number = serializers.IntegerField(min_value=1, max_value=9)
    name = serializers.CharField()


class Staff(ApiView):
    tag = "Staff"

    @operation("List staff", scope=Scope.STAFF_READ, gives=StaffShape, listing=PEOPLE)
    def get(self) -> Response:
        """Everybody who works here."""
        teams = known_teams(self.user).order_by("slug")
        absent = Absence.objects.at(Now()).filter(user=OuterRef("pk"))
        return self.page(
            User.objects.filter(is_active=True)
            .annotate(away=Exists(absent))
            .prefetch_related("skills", Prefetch("teams", teams), Prefetch("led_teams", teams))
        )


class Teams(ApiView):
    tag = "Staff"

    @operation("List teams", scope=Scope.STAFF_READ, gives=WholeTeamShape, listing=TEAMS)
    def get(self) -> Response:
        """Every team may be escalated to, so that private ones stand here, too."""
        people = User.objects.filter(is_active=True).order_by("name", "pk")
        found = self.rows(
            Team.objects.select_related(
                "tier", "manager", "on_call", "backup_team"
            ).prefetch_related(Prefetch("members", people), Prefetch("leads", people))
        )
        for team in found.rows:
            self._fill(team)
        return self.page_of(found, found.rows)

    def _fill(self, team: Any) -> None:
        members, leads = list(team.members.all()), list(team.leads.all())
        known = not team.is_private or self.user.sees_every_team or self.user in [*members, *leads]
        team.members_known = members if known else None
        team.leads_known = leads if known else None


class Tiers(ApiView):
    tag = "Staff"

    @operation("List tiers", scope=Scope.STAFF_READ, gives=TierShape, listing=TIERS)
    def get(self) -> Response:
        return self.page(Tier.objects.all())
