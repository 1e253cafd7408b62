"""``/settings/selfcheck/``: leads read which promises are kept, and have them counted anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from desk.models import SelfCheck
from desk.selfcheck import keeping
from escalation.tasks import database_clock
from staff.models import User
from tests.house import House
from tests.pages.acting import as_, queries
from tests.pages.desk import html, words
from tickets.models import Ticket

PAGE = "/settings/selfcheck/"


def look(user: User, address: str = PAGE) -> str:
    return words(as_(user).get(address))


def make(now: datetime | None = None) -> SelfCheck | None:
    return keeping.make_due(clock=lambda: now or database_clock())


def overdue(*tickets: Ticket) -> None:
    since = timezone.now() - timedelta(hours=1)
    Ticket.objects.update(review_at=None, sla_due_at=None)
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(review_at=since)


def test_a_lead_reads_what_is_kept_and_what_is_not_by_row_and_link(house: House) -> None:
    assert "Nothing has been checked yet" in look(house.marco)
    late = house.ticket(now=timezone.now())
    overdue(late)
    make()
    page = as_(house.marco).get(PAGE)
    said = words(page)
    assert "No ticket waits for the engine longer than two of its intervals." in said
    assert f'href="{late.get_absolute_url()}"' in html(page)
    assert "Every mail that was accepted is read at once" in said
    assert "Self-check" in words(as_(house.marco).get("/settings/"))
    assert "Self-check" not in words(as_(house.anna).get("/settings/"))


def test_of_a_private_teams_ticket_a_lead_of_another_reads_the_count_alone(house: House) -> None:
    secret = house.team("security", "Security", 2, is_private=True)
    hidden, open_ = house.ticket(now=timezone.now()), house.ticket(now=timezone.now())
    Ticket.objects.filter(pk=hidden.pk).update(team=secret)
    overdue(hidden, open_)
    make()
    said = look(house.marco)
    assert open_.reference in said
    assert hidden.reference not in said
    assert "and others, or such as you may not open" in said
    assert hidden.reference in look(house.helen)


def test_checking_now_is_asked_for_once_and_made_by_a_worker(house: House) -> None:
    marco, grace = as_(house.marco), as_(house.grace)
    assert "is being made" in words(marco.post(PAGE, follow=True))
    assert "One is being made already" in words(grace.post(PAGE, follow=True))
    waiting = look(house.grace)
    assert "by Marco Ruiz" in waiting
    assert "Check now" not in waiting
    assert SelfCheck.objects.count() == 1
    assert make() is not None
    assert make() is None, "nobody has asked since"
    said = look(house.marco)
    assert "every promise is kept" in said
    assert "Check now" in said
    # It has just been made; a minute later it may be again.
    assert "just been made" in words(marco.post(PAGE, follow=True))
    SelfCheck.objects.update(made_at=timezone.now() - keeping.NOT_WITHIN)
    assert "is being made" in words(marco.post(PAGE, follow=True))
    assert as_(house.anna).post(PAGE).status_code == 403


def test_it_is_made_once_a_day_whoever_looks_and_a_lost_one_is_made_again(house: House) -> None:
    now = database_clock()
    first = make(now)
    assert first is not None
    assert first.asked_by is None
    assert [make(now + timedelta(hours=hours)) for hours in (1, 12, 23)] == [None] * 3
    second = make(now + timedelta(hours=24))
    assert second is not None
    assert second.pk != first.pk
    # The worker that makes it is lost.
    third = now + timedelta(hours=49)
    keeping.ask(now=third, by=None)
    SelfCheck.objects.filter(made_at=None).update(begun_at=third)
    assert make(third + timedelta(minutes=1)) is None
    assert make(third + timedelta(minutes=3)) is not None


def test_earlier_ones_are_listed_by_pages_and_can_be_read(house: House) -> None:
    now = timezone.now()
    SelfCheck.objects.bulk_create(
        SelfCheck(
            asked_at=now - timedelta(days=days),
            made_at=now - timedelta(days=days),
            found=1,
            results=[
                {
                    "name": "mail-read",
                    "status": "found",
                    "count": 2,
                    "capped": False,
                    "rows": [{"kind": "inbound mail", "id": "77", "ticket": None}],
                    "error": "",
                },
                {
                    "name": "no-longer-checked",
                    "status": "clean",
                    "count": 0,
                    "capped": False,
                    "rows": [],
                    "error": "",
                },
            ],
        )
        for days in range(25, 0, -1)
    )
    newest = SelfCheck.objects.latest("pk")
    page = html(as_(house.marco).get(PAGE))
    assert f"?check={newest.pk}" in page
    assert f"?before={newest.pk - 19}" in page
    assert "Mail that came in 77" in look(house.marco, f"{PAGE}?check={newest.pk - 3}")
    assert "Older" not in look(house.marco, f"{PAGE}?before={newest.pk - 19}")
    assert as_(house.marco).get(f"{PAGE}?check=999999").status_code == 404
    assert "Posteingang" not in look(house.marco)
    User.objects.filter(pk=house.marco.pk).update(language="de")
    assert "Eingegangene E-Mail 77" in look(User.objects.get(pk=house.marco.pk))


def test_its_page_asks_the_database_a_fixed_number_of_things(house: House) -> None:
    marco = as_(house.marco)
    overdue(house.ticket(now=timezone.now()))
    make()
    few = len(queries(marco, PAGE))
    SelfCheck.objects.all().delete()
    overdue(*(house.ticket(now=timezone.now()) for _number in range(8)))
    make()
    assert len(queries(marco, PAGE)) == few == 7
