"""Notices: one row for all it is for, each of whom is told once and reads it for themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import noticeboard
from notifications.models import Notification, OutgoingEmail
from notifications.noticeboard import Notice
from staff.models import User
from tests.house import START, House


def tell(*people: User, key: str = "HD-1:assigned:1") -> None:
    notice = Notice(
        dedupe_key=key,
        readers=tuple(person.pk for person in people),
        kind="staff_assigned",
        about="ticket:1",
        variables={"ref": "HD-1", "subject": "Tab\tand “quote” \\ done"},
    )
    noticeboard.notify(notices=[notice], now=START)


def mailed() -> list[str]:
    return list(OutgoingEmail.objects.order_by("pk").values_list("to_address", flat=True))


def test_all_it_is_for_have_one_row_and_a_mail_each(house: House) -> None:
    tell(house.anna, house.marco)
    notice = Notification.objects.get()
    assert notice.readers == [house.anna.pk, house.marco.pk]
    assert set(mailed()) == {house.anna.email, house.marco.email}
    assert Notification.objects.of(house.anna).get() == notice
    assert not Notification.objects.of(house.priya).exists()


def test_who_joins_is_told_and_nobody_twice(house: House) -> None:
    tell(house.anna)
    tell(house.anna, house.marco)
    tell(house.marco, house.marco)
    assert Notification.objects.get().readers == [house.anna.pk, house.marco.pk]
    assert mailed() == [house.anna.email, house.marco.email]


def test_who_has_left_is_not_told(house: House) -> None:
    User.objects.filter(pk=house.anna.pk).update(is_active=False)
    tell(house.anna)
    assert not Notification.objects.exists()
    assert mailed() == []


def test_each_reads_it_for_themselves_once(house: House) -> None:
    tell(house.anna, house.marco)
    tell(house.anna, key="HD-1:assigned:2")
    first = Notification.objects.earliest("pk")
    assert noticeboard.mark_read(reader=house.anna, ids=[first.pk], now=START) == 1
    assert noticeboard.mark_read(reader=house.anna, ids=[first.pk], now=START) == 0
    assert Notification.objects.unread(house.anna).count() == 1
    assert Notification.objects.unread(house.marco).get() == first
    assert noticeboard.mark_read(reader=house.anna, ids=None, now=START + timedelta(hours=1)) == 1
    assert not Notification.objects.unread(house.anna).exists()


@pytest.mark.parametrize("people", [1, 4])
def test_many_readers_cost_as_few_queries_as_one(house: House, people: int) -> None:
    tell(house.anna, key="loads the texts")
    with CaptureQueriesContext(connection) as asked:
        tell(*[house.anna, house.marco, house.priya, house.sam][:people])
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) <= 9
