"""The web form: a visitor's request becomes a ticket, whether or not we know their address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from notifications.plaintext import one_line
from tickets import intake, verifying
from tickets.inbound.contacts import known_contact, organization_at
from tickets.intake import Incoming
from tickets.models import Category, Contact, Message

CUSTOMER_ID = "customer_id"
"""The detail under which an organization's customer ID is kept that somebody claims to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who somebody says they are; nothing of it is proven."""

    name: str
    email: str
    language: str
    customer_id: str = ""


@transaction.atomic
def submit(
    *,
    visitor: Visitor,
    subject: str,
    incoming: Incoming,
    category: Category | None,
    details: Mapping[str, str],
    now: datetime,
) -> Message:
    """Open a ticket for a visitor; to an unverified address goes the letter of verification.

    Agents see the ticket at once. A customer ID is kept as a claim and opens nothing: only the
    domain of an address makes somebody one of an organization.
    """
    contact = _contact(visitor, now)
    verifying.hold(contact=contact)
    claims = {**details, CUSTOMER_ID: details.get(CUSTOMER_ID) or visitor.customer_id}
    message = intake.open_ticket(
        contact=contact,
        subject=subject,
        incoming=incoming,
        category=category,
        details=claims,
        now=now,
    )
    verifying.ask(ticket=message.ticket, now=now)
    return message


def _contact(visitor: Visitor, now: datetime) -> Contact:
    found = known_contact(visitor.email)
    if found is not None:
        return found
    organization = organization_at(visitor.email.rpartition("@")[2])
    contact, _made = Contact.objects.get_or_create(
        email__iexact=visitor.email,
        defaults={
            "email": visitor.email,
            "name": one_line(visitor.name, limit=120),
            "organization": organization,
            "language": visitor.language,
            "zone": organization.zone if organization else "UTC",
            "created_at": now,
        },
    )
    return contact
