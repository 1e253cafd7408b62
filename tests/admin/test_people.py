"""Users, absences and teams behind ``/admin/``: what saving does."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from staff.models import Absence, Role, Skill, User
from tests.admin.rows import of
from tests.pages.desk import Desk, words
from tickets.models import (
    Plan,
)


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
