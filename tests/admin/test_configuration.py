"""The configuration behind ``/admin/``: who gets in, and what saving does."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalation.defaults import default_body
from escalation.models import Clock, Policy, PolicyVersion, Relook
from notifications.models import MailTemplate
from notifications.templates import load_defaults
from staff.configuration import History
from staff.forms import hours_text
from staff.models import Absence, Calendar, CalendarVersion, Role, Skill, Team, Tier, User
from tests.pages.desk import Desk, Markup, html, words
from tickets.models import (
    Category,
    CategoryTeam,
    Contact,
    InboundEmail,
    Organization,
    OrganizationDomain,
    Plan,
    RequiredDetail,
    Ticket,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
OFFICE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "weekly": {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "exceptions": {},
}
MAIL = b"""From: Dana Reyes <dana@customer.example>
To: support@brightquay.example
Subject: Invoices fail
Message-ID: <1@customer.example>

POST /v2/invoices returns 502.
"""


def named(what: str) -> list[str]:
    """The addresses of a kind of page of everything that is registered."""
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}")
        for model in admin.site._registry
    ]


@pytest.fixture
def desk(db: None) -> Desk:
    made = Desk()
    calendar = Calendar.objects.get(slug="always")
    CalendarVersion.objects.create(
        calendar=calendar, number=1, hours=OFFICE, created_at=made.now, created_by=made.sam
    )
    load_defaults(now=made.now)
    return made


@pytest.fixture
def sam(client: Client, desk: Desk) -> Client:
    """The admin, signed in."""
    client.force_login(desk.sam, BACKEND)
    return client


def calendar_form(calendar: Calendar, hours: object, **fields: Any) -> dict[str, Any]:
    """What the form of a calendar sends."""
    newest = calendar.versions.order_by("-number").first()
    return {
        "name": calendar.name,
        "slug": calendar.slug,
        "hours": hours if isinstance(hours, str) else json.dumps(hours),
        "edited": newest.number if newest else "",
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
        **fields,
    }


def of(row: Any, what: str = "change") -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}", args=(row.pk,))


def inbound(desk: Desk, *, outcome: str, raw: bytes = MAIL) -> InboundEmail:
    return InboundEmail.objects.create(
        source="a file",
        header_message_id="<1@customer.example>",
        sha256=hashlib.sha256(raw).digest(),
        raw=raw,
        size=len(raw),
        received_at=desk.now,
        outcome=outcome,
    )


# --- Who gets in


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


# --- The cost of a list


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


# --- People


def test_an_admin_makes_a_user_who_can_sign_in(sam: Client) -> None:
    page = sam.post(
        reverse("admin:staff_user_add"),
        {
            "name": "Lea Vogt",
            "email": "Lea@Brightquay.example",
            "role": "lead",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        },
    )

    assert page.status_code == 302
    lea = User.objects.get(email="lea@brightquay.example")
    assert (lea.name, lea.role) == ("Lea Vogt", Role.LEAD)
    assert Client().login(username=lea.email, password="correct horse battery")


def user_form(user: User, **fields: Any) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "is_active": "on",
        "zone": user.zone,
        "language": user.language,
        "signature": "",
        **fields,
    }


def test_an_admin_changes_what_a_user_may_do(sam: Client, desk: Desk) -> None:
    skill = Skill.objects.create(slug="sso", name="Single sign-on")

    page = sam.post(
        of(desk.anna),
        user_form(desk.anna, role="lead", zone="Asia/Tokyo", skills=[skill.pk]),
    )

    assert page.status_code == 302
    anna = User.objects.get(pk=desk.anna.pk)
    assert (anna.role, anna.zone, list(anna.skills.all())) == (Role.LEAD, "Asia/Tokyo", [skill])


def test_one_address_belongs_to_one_person_however_it_is_written(sam: Client, desk: Desk) -> None:
    page = sam.post(of(desk.anna), user_form(desk.anna, email="BEN@brightquay.example"))

    assert "Somebody here has this address already." in words(page)
    assert User.objects.get(pk=desk.anna.pk).email == "anna@brightquay.example"


def test_a_former_address_opens_nothing_any_more(sam: Client, desk: Desk) -> None:
    EmailAddress.objects.create(user=desk.anna, email=desk.anna.email, verified=True, primary=True)

    sam.post(of(desk.anna), user_form(desk.anna, email="anna.keller@brightquay.example"))

    assert not EmailAddress.objects.filter(email="anna@brightquay.example").exists()


def test_the_last_admin_cannot_lock_everybody_out(sam: Client, desk: Desk) -> None:
    page = sam.post(of(desk.sam), user_form(desk.sam, role="agent"))

    assert "Somebody must be left who can configure" in words(page)
    assert User.objects.get(pk=desk.sam.pk).role == Role.ADMIN


def test_a_password_is_set_by_an_admin(sam: Client, desk: Desk) -> None:
    address = reverse("admin:auth_user_password_change", args=(desk.anna.pk,))
    assert sam.get(address).status_code == 200

    sam.post(
        address,
        {
            "usable_password": "true",
            "password1": "another good one",
            "password2": "another good one",
        },
    )

    assert Client().login(username=desk.anna.email, password="another good one")


def test_an_absence_ends_after_it_starts_and_has_somebody_else_as_backup(
    sam: Client, desk: Desk
) -> None:
    page = sam.post(
        reverse("admin:staff_absence_add"),
        {
            "user": desk.anna.pk,
            "backup": desk.anna.pk,
            "starts_at_0": "2026-12-24",
            "starts_at_1": "08:00",
            "ends_at_0": "2026-12-23",
            "ends_at_1": "18:00",
        },
    )

    assert "An absence ends after it starts." in words(page)
    assert "Nobody stands in for themselves." in words(page)
    assert not Absence.objects.exists()


def test_a_team_is_not_its_own_backup(sam: Client, desk: Desk) -> None:
    page = sam.post(
        of(desk.emea),
        {
            "name": "Frontline EMEA",
            "tier": desk.tier1.pk,
            "calendar": desk.emea.calendar_id,
            "backup_team": desk.emea.pk,
        },
    )

    assert "A team cannot be its own backup." in words(page)


def test_a_slug_that_others_name_stays_what_it_was(sam: Client, desk: Desk) -> None:
    sam.post(
        of(desk.gold),
        {"name": "Gold+", "slug": "other", "calendar": desk.gold.calendar_id, "rank": 1},
    )

    gold = Plan.objects.get(pk=desk.gold.pk)
    assert (gold.name, gold.slug) == ("Gold+", "gold")


# --- Hours


def test_other_hours_are_a_new_version_and_leave_the_old(sam: Client, desk: Desk) -> None:
    calendar = Calendar.objects.get()
    saturday = {**OFFICE, "weekly": {**OFFICE["weekly"], "sat": [["09:00", "13:00"]]}}

    page = sam.post(of(calendar), calendar_form(calendar, saturday), follow=True)

    assert "Version 2 of these hours is in force." in words(page)
    first, second = calendar.versions.order_by("number")
    assert first.hours == OFFICE
    assert second.hours["weekly"]["sat"] == [["09:00", "13:00"]]
    assert (second.number, second.created_by) == (2, desk.sam)
    assert calendar.in_force == second


def test_the_same_hours_are_no_new_version(sam: Client, desk: Desk) -> None:
    calendar = Calendar.objects.get()

    page = sam.post(of(calendar), calendar_form(calendar, OFFICE, name="Office"))

    assert page.status_code == 302
    assert Calendar.objects.get().name == "Office"
    assert calendar.versions.count() == 1


def test_hours_are_shown_in_the_order_of_the_week_and_as_they_are_kept(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()
    # Written by hand, without the parts that say nothing.
    hours = {key: value for key, value in OFFICE.items() if key != "exceptions"}
    CalendarVersion.objects.create(calendar=calendar, number=2, hours=hours, created_at=desk.now)

    shown = sam.get(of(calendar)).context["adminform"].form.initial["hours"]

    assert list(json.loads(shown)["weekly"]) == ["mon", "tue", "wed", "thu", "fri"]
    sam.post(of(calendar), calendar_form(calendar, shown))
    assert calendar.in_force.number == 2


def test_a_new_calendar_begins_with_its_hours(sam: Client, desk: Desk) -> None:
    made = Calendar(name="Nights", slug="nights")
    form = calendar_form(Calendar.objects.get(), OFFICE) | {
        "name": made.name,
        "slug": made.slug,
        "edited": "",
    }

    assert sam.post(reverse("admin:staff_calendar_add"), form).status_code == 302

    assert Calendar.objects.get(slug="nights").in_force.number == 1


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        ("{", "Line 1, column 2"),
        ("[]", "Write an object"),
        ('{"zone": "Mars", "weekly": {"mon": [["08:00", "18:00"]]}}', "zone: “Mars”"),
        (
            '{"zone": "UTC", "weekly": {"mon": [["18:00", "08:00"]]}}',
            "weekly.mon[0]: ends at 08:00, not after 18:00",
        ),
        ('{"zone": "UTC", "weekly": {"mo": []}}', "weekly.mo: not a day"),
        ('{"zone": "UTC", "weekly": {}}', "weekly: never opens"),
        ('{"zone": "UTC", "weekly": {"mon": [], "mon": []}}', "mon: stands here twice"),
        (
            '{"zone": "UTC", "weekly": {}, "exceptions": {"1999-01-01": [["08:00", "18:00"]]}}',
            "open",
        ),
        ("[" * 20_000, "This is not JSON."),
    ],
)
def test_hours_that_cannot_be_are_refused_at_their_field(
    sam: Client, desk: Desk, hours: str, why: str
) -> None:
    calendar = Calendar.objects.get()

    page = sam.post(of(calendar), calendar_form(calendar, hours, name="Renamed"))

    assert page.status_code == 200
    (told,) = page.context["adminform"].form.errors["hours"]
    assert why in told
    assert list(page.context["adminform"].form.errors) == ["hours"]
    assert Calendar.objects.get().name == "Always"
    assert calendar.versions.count() == 1


def test_hours_somebody_else_has_changed_meanwhile_are_not_overwritten(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()
    form = calendar_form(calendar, {**OFFICE, "zone": "UTC"})
    CalendarVersion.objects.create(
        calendar=calendar, number=2, hours={**OFFICE, "zone": "Asia/Tokyo"}, created_at=desk.now
    )

    page = sam.post(of(calendar), form)

    assert "Somebody has published version 2 meanwhile" in words(page)
    assert calendar.in_force.number == 2


def test_national_holidays_are_filled_in_to_look_through_and_not_saved(
    sam: Client, desk: Desk
) -> None:
    calendar = Calendar.objects.get()

    page = sam.get(of(calendar), {"country": "DE-BY", "year": "2027"})

    assert "2027-01-06" in words(page)
    assert "12 days were added below and are not saved yet" in words(page)
    shown = json.loads(page.context["adminform"].form.initial["hours"])
    assert shown["exceptions"]["2027-01-06"] == []
    assert shown["weekly"] == OFFICE["weekly"]
    assert calendar.versions.count() == 1

    sam.post(of(calendar), calendar_form(calendar, shown))

    assert calendar.in_force.hours["exceptions"]["2027-12-25"] == []


@pytest.mark.parametrize(
    ("country", "year"), [("XX", "2027"), ("DE-ZZ", "2027"), ("DE", "9999"), ("DE", "x"), ("", "")]
)
def test_a_country_without_known_holidays_changes_nothing(
    sam: Client, desk: Desk, country: str, year: str
) -> None:
    page = sam.get(of(Calendar.objects.get()), {"country": country, "year": year})

    assert "No holidays are known" in words(page)
    assert json.loads(page.context["adminform"].form.initial["hours"]) == OFFICE


def test_hours_are_written_a_day_a_line_and_read_back() -> None:
    text = hours_text({**OFFICE, "exceptions": {"2026-12-24": [["08:00", "12:00"]]}})

    assert '    "2026-12-24": [["08:00", "12:00"]]' in text.splitlines()
    assert json.loads(text)["weekly"] == OFFICE["weekly"]


# --- Customers


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


# --- Mails that wait


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


# --- Policies


def policy_form(policy: Policy, text: str) -> dict[str, Any]:
    return {
        "name": policy.name,
        "slug": policy.slug,
        "file": text,
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
    }


@pytest.fixture
def policy(desk: Desk) -> Policy:
    """The default policy, in force."""
    made = Policy.objects.create(slug="default", name="Default")
    PolicyVersion.objects.create(
        policy=made,
        number=1,
        body=default_body(),
        created_at=desk.now - timedelta(days=1),
        published_at=desk.now - timedelta(days=1),
    )
    return made


def changed(**parts: Any) -> str:
    return yaml.safe_dump({**default_body(), **parts}, sort_keys=False)


def test_another_policy_is_a_draft_until_it_is_published(
    sam: Client, desk: Desk, policy: Policy
) -> None:
    page = sam.post(of(policy), policy_form(policy, changed(clock_warning="60%")), follow=True)

    assert "Version 2 is kept as a draft." in words(page)
    draft = PolicyVersion.objects.get(number=2)
    assert (draft.published_at, draft.created_by) == (None, desk.sam)
    assert PolicyVersion.objects.in_force().number == 1

    address = of(draft, "publish")
    confirm = sam.get(address)
    assert "-clock_warning: 75%" in words(confirm)
    assert "+clock_warning: 60%" in words(confirm)
    assert PolicyVersion.objects.in_force().number == 1

    done = sam.post(address, follow=True)

    assert "Default v2 is in force." in words(done)
    assert PolicyVersion.objects.in_force() == draft
    assert PolicyVersion.objects.in_force().spec.clock_warning == 60


@pytest.mark.parametrize("to_open_tickets", [False, True])
def test_who_publishes_is_shown_what_open_tickets_would_get_and_decides(
    sam: Client, desk: Desk, policy: Policy, to_open_tickets: bool
) -> None:
    ticket = desk.ticket("Invoices fail")
    Clock.objects.create(
        ticket=ticket,
        kind="resolution",
        policy_version=PolicyVersion.objects.get(),
        budget=timedelta(hours=60),
        consumed=timedelta(),
        state="running",
        started_at=desk.now,
        changed_at=desk.now,
        running_since=desk.now,
        due_at=desk.now + timedelta(hours=60),
    )
    targets: Any = default_body()["targets"]
    for of_plan in targets.values():
        for row in of_plan.values():
            row["resolution"] = "7h"
    sam.post(of(policy), policy_form(policy, changed(targets=targets)))
    address = of(PolicyVersion.objects.get(number=2), "publish")

    page = sam.get(address)
    assert "Resolution" in words(page)
    assert "7h 1" in words(page)

    sam.post(address, {"to_open_tickets": "1"} if to_open_tickets else {})

    relook = Relook.objects.get()
    assert (relook.to_open_tickets, relook.created_by) == (to_open_tickets, desk.sam)


def test_what_was_published_is_not_published_again(sam: Client, desk: Desk, policy: Policy) -> None:
    version = PolicyVersion.objects.get()

    assert sam.post(of(version, "publish")).status_code == 403
    version.refresh_from_db()
    assert version.published_at == desk.now - timedelta(days=1)


def test_only_admins_publish(desk: Desk, policy: Policy) -> None:
    draft = PolicyVersion.objects.create(
        policy=policy, number=2, body=default_body(), created_at=desk.now
    )
    client = Client()
    client.force_login(desk.helen, BACKEND)

    assert client.post(of(draft, "publish"), follow=True).status_code == 403
    assert PolicyVersion.objects.in_force().number == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules: [", "line 1, column 9"),
        ("", "This field is required."),
        ("- a", "must be a mapping"),
        ("a: &x 1\nb: *x", "line 2, column 4: write it out: no references"),
        ("pausing: []\npausing: []", "line 2, column 1: “pausing” stands here twice"),
        (changed(clock_warning="150%"), "clock_warning: must not be more than 100%"),
        (
            changed(paths={"urgent": [{"do": "shout", "after": "5m wall"}]}),
            "paths.urgent[0].do: must be one of remind",
        ),
        (changed(rules=[{"key": "x", "when": {"fact": "mood", "op": "is", "value": 1}}]), "mood"),
    ],
)
def test_a_policy_with_a_fault_is_refused_with_its_place_and_reason(
    sam: Client, policy: Policy, text: str, why: str
) -> None:
    page = sam.post(of(policy), policy_form(policy, text))

    assert page.status_code == 200
    told = "\n".join(page.context["adminform"].form.errors["file"])
    assert why in told
    assert PolicyVersion.objects.count() == 1


def test_a_fault_is_told_with_its_line(sam: Client, policy: Policy) -> None:
    text = changed(clock_warning="150%")
    line = text.splitlines().index("clock_warning: 150%") + 1

    page = sam.post(of(policy), policy_form(policy, text))

    assert f"line {line}, clock_warning: must not be" in words(page)


def test_the_policy_as_shown_is_the_policy_as_kept(sam: Client, policy: Policy) -> None:
    shown = sam.get(of(policy)).context["adminform"].form.initial["file"]

    assert sam.post(of(policy), policy_form(policy, shown)).status_code == 302
    assert PolicyVersion.objects.count() == 1


# --- What mails say


def test_another_text_is_a_new_version_and_leaves_the_old(sam: Client, desk: Desk) -> None:
    old = MailTemplate.objects.get(key="received", language="de")

    page = sam.post(
        of(old),
        {"subject": "Angekommen: {ref}", "text": "Guten Tag {name},\r\n\r\nes ist da."},
        follow=True,
    )

    new = MailTemplate.objects.get(key="received", language="de", version=2)
    assert (new.subject, new.text) == ("Angekommen: {ref}", "Guten Tag {name},\n\nes ist da.")
    assert (new.created_by, new.shipped) == (desk.sam, False)
    assert MailTemplate.objects.get(pk=old.pk).subject == old.subject
    assert MailTemplate.objects.get(pk=old.pk).version == 1
    assert "Angekommen: HD-1042" in words(page)
    assert "Guten Tag Dana," in words(page)


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("subject", "About {secret}", "Not a variable of this mail: secret."),
        ("text", "Dear {nam}, {name}", "Not a variable of this mail: nam."),
        ("text", "Dear {name}, {{ settings }}", "Not a variable of this mail"),
        ("text", "   ", "This field is required."),
    ],
)
def test_a_text_that_names_what_is_not_known_is_refused_at_its_field(
    sam: Client, desk: Desk, field: str, text: str, why: str
) -> None:
    old = MailTemplate.objects.get(key="received", language="en")
    form = {"subject": old.subject, "text": old.text, field: text}

    page = sam.post(of(old), form)

    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert why in errors[field][0]
    assert list(errors) == [field]
    assert MailTemplate.objects.filter(key="received", language="en").count() == 1


def test_only_the_text_in_force_is_changed(sam: Client, desk: Desk) -> None:
    old = MailTemplate.objects.get(key="received", language="en")
    sam.post(of(old), {"subject": "First", "text": old.text})

    assert sam.get(of(old)).status_code == 200
    assert sam.post(of(old), {"subject": "Second", "text": old.text}).status_code == 403

    texts = MailTemplate.objects.filter(key="received", language="en")
    assert [text.subject for text in texts] == ["First", old.subject]
    listed = words(sam.get(reverse("admin:notifications_mailtemplate_changelist")))
    assert "First" in listed
    assert old.subject not in listed
