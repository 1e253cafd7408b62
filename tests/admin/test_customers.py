"""Customers and categories behind ``/admin/``, and mails that wait: what is done there."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from tests.admin.rows import BACKEND, MAIL, inbound, of
from tests.pages.desk import Desk, words
from tickets.models import (
    CategoryTeam,
    Contact,
    InboundEmail,
    Organization,
    OrganizationDomain,
    RequiredDetail,
    Ticket,
)


def test_a_contact_is_made_and_kept_once(sam: Client, desk: Desk) -> None:
    form = {
        "name": "New Person",
        "email": "New@Customer.example",
        "organization": desk.norvik.pk,
        "language": "de",
        "zone": "Europe/Oslo",
    }
    address = reverse("admin:tickets_contact_add")

    assert sam.post(address, form).status_code == 302
    page = sam.post(address, {**form, "email": "new@customer.EXAMPLE"})

    assert "Another contact has this address." in words(page)
    assert Contact.objects.get(email="new@customer.example").language == "de"


def domains(organization: Organization, *written: str) -> dict[str, Any]:
    rows = {f"domains-{n}-domain": domain for n, domain in enumerate(written)}
    rows |= {f"domains-{n}-organization": str(organization.pk) for n in range(len(written))}
    return {
        "name": organization.name,
        "customer_id": organization.customer_id,
        "plan": organization.plan_id,
        "zone": organization.zone,
        "domains-TOTAL_FORMS": len(written),
        "domains-INITIAL_FORMS": 0,
        **rows,
    }


def test_an_organization_has_its_domains(sam: Client, desk: Desk) -> None:
    page = sam.post(of(desk.norvik), domains(desk.norvik, "Norvik.example", "@norvik.no"))

    assert page.status_code == 302
    found = desk.norvik.domains.values_list("domain", flat=True)
    assert list(found) == ["norvik.example", "norvik.no"]


def test_a_domain_belongs_to_one_organization(sam: Client, desk: Desk) -> None:
    OrganizationDomain.objects.create(organization=desk.steinbach, domain="steinbach.example")

    taken = sam.post(of(desk.norvik), domains(desk.norvik, "STEINBACH.example"))
    twice = sam.post(of(desk.norvik), domains(desk.norvik, "a.example", "A.example"))
    nonsense = sam.post(of(desk.norvik), domains(desk.norvik, "dana@norvik.example"))

    assert "This domain belongs to Steinbach." in words(taken)
    assert "This domain stands here twice." in words(twice)
    assert "Write a mail domain" in words(nonsense)
    assert not desk.norvik.domains.exists()


def test_a_category_names_its_details_and_its_teams(sam: Client, desk: Desk) -> None:
    form = {
        "name": "API integration",
        "complexity": "specialist",
        "keywords": "api",
        "required_details-TOTAL_FORMS": 1,
        "required_details-INITIAL_FORMS": 0,
        "required_details-0-position": 1,
        "required_details-0-key": "api-key",
        "required_details-0-label": "API key id",
        "required_details-0-labels": '{"de": "API-Schlüssel"}',
        "required_details-0-pattern": "(ak_[a-z0-9]+)",
        "required_details-0-category": desk.api.pk,
        "teams-TOTAL_FORMS": 1,
        "teams-INITIAL_FORMS": 0,
        "teams-0-tier": desk.tier2.pk,
        "teams-0-team": desk.integrations.pk,
        "teams-0-category": desk.api.pk,
    }

    broken = sam.post(of(desk.api), {**form, "required_details-0-pattern": "(ak_"})
    assert "This pattern cannot be read" in words(broken)
    assert not RequiredDetail.objects.exists()

    assert sam.post(of(desk.api), form).status_code == 302
    assert RequiredDetail.objects.get().label_in("de") == "API-Schlüssel"
    assert CategoryTeam.objects.get().team == desk.integrations


def act(sam: Client, action: str, *mails: InboundEmail) -> Any:
    return sam.post(
        reverse("admin:tickets_inboundemail_changelist"),
        {"action": action, "_selected_action": [mail.pk for mail in mails]},
        follow=True,
    )


def test_a_suspended_mail_is_released_and_says_where_it_went(sam: Client, desk: Desk) -> None:
    mail = inbound(desk, outcome="suspended")

    page = act(sam, "release_mails", mail)

    ticket = Ticket.objects.get()
    assert f"Opened a ticket · {ticket.reference}" in words(page)
    mail.refresh_from_db()
    assert (mail.outcome, mail.ticket) == ("created", ticket)


def test_a_quarantined_mail_is_tried_again_and_says_why_not(sam: Client, desk: Desk) -> None:
    good = inbound(desk, outcome="quarantined")
    other = inbound(desk, outcome="created", raw=MAIL + b"2")

    page = act(sam, "try_again", good, other)

    assert "Opened a ticket" in words(page)
    assert "nothing was done · It is here already: created." in words(page)


def test_only_admins_release_mails(desk: Desk) -> None:
    mail = inbound(desk, outcome="suspended")
    client = Client()
    client.force_login(desk.marco, BACKEND)

    assert act(client, "release_mails", mail).status_code == 403
    mail.refresh_from_db()
    assert mail.outcome == "suspended"
