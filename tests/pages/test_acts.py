"""What can be done is a link, and its form comes when it is asked for: in place, or as a page."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from escalation.models import Escalation
from tests.house import House, promise_of
from tests.pages.acting import HTMX, ago, ahead, as_, form, opened, press, queries
from tests.pages.desk import Markup, html, words
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

#: Session, reader, ticket, required details (2), edition, and of a page the count in the rail.
QUERIES = 7


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(now=ago(minutes=7), assignee=house.anna)


@pytest.fixture
def offered(house: House, ticket: Ticket) -> Escalation:
    return house.escalate(ticket, now=ago(minutes=2))


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


def test_the_ticket_page_carries_no_lists_of_people_until_a_form_is_opened(
    ticket: Ticket, anna: Client
) -> None:
    page = html(anna.get(ticket.get_absolute_url()))
    assert "Ben Osei</option>" not in page

    form_page = html(anna.get(f"{ticket.get_absolute_url()}assign/"))

    assert "Ben Osei</option>" in form_page


def test_htmx_gets_the_form_alone_and_it_puts_the_ticket_in_place(
    ticket: Ticket, anna: Client
) -> None:
    address = f"{ticket.get_absolute_url()}assess/"

    part = anna.get(address, headers=HTMX)

    assert "<html" not in html(part)
    assert part.headers["Vary"].count("HX-Request") == 1
    sent = form(html(part), address)
    [(_tag, at)] = [e for e in Markup(html(part)).elements if e[0] == "form"]
    assert (at["hx-post"], at["hx-target"]) == (address, "closest .tk")
    focused = [c.get("name") for _tag, c in Markup(html(part)).elements if "autofocus" in c]
    assert focused == ["impact"], "whoever opens it goes on writing in it"
    answer = press(
        anna, ticket, "assess", htmx=True, impact=1, urgency=1, complexity="simple", **sent
    )
    assert "Assessed." in words(answer)


def test_without_javascript_it_is_a_page_that_leads_back_to_the_ticket(
    ticket: Ticket, anna: Client
) -> None:
    home = ticket.get_absolute_url()

    page = html(anna.get(f"{home}snooze/"))

    assert "<html" in page
    assert "hx-target" not in page
    assert ticket.subject in page
    answer = press(anna, ticket, "snooze", usual="hours", **form(page, "/snooze/"))
    assert (answer.status_code, answer.headers["Location"]) == (302, home)


def test_a_form_of_the_board_leads_back_there_and_nowhere_else(
    house: House, offered: Escalation
) -> None:
    grace = as_(house.grace)
    board = f"/escalations/?team={house.integrations.pk}"
    sent = opened(grace, html(grace.get(board)), "/new-time/")
    assert sent["next"] == board
    answer = press(
        grace, offered.ticket, "new-time", due=ahead(days=2), reason="One more test", **sent
    )
    assert answer.headers["Location"] == board
    assert promise_of(offered.ticket).slips == 1
    home = offered.ticket.get_absolute_url()
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        for page in (
            grace.get(f"{home}new-time/", {"next": elsewhere}),
            grace.get(f"/escalations/{offered.pk}/", {"next": elsewhere}),
        ):
            assert elsewhere not in html(page)


def test_two_cards_of_one_ticket_open_forms_with_ids_of_their_own(
    house: House, offered: Escalation
) -> None:
    grace = as_(house.grace)
    address = f"{offered.ticket.get_absolute_url()}update/"
    pages = [html(grace.get(address, {"card": card}, headers=HTMX)) for card in (1, 2)]
    ids = [found for page in pages for found in re.findall(r' id="([^"]+)"', page)]
    assert ids
    assert len(ids) == len(set(ids))


def test_a_card_is_opened_by_its_lead_while_its_escalation_is_open(
    house: House, offered: Escalation
) -> None:
    grace, anna = as_(house.grace), as_(house.anna)
    address = f"/escalations/{offered.pk}/"

    part = html(grace.get(address, headers=HTMX))

    assert "<html" not in part
    names = re.findall(r'href="[^"?]*/([a-z-]+)/\?', part)
    assert names == ["accept-for", "new-time", "update", "de-escalate"]
    assert offered.ticket.subject in html(grace.get(address))
    assert anna.get(address).status_code == 404
    press(anna, offered.ticket, f"escalations/{offered.pk}/withdraw", reason="Found it.")
    assert grace.get(address).status_code == 404


def test_a_form_costs_few_queries_and_the_same_however_many_people_there_are(
    house: House, ticket: Ticket, anna: Client
) -> None:
    address = f"{ticket.get_absolute_url()}assign/"
    few = queries(anna, address)
    for number in range(5):
        house.person(f"Nr{number} Person", house.emea)

    assert len(queries(anna, address)) == len(few) <= QUERIES, "\n".join(few)


def test_what_may_be_said_of_an_escalation_that_is_over_stands_in_its_form(
    house: House, offered: Escalation
) -> None:
    press(as_(house.anna), offered.ticket, f"escalations/{offered.pk}/withdraw", reason="Found.")
    grace = as_(house.grace)
    home = offered.ticket.get_absolute_url()
    sent = opened(grace, html(grace.get(home)), "/review/")
    press(grace, offered.ticket, f"escalations/{offered.pk}/review", note="Ask first.", **sent)

    page = html(grace.get(f"{home}escalations/{offered.pk}/review/"))

    assert "Ask first." in page
