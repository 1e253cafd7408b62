"""The configuration behind ``/admin/``: who gets in, what is there, and what a list costs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalation.defaults import default_body
from escalation.models import Policy, PolicyVersion
from notifications.models import MailTemplate
from staff.configuration import History
from staff.models import Absence, Calendar, CalendarVersion, Role, Skill, Team, Tier, User
from tests.admin.rows import BACKEND, MAIL, OFFICE, inbound, named, of
from tests.pages.desk import Desk, Markup, html, words
from tickets.models import (
    Category,
    InboundEmail,
    Organization,
    Plan,
    Ticket,
)


def test_an_admin_reaches_every_list_and_every_form(sam: Client) -> None:
    assert sam.get("/admin/").status_code == 200
    for address in named("changelist"):
        assert sam.get(address).status_code == 200, address
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
        closed = isinstance(page, History) or model is MailTemplate
        assert sam.get(reverse(name)).status_code == (403 if closed else 200), model


def test_nobody_else_reaches_any_of_it(desk: Desk) -> None:
    for user in (desk.anna, desk.marco, desk.helen):
        client = Client()
        client.force_login(user, BACKEND)
        for address in ("/admin/", *named("changelist"), *named("add"), of(desk.sam)):
            assert client.get(address, follow=True).status_code == 403, (user, address)
        assert client.post(of(desk.anna), {"role": "admin"}, follow=True).status_code == 403
    assert User.objects.get(pk=desk.anna.pk).role == Role.AGENT


def test_a_visitor_signs_in_where_everybody_does(desk: Desk) -> None:
    page = Client().get("/admin/staff/user/", follow=True)

    assert page.redirect_chain[-1][0].startswith("/accounts/login/?next=")


def test_an_inactive_admin_is_shut_out_at_once(sam: Client, desk: Desk) -> None:
    User.objects.filter(pk=desk.sam.pk).update(is_active=False)

    page = sam.get("/admin/staff/user/", follow=True)

    assert page.redirect_chain[-1][0].startswith("/accounts/login/")


def test_only_what_is_ours_is_configured_here(sam: Client) -> None:
    apps = {model._meta.app_label for model in admin.site._registry}

    assert apps == {"staff", "tickets", "escalation", "notifications"}
    assert Ticket not in admin.site._registry


def test_no_page_asks_another_machine_for_anything(sam: Client, desk: Desk) -> None:
    calendar = Calendar.objects.get()
    text = MailTemplate.objects.earliest("pk")
    for address in ("/admin/", *named("changelist"), of(desk.sam), of(calendar), of(text)):
        page = sam.get(address)
        for tag, carried in Markup(html(page)).elements:
            for name in ("src", "href", "action", "data", "srcset"):
                value = carried.get(name, "")
                # Links lead where they lead when somebody follows them.
                if tag != "a":
                    assert not re.match(r"(https?:)?//", value), (
                        f"{address}: <{tag} {name}={value}>"
                    )
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("what", ["change", "delete"])
def test_history_is_read_and_nothing_else(sam: Client, desk: Desk, what: str) -> None:
    policy = Policy.objects.create(slug="default", name="Default")
    rows = (
        CalendarVersion.objects.get(),
        PolicyVersion.objects.create(
            policy=policy, number=1, body=default_body(), created_at=desk.now
        ),
        inbound(desk, outcome="quarantined"),
    )
    for row in rows:
        if what == "change":
            assert sam.get(of(row)).status_code == 200
        assert sam.post(of(row, what), {"number": 7, "post": "yes"}).status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()
    assert sam.post(of(desk.sam, "delete"), {"post": "yes"}).status_code == 403


def many(desk: Desk, number: int) -> None:
    """One more of everything."""
    calendar = Calendar.objects.create(slug=f"c{number}", name=f"Calendar {number}")
    CalendarVersion.objects.create(
        calendar=calendar, number=1, hours=OFFICE, created_at=desk.now, created_by=desk.sam
    )
    skill = Skill.objects.create(slug=f"s{number}", name=f"Skill {number}")
    tier = Tier.objects.create(number=3 + number, name=f"Tier {3 + number}")
    team = Team.objects.create(
        slug=f"t{number}",
        name=f"Team {number}",
        tier=tier,
        calendar=calendar,
        manager=desk.helen,
        on_call=desk.anna,
        backup_team=desk.emea,
    )
    user = desk.person(f"Person{number} Also", team)
    user.skills.add(skill)
    Absence.objects.create(
        user=user, starts_at=desk.now, ends_at=desk.now + timedelta(days=1), backup=desk.anna
    )
    plan = Plan.objects.create(slug=f"p{number}", name=f"Plan {number}", calendar=calendar)
    organization = Organization.objects.create(
        name=f"Company {number}", customer_id=f"C-{number}", plan=plan, account_manager=user
    )
    desk.contact(f"Contact{number} There", organization)
    Category.objects.create(slug=f"k{number}", name=f"Category {number}").skills.add(skill)
    policy = Policy.objects.create(slug=f"y{number}", name=f"Policy {number}")
    PolicyVersion.objects.create(
        policy=policy, number=1, body=default_body(), created_at=desk.now, created_by=user
    )
    inbound(desk, outcome="created", raw=MAIL + bytes([number]))
    InboundEmail.objects.update(ticket=desk.ticket())


def test_a_list_asks_no_more_of_the_database_for_more_rows(sam: Client, desk: Desk) -> None:
    def cost(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert sam.get(address).status_code == 200
        return len(asked)

    many(desk, 1)
    before = {address: cost(address) for address in named("changelist")}
    for number in range(2, 6):
        many(desk, number)

    assert {address: cost(address) for address in named("changelist")} == before


def test_a_list_of_mails_never_reads_the_mails(sam: Client, desk: Desk) -> None:
    inbound(desk, outcome="suspended")

    with CaptureQueriesContext(connection) as asked:
        page = sam.get(reverse("admin:tickets_inboundemail_changelist"))

    assert "&lt;1@customer.example&gt;" in html(page) or "a file" in words(page)
    assert not any('"raw"' in query["sql"] for query in asked)
