"""What tickets can be about, and what organizations can have bought."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.response import Response

from desk.api import listing
from desk.api.base import ApiView
from desk.api.fields import Slugs
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.shapes import ID
from desk.api.ticketshapes import values
from staff.apitokens import Scope
from tickets.models import Category, CategoryTeam, Plan
from tickets.models.customers import Complexity

CATEGORIES = Listing(
    filters=(
        listing.slug("slug", "slug"),
        listing.choices("complexity", values(Complexity), "complexity"),
    ),
    orderings={"id": Key("pk"), "name": Key("name", str)},
    default="name",
)

PLANS = Listing(orderings={"id": Key("pk"), "rank": Key("rank")}, default="rank")


class RequiredDetailShape(serializers.Serializer[Any]):
    """What a ticket of the category cannot be escalated without."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name of the framework's, too
    labels = serializers.DictField(
        child=serializers.CharField(), help_text="The label by language, where it has others."
    )
    pattern = serializers.CharField(help_text="Finds it in a conversation.")


class CategoryTeamShape(serializers.Serializer[Any]):
    """Who knows the category at a tier."""

    tier = serializers.IntegerField(source="tier.number")
    team = serializers.CharField(source="team.slug")


class CategoryShape(serializers.Serializer[Any]):
    """What a ticket is about."""

    id = serializers.IntegerField(**ID)
    slug = serializers.CharField()
    name = serializers.CharField()
    complexity = serializers.ChoiceField(values(Complexity))
    skills = Slugs(help_text="Slugs.")
    teams = CategoryTeamShape(many=True)
    required_details = RequiredDetailShape(many=True)


class PlanShape(serializers.Serializer[Any]):
    """What an organization bought; its targets stand in the policy."""

    id = serializers.IntegerField(**ID)
    slug = serializers.CharField()
    name = serializers.CharField()
    rank = serializers.IntegerField(min_value=0)
    calendar = serializers.CharField(source="calendar.slug", help_text="Its business hours.")
    in_customer_zone = serializers.BooleanField(
        help_text="Those hours are in the organization's own time zone."
    )


class Categories(ApiView):
    tag = "Catalogue"

    @operation("List categories", scope=Scope.TICKETS_READ, gives=CategoryShape, listing=CATEGORIES)
    def get(self) -> Response:
        """With the details each requires, and the teams that know it."""
        teams = CategoryTeam.objects.select_related("tier", "team").order_by("tier__number")
        return self.page(
            Category.objects.prefetch_related(
                "skills", "required_details", Prefetch("teams", teams)
            )
        )


class Plans(ApiView):
    tag = "Catalogue"

    @operation("List plans", scope=Scope.CUSTOMERS_READ, gives=PlanShape, listing=PLANS)
    def get(self) -> Response:
        return self.page(Plan.objects.select_related("calendar"))
