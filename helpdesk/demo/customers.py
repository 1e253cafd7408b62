"""Who buys from Brightquay, on which plan, and who writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from staff.models import Calendar
from tickets.models import Contact, Organization, OrganizationDomain, Plan


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization; its people write from its one domain."""

    name: str
    customer_id: str
    plan: str
    domain: str
    zone: str


#: By slug: name, calendar, whether its hours are read in the customer's zone, and rank.
PLANS: Mapping[str, tuple[str, str, bool, int]] = {
    "gold": ("Gold", "always", False, 1),
    "silver": ("Silver", "working-week", True, 2),
    "bronze": ("Bronze", "working-week", True, 3),
}

CUSTOMERS: Mapping[str, Customer] = {
    "norvik": Customer("Norvik Logistics", "NOR-4471", "gold", "norvik.example", "Europe/Oslo"),
    "casalume": Customer("Casa Lume", "CLR-2210", "gold", "casalume.example", "Europe/Madrid"),
    "pinecrest": Customer(
        "Pinecrest Health", "PCH-1187", "gold", "pinecrest.example", "America/Chicago"
    ),
    "steinbach": Customer("Steinbach", "STM-3302", "silver", "steinbach.example", "Europe/Berlin"),
    "aoba": Customer("Aoba Foods", "AOB-5120", "silver", "aoba.example", "Asia/Tokyo"),
    "verdejo": Customer("Verdejo", "VER-6045", "bronze", "verdejo.example", "America/Sao_Paulo"),
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody at a customer."""

    name: str
    customer: str
    mailbox: str
    language: str = "en"
    is_escalation_contact: bool = False

    @property
    def email(self) -> str:
        return f"{self.mailbox}@{CUSTOMERS[self.customer].domain}"


CONTACTS: Mapping[str, Writer] = {
    "dana": Writer("Dana Reyes", "norvik", "dana.reyes"),
    "ola": Writer("Ola Berg", "norvik", "ola.berg", is_escalation_contact=True),
    "signe": Writer("Signe Moe", "norvik", "signe.moe"),
    "ines": Writer("Inés Duarte", "casalume", "ines.duarte"),
    "maya": Writer("Maya Ortiz", "pinecrest", "maya.ortiz"),
    "juergen": Writer("Jürgen Adler", "steinbach", "juergen.adler", language="de"),
    "kenji": Writer("Kenji Mori", "aoba", "kenji.mori"),
    "lia": Writer("Lia Prado", "verdejo", "lia.prado"),
}


def load(*, calendars: Mapping[str, Calendar], now: datetime) -> dict[str, Contact]:
    """Make the plans, organizations and contacts that are missing; the contacts by key."""
    plans = {
        slug: Plan.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "calendar": calendars[calendar],
                "in_customer_zone": in_zone,
                "rank": rank,
            },
        )[0]
        for slug, (name, calendar, in_zone, rank) in PLANS.items()
    }
    organizations = {}
    for key, customer in CUSTOMERS.items():
        organizations[key], _new = Organization.objects.get_or_create(
            customer_id=customer.customer_id,
            defaults={
                "name": customer.name,
                "plan": plans[customer.plan],
                "zone": customer.zone,
            },
        )
        OrganizationDomain.objects.get_or_create(
            domain=customer.domain, defaults={"organization": organizations[key]}
        )
    return {
        key: Contact.objects.get_or_create(
            email=writer.email,
            defaults={
                "name": writer.name,
                "organization": organizations[writer.customer],
                "language": writer.language,
                "zone": CUSTOMERS[writer.customer].zone,
                "is_escalation_contact": writer.is_escalation_contact,
                "created_at": now - timedelta(days=400),
            },
        )[0]
        for key, writer in CONTACTS.items()
    }


def organization(key: str) -> Organization:
    """One that ``load`` has made, or found."""
    return Organization.objects.select_related("plan").get(customer_id=CUSTOMERS[key].customer_id)
