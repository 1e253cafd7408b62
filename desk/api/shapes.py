"""What answers say of things that stand in many of them: who, which team, which customer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from desk.api.fields import LARGEST_ID, Moment
from desk.api.telling import Told

#: Of any row; answers name rows by it, and so do requests.
ID: dict[str, Any] = {"min_value": 1, "max_value": LARGEST_ID}


class PersonShape(Told):
    """Somebody who works here."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    email = serializers.CharField()


class TeamShape(Told):
    """A team."""

    id = serializers.IntegerField(**ID)
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.IntegerField(source="tier.number")


class CustomerShape(Told):
    """An organization, where something else is told of."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    customer_id = serializers.CharField()
    plan = serializers.CharField(source="plan.slug")


class RequesterShape(Told):
    """A contact, where something else is told of."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    email = serializers.CharField()


class OrganizationShape(Told):
    """A customer company."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    customer_id = serializers.CharField()
    plan = serializers.CharField(source="plan.slug", help_text="The plan's slug.")
    zone = serializers.CharField(help_text="A time zone such as Europe/Oslo.")
    domains = serializers.SerializerMethodField(help_text="Mail domains of its people.")
    account_manager = PersonShape(allow_null=True)

    def get_domains(self, organization: Any) -> list[str]:
        return [each.domain for each in organization.domains.all()]


class ContactShape(Told):
    """A person at a customer."""

    id = serializers.IntegerField(**ID)
    name = serializers.CharField()
    email = serializers.CharField()
    organization = CustomerShape(allow_null=True)
    language = serializers.CharField(help_text="Of the letters they get: en or de.")
    zone = serializers.CharField(help_text="Times in letters are in this zone.")
    phone = serializers.CharField()
    is_escalation_contact = serializers.BooleanField(
        help_text="Sees the organization's tickets, and is told when a letter bounces."
    )
    verified_at = Moment(
        allow_null=True, help_text="When it was proven that they read this mailbox."
    )
    created_at = Moment()
