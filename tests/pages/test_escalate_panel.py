"""The escalate panel: where to and why, what goes along, the letter beforehand, one press."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from escalation.models import Escalation
from notifications.models import OutgoingEmail
from tests.house import House, handoff_of, promise_of
from tests.pages.acting import HTMX, ago, ahead, all_rows, as_, fields_in_error, queries, typed
from tests.pages.desk import Markup, Response, html, words
from tickets.models import RequiredDetail, Ticket

pytestmark = pytest.mark.django_db

QUERIES = 26


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(now=ago(minutes=30), assignee=house.anna, impact=1, urgency=2)


@pytest.fixture
def lacking(house: House) -> Ticket:
    """A ticket without the detail its category requires."""
    return house.ticket(text="The API fails.", now=ago(minutes=30), assignee=house.anna)


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


def filled(house: House, **other: Any) -> dict[str, Any]:
    """The panel as Anna fills it in."""
    return {
        "kind": "functional",
        "team": house.integrations.pk,
        "user": "",
        "nature": "expertise",
        "urgency": 1,
        "tried": "Repeated the call.",
        "ask": "Find out why.",
        **other,
    }


def escalate(
    client: Client, ticket: Ticket, sent: dict[str, Any], *, htmx: bool = False
) -> HttpResponse:
    address = f"{ticket.get_absolute_url()}escalate/"
    return client.post(address, sent, headers=HTMX if htmx else {})  # type: ignore[return-value]


def letter(client: Client, ticket: Ticket, sent: dict[str, Any]) -> str:
    answer = client.post(f"{ticket.get_absolute_url()}escalate/letter/", sent, headers=HTMX)
    assert answer.status_code == 200
    return words(answer)


def chosen(page: Response, name: str) -> str | None:
    """What a select of the page is set to."""
    inside = ""
    for tag, carried in Markup(html(page)).elements:
        if tag == "select":
            inside = carried.get("name", "")
        elif tag == "option" and inside == name and "selected" in carried:
            return carried["value"]
    return None


def test_it_suggests_a_team_and_says_why(house: House, ticket: Ticket, anna: Client) -> None:
    page = anna.get(f"{ticket.get_absolute_url()}escalate/")

    assert chosen(page, "team") == str(house.integrations.pk)
    assert "API integration needs a specialist, and Integrations is its Tier 2." in words(page)


def test_it_shows_the_letter_the_time_and_the_path_beforehand(
    house: House, ticket: Ticket, anna: Client
) -> None:
    said = words(anna.get(f"{ticket.get_absolute_url()}escalate/"))

    assert "What Dana Reyes will read [HD-" in said
    assert re.search(
        r"Dana, your ticket HD-\d+ has been escalated to Tier 2, Integrations; "
        r"expect a reply by \w{3} \d+ \w{3}, \d\d:\d\d \(Oslo, UTC\+1\)",
        said,
    )
    assert "Reply expected by" in said
    for step in ("Remind the team", "Tell the lead: Grace Lim", "Tell the manager: Helen Brandt"):
        assert step in said[said.index("If nobody accepts") :]


def test_the_letter_follows_what_is_filled_in(house: House, ticket: Ticket, anna: Client) -> None:
    said = letter(
        anna,
        ticket,
        filled(house, team=house.platform.pk, note_to_customer="We start with the EU pool."),
    )

    assert "Offered to Platform (Tier 3)" in said
    assert "escalated to Tier 3, Platform" in said
    assert "We start with the EU pool." in said
    assert "Tell the lead: Lena Fuchs" in said


def test_the_time_in_the_letter_can_be_set(house: House, ticket: Ticket, anna: Client) -> None:
    moment = (timezone.now() + timedelta(days=2)).replace(hour=10, minute=30)

    said = letter(anna, ticket, filled(house, promised=typed(moment)))

    assert "11:30 (Oslo, UTC+1)" in said, "in the customer's own time"


def test_more_authority_stays_among_us(house: House, ticket: Ticket, anna: Client) -> None:
    said = letter(
        anna, ticket, filled(house, kind="hierarchical", team=house.emea.pk, nature="authority")
    )

    assert "Offered to Marco Ruiz" in said
    assert "Nothing: this escalation stays among us." in said


def test_a_half_filled_panel_has_a_preview_too(house: House, ticket: Ticket, anna: Client) -> None:
    for sent in (
        {},
        {"team": ""},
        {"team": "x", "kind": "\x00", "urgency": "9"},
        {"team": "999999"},
    ):
        assert "Choose a team to see what would happen." in letter(anna, ticket, sent)
    for odd in (
        {"promised": "tomorrow"},
        {"promised": "9999-12-31T23:59"},
        {"user": "999"},
        {"kind": "sideways"},
        {"note_to_customer": "x" * 2_000_000},
        {"tried": "\x00"},
    ):
        assert "What happens" in letter(anna, ticket, filled(house, **odd))


def test_looking_ahead_changes_nothing(house: House, ticket: Ticket, anna: Client) -> None:
    before = all_rows()

    anna.get(f"{ticket.get_absolute_url()}escalate/")
    letter(anna, ticket, filled(house))

    assert all_rows() == before
    assert anna.get(f"{ticket.get_absolute_url()}escalate/letter/").status_code == 405


def test_one_press_escalates_and_tells_the_customer(
    house: House, ticket: Ticket, anna: Client
) -> None:
    answer = escalate(anna, ticket, filled(house, user=house.mei.pk))

    assert answer.status_code == 302
    assert answer.headers["Location"] == ticket.get_absolute_url()
    said = words(anna.get(ticket.get_absolute_url()))
    assert "Escalated. The letter leaves in ten seconds." in said
    assert "Offered to Mei Tanaka" in said
    escalation = Escalation.objects.get(ticket=ticket)
    assert (escalation.tried, escalation.ask) == ("Repeated the call.", "Find out why.")
    assert handoff_of(escalation).to_user == house.mei
    told = OutgoingEmail.objects.get(kind="escalated")
    assert told.to_address == "dana@norvik.example"


def test_with_htmx_the_browser_is_led_to_the_ticket(
    house: House, ticket: Ticket, anna: Client
) -> None:
    answer = escalate(anna, ticket, filled(house), htmx=True)

    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == ticket.get_absolute_url()


def test_the_letter_that_leaves_is_the_one_that_was_shown(
    house: House, ticket: Ticket, anna: Client
) -> None:
    sent = filled(house, promised=ahead(hours=30), note_to_customer="We start with the EU pool.")
    shown = letter(anna, ticket, sent)

    escalate(anna, ticket, sent)

    conversation = words(anna.get(ticket.get_absolute_url()))
    body = shown[shown.index("Dana, your ticket") : shown.index(" -- ")]
    assert body in conversation
    due = promise_of(ticket).due_at
    assert due is not None
    assert typed(due) == sent["promised"]


def test_the_gate_asks_for_a_note(house: House, ticket: Ticket, anna: Client) -> None:
    before = all_rows()

    answer = escalate(anna, ticket, filled(house, tried=" ", ask=""), htmx=True)

    assert answer.status_code == 422
    assert fields_in_error(answer) == ["id_ask"]
    assert "Say what was tried, or what you ask for." in words(answer)
    assert "<html" not in html(answer)
    assert all_rows() == before


def test_the_gate_asks_for_what_is_missing_and_keeps_what_was_written(
    house: House, lacking: Ticket, anna: Client
) -> None:
    before = all_rows()

    answer = escalate(anna, lacking, filled(house, note_to_customer="kept words"))

    assert answer.status_code == 422
    assert fields_in_error(answer) == ["id_override_reason"]
    assert "Still missing: API key ID." in words(answer)
    assert "kept words" in words(answer)
    assert "Repeated the call." in words(answer)
    assert all_rows() == before


def test_the_customer_can_be_asked_in_the_same_letter(
    house: House, lacking: Ticket, anna: Client
) -> None:
    fresh_page = html(anna.get(f"{lacking.get_absolute_url()}escalate/"))
    said = letter(anna, lacking, filled(house, ask_customer="on"))

    answer = escalate(anna, lacking, filled(house, ask_customer="on"))

    assert re.search(r'name="ask_customer"[^>]*checked', fresh_page), "proposed"
    assert "Please send: API key ID." in said
    assert answer.status_code == 302
    assert Escalation.objects.get().missing == ["key-id"]


def test_what_is_missing_can_be_filled_in_place(
    house: House, lacking: Ticket, anna: Client
) -> None:
    sent = filled(house, ask_customer="on", **{"detail-key-id": "key_77aa"})
    said = letter(anna, lacking, sent)

    answer = escalate(anna, lacking, sent)

    assert "Please send" not in said, "nobody is asked for what is known"
    assert answer.status_code == 302
    detail = lacking.details.get()
    assert (detail.key, detail.value, detail.user) == ("key-id", "key_77aa", house.anna)
    assert not Escalation.objects.get().incomplete


def test_what_was_filled_in_is_kept_only_if_it_escalates(
    house: House, lacking: Ticket, anna: Client
) -> None:
    before = all_rows()

    sent = filled(house, tried="", ask="", **{"detail-key-id": "key_77aa"})
    answer = escalate(anna, lacking, sent)

    assert answer.status_code == 422
    assert 'value="key_77aa"' in html(answer)
    assert all_rows() == before


def test_no_detail_is_written_that_nobody_asked_for(
    house: House, ticket: Ticket, anna: Client
) -> None:
    escalate(anna, ticket, filled(house, **{"detail-nonsense": "x", "detail-key-id": "key_other"}))

    assert ticket.details.get().value == "key_4f2a91"


def test_an_override_takes_a_reason_that_stays(house: House, lacking: Ticket, anna: Client) -> None:
    escalate(anna, lacking, filled(house, override_reason="Production is down."))

    assert Escalation.objects.get().override_reason == "Production is down."
    said = words(anna.get(lacking.get_absolute_url()))
    assert "Gate passedProduction is down." in said
    assert "IncompleteAPI key ID" in said


def test_the_second_press_hears_that_it_is_escalated_already(
    house: House, ticket: Ticket, anna: Client
) -> None:
    escalate(anna, ticket, filled(house))
    after = all_rows()

    again = escalate(anna, ticket, filled(house))

    assert again.status_code == 422
    assert f"{ticket.reference} is already escalated to Integrations." in words(again)
    assert all_rows() == after
    page = anna.get(f"{ticket.get_absolute_url()}escalate/")
    assert chosen(page, "kind") == "hierarchical", "what is left to do"
    assert "It is already with Integrations" in words(page)
    beside = filled(house, kind="hierarchical", team=house.emea.pk, nature="authority")
    assert escalate(anna, ticket, beside).status_code == 302


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"team": ""}, "id_team"),
    ({"team": "999999"}, "id_team"),
    ({"team": "{emea}"}, "id_team"),
    ({"user": "999999"}, "id_user"),
    ({"user": "{ben}"}, "id_user"),
    ({"kind": "sideways"}, "id_kind"),
    ({"nature": "\x00"}, "id_nature"),
    ({"urgency": "0"}, "id_urgency"),
    ({"urgency": "²"}, "id_urgency"),
    ({"tried": "nul \x00"}, "id_tried"),
    ({"tried": "x" * 2_000_000}, "id_tried"),
    ({"ask": "x" * 2001}, "id_ask"),
    ({"override_reason": "x" * 501}, "id_override_reason"),
    ({"promised": "2020-01-01T10:00"}, "id_promised"),
    ({"promised": "9999-12-31T23:59"}, "id_promised"),
    ({"promised": "soon"}, "id_promised"),
    ({"note_to_customer": "x" * 601}, "id_note_to_customer"),
    ({"detail-key-id": "x" * 1001}, "id_detail-key-id"),
]


@pytest.mark.parametrize(("odd", "field"), REFUSED, ids=lambda value: str(value)[:40])
def test_odd_input_is_refused_at_its_field_and_changes_nothing(
    house: House, lacking: Ticket, anna: Client, odd: dict[str, Any], field: str
) -> None:
    names = {"emea": house.emea.pk, "ben": house.ben.pk}
    odd = {k: v.format(**names) if isinstance(v, str) else v for k, v in odd.items()}
    before = all_rows()

    answer = escalate(anna, lacking, filled(house, ask_customer="on", **odd))

    assert answer.status_code == 422
    assert fields_in_error(answer) == [field]
    assert all_rows() == before


def test_a_ticket_that_is_over_is_not_escalated(house: House, ticket: Ticket, anna: Client) -> None:
    anna.post(f"{ticket.get_absolute_url()}resolve/", {"outcome": "Restarted."})

    answer = escalate(anna, ticket, filled(house))

    assert answer.status_code == 422
    assert "is over; reopen it first" in words(answer)


def test_nobody_to_suggest_is_said(house: House, ticket: Ticket, anna: Client) -> None:
    page = anna.get(f"{ticket.get_absolute_url()}escalate/")
    assert page.status_code == 200
    house.away(house.priya, since=timezone.now())
    house.away(house.mei, since=timezone.now())

    assert anna.get(f"{ticket.get_absolute_url()}escalate/").status_code == 200


def test_it_costs_the_same_however_much_there_is_to_choose_from(
    house: House, lacking: Ticket, anna: Client
) -> None:
    few = queries(anna, f"{lacking.get_absolute_url()}escalate/")
    for number in range(15):
        team = house.team(f"t{number}", f"Team {number}", 3)
        house.person(f"P{number} Person", team)
        RequiredDetail.objects.create(category=house.api, key=f"d{number}", label=f"D{number}")

    many = queries(anna, f"{lacking.get_absolute_url()}escalate/")

    assert len(many) <= len(few) <= QUERIES, "\n".join(many)
