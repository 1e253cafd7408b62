"""What a lead does from the board's cards, and taking an escalation back on the ticket's page."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from escalation import lifecycle
from escalation.models import Escalation
from staff.models import User
from tests.house import House, fresh, letter, promise_of, told
from tests.pages.acting import ago, ahead, as_, form, opened, press, queries
from tests.pages.desk import html, words

pytestmark = pytest.mark.django_db

BOARD = "/escalations/?team="


@pytest.fixture
def offered(house: House) -> Escalation:
    ticket = house.ticket(now=ago(minutes=7), assignee=house.anna)
    return house.escalate(ticket, now=ago(minutes=2))


@pytest.fixture
def accepted(house: House, offered: Escalation) -> Escalation:
    return lifecycle.accept(escalation_id=offered.pk, now=ago(minutes=1), by=house.priya)


def act(
    client: Client, escalation: Escalation, action: str, *, htmx: bool = False, **sent: object
) -> HttpResponse:
    return press(
        client,
        escalation.ticket,
        f"escalations/{escalation.pk}/{action}",
        htmx=htmx,
        **sent,
    )


def test_a_lead_accepts_for_somebody_of_the_team_and_is_back_at_the_board(
    house: House, offered: Escalation
) -> None:
    grace = as_(house.grace)
    sent = opened(grace, html(grace.get("/escalations/")), "/accept-for/")
    answer = act(
        grace,
        offered,
        "accept-for",
        owner=house.mei.pk,
        first_step="tracing a failed call",
        **sent,
    )
    assert (answer.status_code, answer["Location"]) == (302, "/escalations/")
    assert (fresh(offered).state, fresh(offered).owner) == ("accepted", house.mei)
    assert "Mei Tanaka of Integrations has taken on" in letter(offered.ticket, "accepted").text
    assert told(house.mei)[-1] == "staff_owner_named"
    said = words(grace.get(offered.ticket.get_absolute_url()))
    assert "Grace Lim accepted the escalation for Mei Tanaka" in said


@pytest.mark.parametrize("who", ["anna", "marco", "priya", "lena"])
def test_only_the_teams_lead_and_those_above_name_an_owner(
    house: House, offered: Escalation, who: str
) -> None:
    person: User = getattr(house, who)
    answer = act(as_(person), offered, "accept-for", owner=house.mei.pk)
    assert answer.status_code == 422
    assert fresh(offered).state == "offered"


def test_nobody_of_another_team_and_nobody_away_is_named(house: House, offered: Escalation) -> None:
    grace = as_(house.grace)
    house.away(house.mei, since=timezone.now())
    for person in (house.anna, house.mei):
        answer = act(grace, offered, "accept-for", owner=person.pk)
        assert answer.status_code == 422
    assert "Mei Tanaka is away." in words(answer)
    assert fresh(offered).state == "offered"
    names = html(
        grace.get(f"{offered.ticket.get_absolute_url()}escalations/{offered.pk}/accept-for/")
    )
    assert "Priya Nair</option>" in names
    assert "Mei Tanaka</option>" not in names
    assert "Anna Keller</option>" not in names


def test_accepted_work_goes_to_somebody_else_and_both_are_told(
    house: House, accepted: Escalation
) -> None:
    grace = as_(house.grace)
    before = promise_of(accepted.ticket)
    answer = act(
        grace, accepted, "reassign", owner=house.mei.pk, next=f"{BOARD}{house.integrations.pk}"
    )
    assert answer["Location"] == f"{BOARD}{house.integrations.pk}"
    assert (fresh(accepted).state, fresh(accepted).owner) == ("accepted", house.mei)
    assert told(house.mei)[-1] == told(house.priya)[-1] == "staff_owner_named"
    assert promise_of(accepted.ticket) == before
    assert act(grace, accepted, "reassign", owner=house.mei.pk).status_code == 422


def test_a_lead_gives_a_new_time_and_an_update_from_the_card(
    house: House, accepted: Escalation
) -> None:
    grace = as_(house.grace)
    page = html(grace.get("/escalations/"))
    answer = press(
        grace,
        accepted.ticket,
        "new-time",
        due=ahead(days=2),
        reason="One more test",
        **opened(grace, page, "/new-time/"),
    )
    assert answer["Location"] == "/escalations/"
    assert promise_of(accepted.ticket).slips == 1
    answer = press(
        grace,
        accepted.ticket,
        "update",
        headline="cause found",
        text="We found the cause.",
        **opened(grace, page, "/update/"),
    )
    assert answer["Location"] == "/escalations/"
    assert "We found the cause." in letter(accepted.ticket, "update").text


def test_what_is_refused_comes_back_with_what_was_written(
    house: House, accepted: Escalation
) -> None:
    answer = press(
        as_(house.grace),
        accepted.ticket,
        "new-time",
        due=ahead(days=-2),
        reason="One more test",
        next="/escalations/",
    )
    assert answer.status_code == 422
    assert "One more test" in html(answer)
    assert "The new time has to lie ahead." in words(answer)


def test_a_lead_de_escalates_with_a_reason(house: House, offered: Escalation) -> None:
    grace = as_(house.grace)
    sent = opened(grace, html(grace.get("/escalations/")), "/de-escalate/")
    assert act(grace, offered, "de-escalate", reason="", **sent).status_code == 422
    answer = act(grace, offered, "de-escalate", reason="Solved by phone.", **sent)
    assert answer["Location"] == "/escalations/"
    assert fresh(offered).state == "de_escalated"
    assert "Solved by phone." in words(grace.get(offered.ticket.get_absolute_url()))


def test_who_leads_neither_team_sees_the_board_without_acts(
    house: House, offered: Escalation
) -> None:
    for person, sees in (
        (house.grace, True),
        (house.marco, True),
        (house.helen, True),
        (house.lena, False),
        (house.anna, False),
    ):
        browser = as_(person)
        board = html(browser.get("/escalations/"))
        assert offered.ticket.reference in board
        assert (f"/escalations/{offered.pk}/" in board) is sees, person
        page = html(browser.get(f"/escalations/{offered.pk}/"))
        assert ("/de-escalate/" in page) is sees, person
        named = "/accept-for/" in page
        assert named is (person in (house.grace, house.helen)), person


def test_onward_goes_nowhere_else(house: House, accepted: Escalation) -> None:
    answer = act(
        as_(house.grace), accepted, "reassign", owner=house.mei.pk, next="https://evil.example/"
    )
    assert answer["Location"] == accepted.ticket.get_absolute_url()


def test_more_cards_cost_no_more_queries(house: House, offered: Escalation) -> None:
    grace = as_(house.grace)
    few = queries(grace, "/escalations/")
    for n in range(5):
        house.escalate(house.ticket(f"Another {n}", now=ago(minutes=9)), now=ago(minutes=1))
    assert len(queries(grace, "/escalations/")) == len(few)


def test_every_field_of_the_board_has_an_id_of_its_own(house: House, offered: Escalation) -> None:
    house.escalate(house.ticket("Another", now=ago(minutes=9)), now=ago(minutes=1))
    ids = [
        part.split('"', 1)[0]
        for part in html(as_(house.grace).get("/escalations/")).split(' id="')[1:]
    ]
    assert len(ids) == len(set(ids))


# On the ticket's page


def test_right_after_escalating_one_key_undoes_it(house: House) -> None:
    ticket = house.ticket(now=ago(minutes=7), assignee=house.anna)
    escalation = house.escalate(ticket, now=timezone.now())
    anna = as_(house.anna)
    page = html(anna.get(ticket.get_absolute_url()))
    assert 'data-key="z"' in page
    assert "data-gone-at" in page
    answer = act(anna, escalation, "undo", htmx=True, **form(page, "/undo/"))
    assert answer.status_code == 200
    assert "the escalation is withdrawn" in words(answer)
    assert fresh(escalation).state == "withdrawn"


def test_only_who_escalated_is_offered_to_undo(house: House) -> None:
    ticket = house.ticket(now=ago(minutes=7), assignee=house.anna)
    house.escalate(ticket, now=timezone.now())
    for person in (house.ben, house.priya, house.grace, house.helen):
        page = html(as_(person).get(ticket.get_absolute_url()))
        assert "/undo/" not in page
        assert "/withdraw/" not in page


def test_later_it_is_withdrawn_with_a_reason(house: House, offered: Escalation) -> None:
    anna = as_(house.anna)
    page = html(anna.get(offered.ticket.get_absolute_url()))
    assert "/undo/" not in page
    late = act(anna, offered, "undo")
    assert late.status_code == 422
    assert "Say why it is withdrawn." in words(late)
    answer = act(
        anna, offered, "withdraw", reason="Found it myself.", **opened(anna, page, "/withdraw/")
    )
    assert answer.status_code == 302
    assert fresh(offered).state == "withdrawn"
    said = words(anna.get(offered.ticket.get_absolute_url()))
    assert "Anna Keller withdrew the escalation" in said
    assert "Found it myself." in said
