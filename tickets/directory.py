"""The directory: which organizations and contacts there are, as somebody writes them down.

Who may write what is the caller's question; that no address and no domain stands here twice is
the database's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from tickets.errors import Refused
from tickets.models import Contact, Organization, OrganizationDomain

_DOMAIN = re.compile(r"[^\s@/,;]{1,253}")


@transaction.atomic
def add_organization(*, domains: Iterable[str], **fields: Any) -> Organization:
    """Write an organization down with the mail domains of its people.

    Raises ``Refused`` naming the field where a customer ID or a domain is another one's.
    """
    organization = Organization(**fields)
    _keep_organization(organization)
    _set_domains(organization, domains)
    return organization


@transaction.atomic
def change_organization(
    *, organization_id: int, domains: Iterable[str] | None, changes: Mapping[str, Any]
) -> Organization:
    """Change what is named; ``domains`` None leaves them. Raises as ``add_organization``."""
    organization = Organization.objects.select_for_update().get(pk=organization_id)
    for name, value in changes.items():
        setattr(organization, name, value)
    _keep_organization(organization)
    if domains is not None:
        _set_domains(organization, domains)
    return organization


def _keep_organization(organization: Organization) -> None:
    try:
        with transaction.atomic():
            organization.save()
    except IntegrityError as error:
        raise Refused(
            _("Another organization has this customer ID."), field="customer_id"
        ) from error


def _set_domains(organization: Organization, domains: Iterable[str]) -> None:
    wanted = [_domain(each) for each in domains]
    organization.domains.exclude(domain__in=wanted).delete()
    kept = set(organization.domains.values_list("domain", flat=True))
    try:
        with transaction.atomic():
            OrganizationDomain.objects.bulk_create(
                OrganizationDomain(organization=organization, domain=domain)
                for domain in dict.fromkeys(wanted)
                if domain not in kept
            )
    except IntegrityError as error:
        raise Refused(
            _("One of these domains belongs to another organization."), field="domains"
        ) from error


def _domain(text: str) -> str:
    domain = text.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(domain):
        raise Refused(_("Write a mail domain such as norvik.example."), field="domains")
    return domain


def add_contact(*, email: str, now: datetime, **fields: Any) -> Contact:
    """Write a contact down. Raises ``Refused`` for an address that is another one's."""
    contact = Contact(email=email.strip().lower(), created_at=now, **fields)
    _keep_contact(contact)
    return contact


@transaction.atomic
def change_contact(*, contact_id: int, changes: Mapping[str, Any]) -> Contact:
    """Change what is named. Another address is one that nobody has proven yet.

    Raises as ``add_contact``.
    """
    contact = Contact.objects.select_for_update(no_key=True).get(pk=contact_id)
    for name, value in changes.items():
        if name == "email":
            value = value.strip().lower()
            if value != contact.email.lower():
                contact.verified_at = None
        setattr(contact, name, value)
    _keep_contact(contact)
    return contact


def _keep_contact(contact: Contact) -> None:
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError as error:
        raise Refused(_("Another contact has this address."), field="email") from error
