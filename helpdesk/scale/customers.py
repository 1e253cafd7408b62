"""Whose tickets they are: many organizations and their people, and their stand-ins at rehearsal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from helpdesk.scale import words
from tickets.models import Contact, Organization, OrganizationDomain, Plan

ZONES: Mapping[str, str] = {"en": "Europe/London", "de": "Europe/Berlin"}
TICKETS_PER_ORGANIZATION, PEOPLE_PER_ORGANIZATION = 400, 12


@dataclass(frozen=True, slots=True)
class Clientele:
    """Customers whose tickets run on the same hours and are written to in one language."""

    plan_id: int
    language: str

    @property
    def zone(self) -> str:
        return ZONES[self.language]


@dataclass(frozen=True, slots=True)
class Customer:
    """One person, as casting needs them."""

    contact_id: int
    organization_id: int
    first: str
    last: str
    mailbox: str
    domain: str
    organization: str
    customer_id: str


def clienteles() -> list[Clientele]:
    plans = Plan.objects.order_by("rank", "pk").values_list("pk", flat=True)[:3]
    return [Clientele(plan, language) for plan in plans for language in ZONES]


@transaction.atomic
def welcome(
    *, clienteles: Sequence[Clientele], tickets: int, now: datetime
) -> dict[Clientele, list[Customer]]:
    """Make organizations and their people, so many as write so many tickets."""
    count = max(len(clienteles), round(tickets / TICKETS_PER_ORGANIZATION))
    start = (Organization.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    since = now - timedelta(days=400)
    kinds = [clienteles[number % len(clienteles)] for number in range(count)]
    organizations = Organization.objects.bulk_create(
        Organization(
            name=words.firm(start + number),
            customer_id=f"SCL-{start + number:06}",
            plan_id=kind.plan_id,
            zone=kind.zone,
        )
        for number, kind in enumerate(kinds)
    )
    domains = [f"firm{start + number}.example" for number in range(count)]
    OrganizationDomain.objects.bulk_create(
        OrganizationDomain(organization=organization, domain=domain)
        for organization, domain in zip(organizations, domains, strict=True)
    )
    people = []
    for number, (organization, kind, domain) in enumerate(
        zip(organizations, kinds, domains, strict=True)
    ):
        for seat in range(PEOPLE_PER_ORGANIZATION):
            first, last = words.person(number * 5 + seat * 3)
            people.append(
                Contact(
                    organization=organization,
                    name=f"{first} {last}",
                    email=f"{first.lower()}.{last.lower()}.{seat}@{domain}",
                    language=kind.language,
                    zone=kind.zone,
                    is_escalation_contact=seat == 0,
                    verified_at=since,
                    created_at=since,
                )
            )
    found: dict[Clientele, list[Customer]] = {kind: [] for kind in clienteles}
    for contact in Contact.objects.bulk_create(people, batch_size=2000):
        firm = contact.organization
        assert firm is not None
        mailbox, _at, domain = contact.email.partition("@")
        first, _blank, last = contact.name.partition(" ")
        found[Clientele(firm.plan_id, contact.language)].append(
            Customer(
                contact_id=contact.pk,
                organization_id=firm.pk,
                first=first,
                last=last,
                mailbox=mailbox,
                domain=domain,
                organization=firm.name,
                customer_id=firm.customer_id,
            )
        )
    return found


def stand_in(clientele: Clientele, *, now: datetime) -> Contact:
    """Whoever plays these customers at the rehearsal; what names them is filled in later."""
    number = Organization.objects.filter(name="qzorganizationqz").count()
    organization = Organization.objects.create(
        name="qzorganizationqz",
        customer_id=f"qzcustomer{number}qz",
        plan_id=clientele.plan_id,
        zone=clientele.zone,
    )
    return Contact.objects.create(
        organization=organization,
        name="qzfirstqz qzlastqz",
        email=f"qzmailboxqz@qzdomain{number}qz",
        language=clientele.language,
        zone=clientele.zone,
        verified_at=now - timedelta(days=400),
        created_at=now - timedelta(days=400),
    )
