"""The phone: find or add who calls, write down what they said, on a new ticket or on an old one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from staff.models import Team
from tests.house import House, letter, letters_of
from tests.pages.acting import (
    EVIL,
    HTMX,
    ago,
    as_,
    fields_in_error,
    form,
    has_no_markup_of,
    opened,
    press,
    queries,
)
from tests.pages.desk import html, words
from tickets import triage
from tickets.models import Contact, Detail, Message, Ticket

pytestmark = pytest.mark.django_db

NEW = "/tickets/new/"
CALL: dict[str, Any] = {
    "subject": "Terminals are offline",
    "text": "All terminals in Oslo have been offline since nine.",
    "category": "",
    "impact": "1",
    "urgency": "1",
    "mine": "on",
}


@pytest.fixture
def anna(house: House) -> Client:
    return as_(house.anna)


def found(client: Client, asked: str, *, htmx: bool = False) -> str:
    page = client.get(NEW, {"q": asked}, headers=HTMX if htmx else {})
    assert page.status_code == 200
    return html(page)


def log(client: Client, **sent: Any) -> Any:
    return client.post(NEW, {**CALL, **sent})


# Find


@pytest.mark.parametrize(
    "asked", ["dana", "Reyes", "dana@norvik", "Norvik", "NOR-4471", "+47 22 33 44 55", "22334455"]
)
def test_a_caller_is_found_by_name_address_phone_or_organization(
    house: House, anna: Client, asked: str
) -> None:
    Contact.objects.filter(pk=house.dana.pk).update(phone="+47 (22) 33-44-55")
    for htmx in (False, True):
        page = found(anna, asked, htmx=htmx)
        assert f"?contact={house.dana.pk}" in page
        assert f"?contact={house.juergen.pk}" not in page


def test_the_answer_to_typing_is_the_list_alone(house: House, anna: Client) -> None:
    page = found(anna, "dana", htmx=True)
    assert "<html" not in page
    assert "Dana Reyes" in page


def test_who_is_known_from_others_private_tickets_alone_is_not_found(
    house: House, anna: Client
) -> None:
    secret = Team.objects.create(
        slug="secret", name="Secret", tier=house.tiers[0], calendar=house.always, is_private=True
    )
    ticket = house.ticket(by=house.juergen, now=ago(minutes=5))
    triage.move(ticket_id=ticket.pk, team_id=secret.pk, now=ago(minutes=4), by=house.helen)
    assert "Jürgen" not in found(anna, "Adler")
    assert "Jürgen" in found(as_(house.helen), "Adler")
    assert anna.get(NEW, {"contact": house.juergen.pk}).status_code == 404
    assert log(anna, contact=house.juergen.pk).status_code == 404
    house.ticket(by=house.juergen, now=ago(minutes=3))
    page = anna.get(NEW, {"contact": house.juergen.pk})
    assert ticket.reference not in html(page)


@pytest.mark.parametrize(
    "asked", ["", "%", "nul\x00", "zzz", "x" * 5000, EVIL, "\u202edana", "'--"]
)
def test_odd_words_find_nobody_and_break_nothing(house: House, anna: Client, asked: str) -> None:
    page = found(anna, asked)
    assert "<img" not in page
    assert "Jürgen" not in page


def test_finding_costs_the_same_however_many_there_are(house: House, anna: Client) -> None:
    few = queries(anna, f"{NEW}?q=norvik")
    for number in range(30):
        house.contact(f"Somebody{number} Else", house.norvik)
    many = queries(anna, f"{NEW}?q=norvik")
    assert len(many) == len(few)
    assert found(anna, "norvik").count("?contact=") == 10


# A new ticket


def test_a_call_becomes_a_ticket_of_who_took_it(house: House, anna: Client) -> None:
    page = html(anna.get(NEW, {"contact": house.dana.pk}))
    answer = log(anna, **form(page, NEW))
    ticket = Ticket.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, ticket.get_absolute_url())
    assert (ticket.channel, ticket.requester, ticket.organization) == (
        "phone",
        house.dana,
        house.norvik,
    )
    assert (ticket.priority, ticket.assignee) == (1, house.anna)
    message = Message.objects.get()
    assert (message.kind, message.channel, message.contact) == ("customer", "phone", house.dana)
    said = words(anna.get(ticket.get_absolute_url()))
    assert "Anna Keller took the call" in said
    assert "All terminals in Oslo" in said


def test_no_letter_goes_unless_it_is_ticked(house: House, anna: Client) -> None:
    log(anna, contact=house.dana.pk)
    house.sweep(timezone.now())
    assert letters_of(Ticket.objects.get()) == []


def test_ticked_the_caller_reads_when_to_expect_a_reply(house: House, anna: Client) -> None:
    log(anna, contact=house.dana.pk, tell="on")
    ticket = Ticket.objects.get()
    assert letters_of(ticket) == ["received"]
    assert "a colleague will reply by" in letter(ticket, "received").text
    house.sweep(timezone.now())
    assert letters_of(ticket) == ["received"]


def test_the_categorys_details_are_asked_for_and_kept(house: House, anna: Client) -> None:
    sent = {**CALL, "contact": house.dana.pk, "category": house.api.pk, "text": ""}
    for headers in ({}, HTMX):
        page = html(anna.post(NEW, {**sent, "again": "1"}, headers=headers))
        assert 'name="detail-key-id"' in page
        assert "Terminals are offline" in page
        assert "field-error" not in page
    assert not Ticket.objects.exists()
    log(anna, contact=house.dana.pk, category=house.api.pk, **{"detail-key-id": "key_abcd"})
    assert Detail.objects.get().value == "key_abcd"
    assert Ticket.objects.get().category == house.api


def test_somebody_new_joins_the_organization_of_their_domain(house: House, anna: Client) -> None:
    page = html(anna.get(NEW, {"new": "1"}))
    assert 'name="email"' in page
    log(anna, name="Ola Berg", email="ola@norvik.example", phone="+47 99", language="en")
    ola = Contact.objects.get(email="ola@norvik.example")
    assert (ola.name, ola.phone, ola.organization) == ("Ola Berg", "+47 99", house.norvik)
    assert Ticket.objects.get().requester == ola


def test_or_of_the_customer_id_they_name(house: House, anna: Client) -> None:
    sent = {"name": "Ola", "email": "ola@gmail.com", "language": "de"}
    refused = log(anna, **sent, customer_id="NOBODY-1")
    assert refused.status_code == 422
    assert "No organization has this customer ID." in words(refused)
    assert not Contact.objects.filter(email="ola@gmail.com").exists()
    log(anna, **sent, customer_id="nor-4471")
    assert Contact.objects.get(email="ola@gmail.com").organization == house.norvik


def test_an_address_that_is_known_is_not_made_twice(house: House, anna: Client) -> None:
    log(anna, name="Somebody", email="DANA@norvik.example", language="de")
    assert Contact.objects.filter(email__iexact="dana@norvik.example").count() == 1
    assert Ticket.objects.get().requester == house.dana
    assert Contact.objects.get(pk=house.dana.pk).name == "Dana Reyes"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"subject": ""}, "id_subject"),
        ({"text": " "}, "id_text"),
        ({"text": "nul \x00"}, "id_text"),
        ({"subject": "x" * 301}, "id_subject"),
        ({"category": "999999"}, "id_category"),
        ({"impact": "9"}, "id_impact"),
        ({"urgency": "²"}, "id_urgency"),
        ({"ticket": "999999"}, "id_ticket"),
    ],
)
def test_odd_input_is_refused_at_its_field_and_opens_nothing(
    house: House, anna: Client, sent: dict[str, str], field: str
) -> None:
    house.ticket(now=ago(minutes=5))
    answer = log(anna, contact=house.dana.pk, **sent)
    assert answer.status_code == 422
    assert fields_in_error(answer) == [field]
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("contact", ["0", "-1", "x", "99999999999999999999", "1\x00"])
def test_an_unknown_contact_is_not_found(house: House, anna: Client, contact: str) -> None:
    assert log(anna, contact=contact).status_code == 404


def test_sending_it_twice_logs_it_once(house: House, anna: Client) -> None:
    sent = form(html(anna.get(NEW, {"contact": house.dana.pk})), NEW)
    log(anna, **sent)
    assert log(anna, **sent).status_code == 302
    assert Ticket.objects.count() == 1


def test_what_a_caller_says_stays_text(house: House, anna: Client) -> None:
    answer = log(anna, contact=house.dana.pk, subject=EVIL, text=EVIL, category="x")
    has_no_markup_of(answer)


# On a ticket that is there


def test_a_call_goes_to_a_ticket_that_is_open_already(house: House, anna: Client) -> None:
    ticket = house.ticket(now=ago(minutes=30), assignee=house.anna)
    house.status(ticket, "waiting_on_customer", now=ago(minutes=20))
    page = html(anna.get(NEW, {"contact": house.dana.pk}))
    assert ticket.reference in page
    answer = log(anna, contact=house.dana.pk, ticket=ticket.pk, subject="")
    assert answer["Location"] == ticket.get_absolute_url()
    message = Message.objects.filter(ticket=ticket).latest("pk")
    assert (message.kind, message.channel) == ("customer", "phone")
    assert Ticket.objects.get().status == "open"


def test_a_colleague_of_the_requester_calls_about_it(house: House, anna: Client) -> None:
    ticket = house.ticket(now=ago(minutes=30))
    ola = house.contact("Ola Berg", house.norvik)
    log(anna, contact=ola.pk, ticket=ticket.pk)
    assert Message.objects.filter(ticket=ticket).latest("pk").contact == ola
    refused = log(anna, contact=house.juergen.pk, ticket=ticket.pk)
    assert refused.status_code == 302, "Steinbach has no ticket to choose: it opens a new one"
    assert Ticket.objects.count() == 2


def test_from_the_tickets_page_it_is_the_requester_who_called(house: House, anna: Client) -> None:
    ticket = house.ticket(now=ago(minutes=30), assignee=house.anna)
    page = html(anna.get(ticket.get_absolute_url()))
    assert press(anna, ticket, "call", text="").status_code == 422
    answer = press(
        anna, ticket, "call", text="It is all of Oslo now.", **opened(anna, page, "/call/")
    )
    assert answer.status_code == 302
    message = Message.objects.filter(ticket=ticket).latest("pk")
    assert (message.contact, message.channel, message.text) == (
        house.dana,
        "phone",
        "It is all of Oslo now.",
    )


def test_one_key_leads_there_from_the_desk(anna: Client) -> None:
    page = html(anna.get("/desk/"))
    assert f'href="{NEW}"' in page
    assert 'data-key="c"' in page


def test_without_signing_in_nobody_is_found(client: Client, house: House) -> None:
    assert client.get(NEW, {"q": "dana"}).status_code == 302
    assert log(client, contact=house.dana.pk).status_code == 302
    assert not Ticket.objects.exists()
