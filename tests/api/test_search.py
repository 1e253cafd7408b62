"""``?q=`` on the list of tickets: what the search box finds, for a program."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.access.rooms import SECRET, Rooms
from tests.api.programs import Program
from tests.house import House, after

pytestmark = pytest.mark.django_db


def found(program: Program, text: str, more: str = "") -> list[str]:
    answer = program.ask("GET", f"/tickets/?q={quote(text)}{more}")
    assert answer.status == 200, answer.body
    return [ticket["subject"] for ticket in answer.body["results"]]


def test_words_find_tickets_the_best_first(house: House, anna: Program) -> None:
    house.ticket(subject="Slow exports", text="Since the refund came, exports take a minute.")
    house.ticket(subject="Refunds fail", text="Every refund is refused.", now=after(hours=-9))
    house.ticket(subject="Invoices", text="None came.")

    assert found(anna, "refund") == ["Refunds fail", "Slow exports"]
    assert found(anna, "refund", "&ordering=-created") == ["Refunds fail", "Slow exports"]
    assert found(anna, "refund", "&ordering=created") == ["Slow exports", "Refunds fail"]


def test_operators_and_filters_narrow_it_together(house: House, anna: Program) -> None:
    house.ticket(subject="Refund one", by=house.dana)
    house.ticket(subject="Refund two", by=house.juergen)

    assert found(anna, "refund org:NOR-4471") == ["Refund one"]
    assert found(anna, "refund -one") == ["Refund two"]
    assert found(anna, "refund", f"&organization={house.steinbach.pk}") == ["Refund two"]


def test_pages_go_on_in_the_order_of_relevance(house: House, anna: Program) -> None:
    for number in range(5):
        house.ticket(subject=f"Refund {number}")
    whole = found(anna, "refund")

    first = anna.ask("GET", "/tickets/?q=refund&limit=2")
    second = anna.ask("GET", first.body["next"])
    back = anna.ask("GET", second.body["previous"])

    pages = [[ticket["subject"] for ticket in page.body["results"]] for page in (first, second)]
    assert pages == [whole[:2], whole[2:4]]
    assert back.body["results"] == first.body["results"]


def test_what_is_private_is_not_found(rooms: Rooms) -> None:
    assert not found(Program(rooms.house.anna), SECRET)
    assert found(Program(rooms.house.helen), SECRET) == [f"{SECRET} leaked"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("statsu:open", "status:"), ("status:opne", "open"), ("before:soon", "2026"), ("", "")],
)
def test_what_is_wrong_with_a_search_is_said_at_its_key(
    anna: Program, text: str, said: str
) -> None:
    answer = anna.ask("GET", f"/tickets/?q={quote(text)}")

    assert answer.status == 400
    assert answer.body["errors"][0]["field"] == "q"
    assert said in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("text", ["\x00", "x" * 2000, '"', "-", "((", "a:b:c", "\ud7ff" * 10])
def test_whatever_is_searched_for_is_answered(anna: Program, text: str) -> None:
    assert anna.ask("GET", f"/tickets/?q={quote(text)}").status in (200, 400)


def test_only_a_search_is_ordered_by_relevance(anna: Program) -> None:
    answer = anna.ask("GET", "/tickets/?ordering=relevance")

    assert answer.status == 400
    assert answer.body["errors"][0]["field"] == "ordering"
