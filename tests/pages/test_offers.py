"""The receiver's inbox: the package on one screen, and what can be answered."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from escalation import lifecycle
from tests.house import House, fresh, handoff_of
from tests.pages.acting import ago, all_rows, as_, form, opened, press, queries
from tests.pages.desk import Markup, html, words
from tickets import triage
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

QUERIES = 10


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(now=ago(minutes=30), assignee=house.anna, impact=1, urgency=1)


@pytest.fixture
def priya(house: House) -> Client:
    return as_(house.priya)


def test_the_package_stands_on_one_screen(house: House, ticket: Ticket, priya: Client) -> None:
    house.answer(ticket, "It is all EU tenants.", now=ago(minutes=20))
    house.escalate(ticket, now=ago(minutes=2))

    said = words(priya.get("/offers/"))

    for part in (
        "Anna Keller (Frontline EMEA) asks: Find out why the gateway refuses it.",
        "Dana Reyes, Norvik Logistics (NOR-4471, Gold)",
        "Repeated the call: 502 from the gateway.",
        "API key ID key_4f2a91 “Every call fails since 09:10. Our key is key_4f2a91.”",
        "It is all EU tenants.",
        "100 %",
    ):
        assert part in said
    assert re.search(r"Accept \d+:\d\d|Accept \d+ min", said), "and how long it may wait"


def test_what_is_missing_is_named(house: House, priya: Client) -> None:
    ticket = house.ticket(text="The API fails.", now=ago(minutes=30), assignee=house.anna)
    house.escalate(ticket, now=ago(minutes=2), override_reason="It is down.")

    said = words(priya.get("/offers/"))

    assert "API key ID missing" in said
    assert "0 %" in said


def test_offers_stand_in_the_order_they_are_due(house: House, priya: Client) -> None:
    late, soon = (
        house.ticket(subject, now=ago(minutes=30), assignee=house.anna, impact=impact, urgency=1)
        for subject, impact in (("Later one", 3), ("Sooner one", 1))
    )
    house.escalate(late, now=ago(minutes=2))
    house.escalate(soon, now=ago(minutes=2))

    said = words(priya.get("/offers/"))

    assert said.index("Sooner one") < said.index("Later one")


def test_any_offer_of_the_list_can_be_opened(house: House, priya: Client) -> None:
    offers = [
        handoff_of(house.escalate(house.ticket(subject, now=ago(minutes=9)), now=ago(minutes=2)))
        for subject in ("First one", "Second one")
    ]

    for offer in offers:
        page = priya.get(f"/offers/?offer={offer.pk}")
        title = re.search(r'id="offer-title">([^<]*)<', html(page))
        assert title is not None
        assert title[1] == offer.escalation.ticket.subject
        assert html(page).count('aria-current="true"') == 1
    for odd in ("0", "x", "²", "9" * 30, "-1", "%00", "99999"):
        assert priya.get(f"/offers/?offer={odd}").status_code == 200
        assert priya.get(f"/offers/?page={odd}").status_code == 200


def test_only_those_it_is_offered_to_see_it(house: House, ticket: Ticket) -> None:
    house.escalate(ticket, now=ago(minutes=2))

    def sees(*people: object) -> list[bool]:
        return [ticket.reference in words(as_(user).get("/offers/")) for user in people]  # type: ignore[arg-type]

    assert sees(house.priya, house.mei, house.grace, house.helen) == [True] * 4
    assert sees(house.anna, house.ben, house.jonas, house.marco) == [False] * 4


def test_an_offer_to_one_person_waits_for_them_or_their_backup(
    house: House, ticket: Ticket
) -> None:
    house.escalate(ticket, user=house.mei, now=ago(minutes=2))
    assert ticket.reference in words(as_(house.mei).get("/offers/"))
    assert ticket.reference not in words(as_(house.jonas).get("/offers/"))

    house.away(house.mei, backup=house.jonas, since=timezone.now())

    assert ticket.reference in words(as_(house.jonas).get("/offers/"))


def test_accepting_makes_it_theirs_and_shows_the_ticket(
    house: House, ticket: Ticket, priya: Client
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    at = f"escalations/{escalation.pk}/accept"
    hidden = form(html(priya.get("/offers/")), f"{at}/")

    answer = press(priya, ticket, at, first_step="tracing a failed call", **hidden)

    assert answer.headers["Location"] == ticket.get_absolute_url()
    assert fresh(escalation).owner == house.priya
    said = words(priya.get("/offers/"))
    assert "Nothing is offered to you" in said
    assert f"You work on {ticket.reference} · Norvik Logistics" in said


@pytest.mark.parametrize(
    ("action", "said"),
    [("decline", "Declined; it is back with the assignee."), ("hand-on", "Handed on.")],
)
def test_declining_and_handing_on_lead_back_to_the_inbox(
    house: House, ticket: Ticket, priya: Client, action: str, said: str
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))
    at = f"escalations/{escalation.pk}/{action}"
    hidden = opened(priya, html(priya.get("/offers/")), f"{at}/")

    answer = press(
        priya,
        ticket,
        at,
        reason_code="other",
        reason="We have no access there.",
        team=house.platform.pk,
        **hidden,
    )

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/offers/"
    page = words(priya.get("/offers/"))
    assert said in page
    assert "Nothing is offered to you" in page


def test_a_refusal_shows_on_the_ticket_with_what_was_written(
    house: House, ticket: Ticket, priya: Client
) -> None:
    escalation = house.escalate(ticket, now=ago(minutes=2))

    answer = press(
        priya,
        ticket,
        f"escalations/{escalation.pk}/hand-on",
        team=house.integrations.pk,
        note="kept words",
        next="/offers/",
    )

    assert answer.status_code == 422
    assert "It is there already." in words(answer)
    assert "kept words" in words(answer)


def test_an_empty_inbox_says_what_would_be_here(house: House, priya: Client) -> None:
    assert "When a ticket is escalated to you or your team, it waits here" in words(
        priya.get("/offers/")
    )


def test_the_page_costs_the_same_however_many_offers_wait(
    house: House, ticket: Ticket, priya: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))
    few = queries(priya, "/offers/")
    for number in range(30):
        other = house.ticket(f"ticket {number}", now=ago(minutes=9), by=house.juergen)
        house.answer(other, "More.", now=ago(minutes=8))
        house.escalate(other, now=ago(minutes=2), user=house.priya if number % 2 else None)

    many = queries(priya, "/offers/")

    assert len(many) <= len(few) <= QUERIES, "\n".join(many)
    second = Markup(html(priya.get("/offers/?page=2")))
    assert len([tag for tag, carried in second.elements if "data-row" in carried]) == 6


def test_the_keys_of_the_list_find_their_places(
    house: House, ticket: Ticket, priya: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))

    page = Markup(html(priya.get("/offers/")))

    assert {c["data-key"]: tag for tag, c in page.elements if "data-key" in c} == {
        "/": "a",
        "o": "a",
    }
    assert [tag for tag, c in page.elements if "data-row" in c] == ["a"]
    assert [tag for tag, c in page.elements if "data-list" in c] == ["nav"]
    ids = [carried["id"] for _tag, carried in page.elements if "id" in carried]
    assert len(ids) == len(set(ids))


def test_the_page_is_only_read_and_only_by_who_signed_in(
    house: House, client: Client, ticket: Ticket, priya: Client
) -> None:
    house.escalate(ticket, now=ago(minutes=2))
    before = all_rows()

    priya.get("/offers/")

    assert all_rows() == before
    assert priya.post("/offers/").status_code == 405
    assert client.get("/offers/").headers["Location"] == "/accounts/login/?next=/offers/"


def test_what_a_private_team_escalates_is_seen_by_whom_it_reaches_while_it_is_theirs(
    house: House, priya: Client
) -> None:
    secret = house.team("secret", "Secret matters", 1, is_private=True)
    secret.members.add(house.anna)
    secret_ticket = house.ticket("A leak", assignee=house.anna, now=ago(hours=1))
    triage.move(ticket_id=secret_ticket.pk, team_id=secret.pk, now=ago(hours=1), by=house.anna)
    page = secret_ticket.get_absolute_url()
    assert priya.get(page).status_code == 404

    escalation = house.escalate(secret_ticket, now=ago(minutes=2))

    assert "A leak" in words(priya.get("/offers/"))
    assert priya.get(page).status_code == 200
    assert as_(house.ben).get(page).status_code == 404, "nobody else sees it for that"
    lifecycle.accept(escalation_id=escalation.pk, now=ago(minutes=1), by=house.priya)
    assert priya.get(page).status_code == 200
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Plugged.", now=timezone.now(), by=house.priya
    )
    assert priya.get(page).status_code == 404
