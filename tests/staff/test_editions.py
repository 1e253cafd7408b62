"""What is configured is read once, and again only after any of it has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from escalation.models import Policy
from staff import editions
from staff.models import Absence, CalendarVersion, Team
from tests.house import START, House
from tickets.models import Category, CategoryTeam, RequiredDetail

pytestmark = pytest.mark.django_db

CHANGES: dict[str, Callable[[House], object]] = {
    "somebody joins a team": lambda house: house.emea.members.add(house.priya),
    "somebody leaves a team": lambda house: house.emea.members.remove(house.anna),
    "a team gets another lead": lambda house: house.emea.leads.set([house.grace]),
    "a team is renamed": lambda house: Team.objects.filter(pk=house.emea.pk).update(name="EU"),
    "somebody is promoted": lambda house: house.person("Kim Lee", house.emea),
    "somebody is away": lambda house: Absence.objects.create(
        user=house.anna, starts_at=START, ends_at=START + timedelta(days=1)
    ),
    "a calendar is edited": lambda house: CalendarVersion.objects.create(
        calendar=house.office, number=2, hours=house.office.in_force.hours, created_at=START
    ),
    "a policy is published": lambda house: house.publish(),
    "a category is made": lambda _house: Category.objects.create(slug="sso", name="Sign-on"),
    "a category goes to another team": lambda house: CategoryTeam.objects.filter(
        category=house.api
    ).update(team=house.platform),
    "another detail is needed": lambda house: RequiredDetail.objects.create(
        category=house.api, key="error", label="Error"
    ),
    "a detail is needed no more": lambda _house: RequiredDetail.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_the_configuration_begins_a_new_edition(
    house: House, change: Callable[[House], object]
) -> None:
    before = editions.current()

    change(house)

    assert editions.current() is not before


def test_what_was_read_is_kept_until_then(house: House) -> None:
    reads: list[str] = []

    def read() -> str:
        reads.append("read")
        return "as it is"

    assert [editions.current().keep("what", read) for _time in range(3)] == ["as it is"] * 3
    house.emea.members.add(house.priya)
    editions.current().keep("what", read)

    assert len(reads) == 2


def test_what_was_rolled_back_is_never_remembered(house: House) -> None:
    def names() -> set[str]:
        return editions.current().keep(
            "names", lambda: set(Policy.objects.values_list("name", flat=True))
        )

    before = names()
    with transaction.atomic():
        Policy.objects.create(slug="other", name="Other")
        assert names() != before
        transaction.set_rollback(True)
    with transaction.atomic():
        Policy.objects.create(slug="third", name="Third")

    assert names() == {"Default", "Third"}


def test_signing_in_changes_no_configuration(house: House, client: Client) -> None:
    before = editions.current()

    client.force_login(house.anna)

    assert editions.current() is before


def test_without_a_token_nothing_is_kept(house: House) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM staff_edition")
    editions.current().keep("what", lambda: "then")

    assert editions.current().keep("what", lambda: "now") == "now"
