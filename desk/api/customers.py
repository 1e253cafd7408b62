"""Organizations and contacts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.response import Response

from desk.api import listing
from desk.api.base import ApiView
from desk.api.choosing import chosen
from desk.api.fields import Address, Choice, Flag, Line, Number, Shape, Slug, Texts
from desk.api.listing import Key, Listing
from desk.api.operations import operation
from desk.api.problems import NOT_ALLOWED, Fault, Problem, not_found
from desk.api.shapes import ContactShape, OrganizationShape
from staff.apitokens import Scope
from staff.models import User
from staff.zones import validate_zone
from tickets import calls, directory
from tickets.models import Contact, Organization, Plan

_LANGUAGES = [code for code, _name in settings.LANGUAGES]
#: Of a contact, what opens tickets to others is for admins to set.
_GUARDED = ("email", "organization", "is_escalation_contact")

ORGANIZATIONS = Listing(
    filters=(
        listing.words("customer_id", lambda asked, _user: Q(customer_id__iexact=asked), longest=40),
        listing.slug("plan", "plan__slug"),
        listing.words("domain", lambda asked, _user: Q(domains__domain__iexact=asked)),
    ),
    orderings={"id": Key("pk"), "name": Key("name", str)},
)
CONTACTS = Listing(
    filters=(
        listing.words("email", lambda asked, _user: Q(email__iexact=asked)),
        listing.identifier("organization", "organization"),
        listing.flag("is_escalation_contact", "is_escalation_contact"),
        listing.moment("created_after", "created_at__gte"),
    ),
    orderings={"id": Key("pk"), "name": Key("name", str)},
)


class NewOrganizationShape(Shape):
    """An organization to write down."""

    name = Line(max_length=120)
    customer_id = Line(max_length=40)
    plan = Slug(help_text="The plan's slug.")
    zone = Line(max_length=64, default="UTC", validators=[validate_zone])
    domains = Texts(each=253, at_most=50, required=False)
    account_manager = Number(required=False, allow_null=True, help_text="A person's id.")


class OrganizationChangeShape(Shape):
    """What to change of an organization; what is not named stays. Domains are replaced."""

    name = Line(max_length=120, required=False)
    customer_id = Line(max_length=40, required=False)
    plan = Slug(required=False)
    zone = Line(max_length=64, required=False, validators=[validate_zone])
    domains = Texts(each=253, at_most=50, required=False)
    account_manager = Number(required=False, allow_null=True)


class NewContactShape(Shape):
    """A contact to write down."""

    email = Address()
    name = Line(max_length=120, allow_blank=True, default="")
    organization = Number(required=False, allow_null=True, help_text="An organization's id.")
    language = Choice(choices=_LANGUAGES, default="en")
    zone = Line(max_length=64, default="UTC", validators=[validate_zone])
    phone = Line(max_length=40, allow_blank=True, default="")
    is_escalation_contact = Flag(default=False, help_text="Only an admin may set it.")


class ContactChangeShape(Shape):
    """What to change of a contact; address, organization and escalation contact by admins."""

    email = Address(required=False)
    name = Line(max_length=120, allow_blank=True, required=False)
    organization = Number(required=False, allow_null=True)
    language = Choice(choices=_LANGUAGES, required=False)
    zone = Line(max_length=64, required=False, validators=[validate_zone])
    phone = Line(max_length=40, allow_blank=True, required=False)
    is_escalation_contact = Flag(required=False)


class Organizations(ApiView):
    tag = "Organizations"

    @operation(
        "List organizations",
        scope=Scope.CUSTOMERS_READ,
        gives=OrganizationShape,
        listing=ORGANIZATIONS,
    )
    def get(self) -> Response:
        return self.page(_organizations())

    @operation(
        "Write an organization down",
        scope=Scope.CUSTOMERS_WRITE,
        takes=NewOrganizationShape,
        gives=OrganizationShape,
        status=201,
        asks={
            "Norvik": {
                "name": "Norvik Logistics",
                "customer_id": "NOR-4471",
                "plan": "gold",
                "zone": "Europe/Oslo",
                "domains": ["norvik.example"],
            }
        },
    )
    def post(self) -> Response:
        """For admins, as all configuration."""
        _must_be_admin(self.user)
        domains = self.sent.pop("domains", [])
        made = directory.add_organization(domains=domains, **_organization_fields(self.sent))
        return self.answer(
            _organizations().get(pk=made.pk), location=reverse("api:organization", args=(made.pk,))
        )


class OneOrganization(ApiView):
    tag = "Organizations"

    @operation("Read an organization", scope=Scope.CUSTOMERS_READ, gives=OrganizationShape)
    def get(self, pk: int) -> Response:
        return self.answer(_organizations().get(pk=pk))

    @operation(
        "Change an organization",
        scope=Scope.CUSTOMERS_WRITE,
        takes=OrganizationChangeShape,
        gives=OrganizationShape,
        asks={"Another plan": {"plan": "silver"}},
    )
    def patch(self, pk: int) -> Response:
        """For admins, as all configuration."""
        if not Organization.objects.filter(pk=pk).exists():
            raise not_found()
        _must_be_admin(self.user)
        domains = self.sent.pop("domains", None)
        directory.change_organization(
            organization_id=pk, domains=domains, changes=_organization_fields(self.sent)
        )
        return self.answer(_organizations().get(pk=pk))


class Contacts(ApiView):
    tag = "Contacts"

    @operation("List contacts", scope=Scope.CUSTOMERS_READ, gives=ContactShape, listing=CONTACTS)
    def get(self) -> Response:
        """All but those that are known from tickets alone which the token's person may not see."""
        return self.page(_contacts(self.user))

    @operation(
        "Write a contact down",
        scope=Scope.CUSTOMERS_WRITE,
        takes=NewContactShape,
        gives=ContactShape,
        status=201,
        asks={
            "Dana": {
                "email": "dana@norvik.example",
                "name": "Dana Reyes",
                "organization": 1,
                "zone": "Europe/Oslo",
            }
        },
    )
    def post(self) -> Response:
        if self.sent["is_escalation_contact"]:
            _must_be_admin(self.user, "is_escalation_contact")
        made = directory.add_contact(now=self.now, **_contact_fields(self.sent))
        return self.answer(
            Contact.objects.select_related("organization__plan").get(pk=made.pk),
            location=reverse("api:contact", args=(made.pk,)),
        )


class OneContact(ApiView):
    tag = "Contacts"

    @operation("Read a contact", scope=Scope.CUSTOMERS_READ, gives=ContactShape)
    def get(self, pk: int) -> Response:
        return self.answer(_contacts(self.user).get(pk=pk))

    @operation(
        "Change a contact",
        scope=Scope.CUSTOMERS_WRITE,
        takes=ContactChangeShape,
        gives=ContactShape,
        asks={"Another phone": {"phone": "+47 22 00 00 00"}},
    )
    def patch(self, pk: int) -> Response:
        """What opens tickets to a contact (address, organization, escalation contact) is set by
        admins.
        """
        contact = _contacts(self.user).get(pk=pk)
        for name in _GUARDED:
            now = getattr(contact, "organization_id" if name == "organization" else name)
            if name in self.sent and self.sent[name] != now:
                _must_be_admin(self.user, name)
        directory.change_contact(contact_id=pk, changes=_contact_fields(self.sent))
        return self.answer(Contact.objects.select_related("organization__plan").get(pk=pk))


def _organizations() -> QuerySet[Organization]:
    return Organization.objects.select_related("plan", "account_manager").prefetch_related(
        "domains"
    )


def _contacts(user: User) -> QuerySet[Contact]:
    return calls.contacts_for(user)


def _organization_fields(sent: dict[str, Any]) -> dict[str, Any]:
    fields = dict(sent)
    if "plan" in fields:
        fields["plan"] = chosen(Plan.objects.all(), "plan", slug=fields["plan"])
    if fields.get("account_manager") is not None:
        people = User.objects.filter(is_active=True)
        fields["account_manager"] = chosen(people, "account_manager", pk=fields["account_manager"])
    return fields


def _contact_fields(sent: dict[str, Any]) -> dict[str, Any]:
    fields = dict(sent)
    if fields.get("organization") is not None:
        fields["organization"] = chosen(
            Organization.objects.all(), "organization", pk=fields["organization"]
        )
    return fields


def _must_be_admin(user: User, field: str = "") -> None:
    if not user.is_staff:
        words = _("Only an admin may set this.") if field else _("Only an admin may do this.")
        faults = [Fault(field, "not_allowed", words)] if field else []
        raise Problem(NOT_ALLOWED, words, faults=faults)
