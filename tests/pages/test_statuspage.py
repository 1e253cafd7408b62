"""What a customer sees behind the link of a letter: the stage and the time, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalation.models import Clock, Promise
from escalation.models.clock import ClockKind, ClockState
from notifications.identity import status_token
from tests.pages.desk import Desk, html, words
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def link(ticket: Ticket) -> str:
    return f"/s/{status_token(ticket.pk)}/"


def promise(desk: Desk, ticket: Ticket, due_at: datetime | None, state: str = "open") -> None:
    Promise.objects.create(
        ticket=ticket, number=1, kind="reply", state=state, due_at=due_at, made_at=desk.now
    )


def test_a_new_request_is_received_and_with_a_team(client: Client, desk: Desk) -> None:
    ticket = desk.ticket()

    said = words(client.get(link(ticket)))

    assert f"{ticket.reference} We have your request" in said
    assert "Received" in said
    assert "With Frontline EMEA" in said
    assert "Solved – to come" in said


def test_the_time_of_the_first_reply_is_the_one_the_letter_named(
    client: Client, desk: Desk
) -> None:
    ticket = desk.ticket()
    escalation = desk.escalated(desk.ticket("another, for its policy"))
    due = desk.now + timedelta(hours=3)
    Clock.objects.create(
        ticket=ticket,
        kind=ClockKind.FIRST_RESPONSE,
        policy_version=escalation.policy_version,
        budget=timedelta(hours=4),
        consumed=timedelta(),
        state=ClockState.RUNNING,
        started_at=desk.now,
        changed_at=desk.now,
        running_since=desk.now,
        due_at=due,
    )

    said = words(client.get(link(ticket)))

    assert "You hear from us by" in said
    assert "(Oslo, UTC+" in said


def test_an_escalated_ticket_says_to_whom_and_when_to_expect_word(
    client: Client, desk: Desk
) -> None:
    ticket = desk.ticket()
    desk.escalated(ticket, accepted=True)
    promise(desk, ticket, desk.now + timedelta(hours=4, minutes=1))

    said = words(client.get(link(ticket)))

    assert "Tier 2 is working on it" in said
    assert "Escalated to Tier 2, Integrations" in said
    assert "You hear from us by" in said
    assert "Nothing is needed from you until then" in said
    assert "in 4 h" in said


def test_the_time_is_told_in_the_requesters_zone_and_language(client: Client, desk: Desk) -> None:
    desk.juergen.zone = "Europe/Berlin"
    desk.juergen.save()
    ticket = desk.ticket(requester=desk.juergen)
    due = datetime(desk.now.year + 1, 7, 1, 12, 0, tzinfo=UTC)
    promise(desk, ticket, due)

    page = client.get(link(ticket))

    assert page.headers["Content-Language"] == "de"
    assert '<html lang="de">' in html(page)
    assert "14:00 (Berlin, UTC+2)" in words(page)


def test_a_time_that_has_passed_is_not_hidden(client: Client, desk: Desk) -> None:
    ticket = desk.ticket()
    desk.escalated(ticket, accepted=True)
    promise(desk, ticket, desk.now - timedelta(minutes=40))

    said = words(client.get(link(ticket)))

    assert "We are late" in said
    assert "You were to hear from us by" in said


def test_a_ticket_that_waits_for_the_customer_says_so_and_names_no_time(
    client: Client, desk: Desk
) -> None:
    ticket = desk.ticket(status="waiting_on_customer")
    suspended = desk.ticket()
    promise(desk, suspended, None, state="suspended")

    for one in (ticket, suspended):
        said = words(client.get(link(one)))
        assert "We need a word from you" in said
        assert "You hear from us by" not in said


def test_solved_and_closed_say_what_a_reply_does(client: Client, desk: Desk) -> None:
    solved = desk.ticket(status="resolved", resolved_at=desk.now)
    closed = desk.ticket(status="closed", resolved_at=desk.now, closed_at=desk.now)

    assert "it opens again" in words(client.get(link(solved)))
    assert "we open a new ticket" in words(client.get(link(closed)))


def test_nothing_that_anybody_wrote_stands_there(client: Client, desk: Desk) -> None:
    ticket = desk.ticket(
        "the subject they wrote",
        text="the words they wrote",
        tags=["the-tag"],
        outcome="the outcome we wrote",
        assignee=desk.anna,
        customer_reference="their-reference",
    )
    desk.escalated(ticket, accepted=True)
    promise(desk, ticket, desk.now + timedelta(hours=1))

    page = html(client.get(link(ticket)))

    for told in (
        "subject they wrote",
        "words they wrote",
        "the-tag",
        "outcome we wrote",
        "their-reference",
        "internal words",
        desk.dana.name,
        desk.dana.email,
        desk.anna.name,
        desk.anna.email,
        desk.priya.name,
        desk.norvik.name,
        desk.norvik.customer_id,
    ):
        assert told not in page


def test_neither_browsers_nor_search_engines_keep_it(client: Client, desk: Desk) -> None:
    for address, status in ((link(desk.ticket()), 200), ("/s/1.k1-wrong/", 404)):
        page = client.get(address)
        assert page.status_code == status
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert 'name="robots" content="noindex, nofollow"' in html(page)


def test_a_link_opens_its_own_ticket_only(client: Client, desk: Desk) -> None:
    one, other = desk.ticket("one"), desk.ticket("other")
    token = status_token(one.pk)
    forged = token.replace(f"{one.pk}.", f"{other.pk}.", 1)
    cut = token[:-1]

    for wrong in (forged, cut, "1042", "x" * 3000, "%00", "🙂", f"{one.pk}.k9-{'a' * 26}"):
        page = client.get(f"/s/{wrong}/")
        assert page.status_code == 404, wrong
        assert other.reference not in html(page)


def test_a_link_to_a_ticket_that_is_gone_looks_like_any_wrong_link(
    client: Client, desk: Desk
) -> None:
    gone = client.get(f"/s/{status_token(987654)}/")
    wrong = client.get("/s/1.k1-wrong/")

    assert gone.status_code == wrong.status_code == 404
    assert words(gone) == words(wrong)


def test_it_is_only_read(client: Client, desk: Desk) -> None:
    ticket = desk.ticket()
    assert client.post(link(ticket)).status_code == 405
    with CaptureQueriesContext(connection) as captured:
        client.get(link(ticket))
    said = [query["sql"] for query in captured.captured_queries]

    assert len(said) <= 4
    assert all(sql.startswith("SELECT") for sql in said)


def test_who_is_signed_in_sees_the_same_page(client: Client, desk: Desk) -> None:
    ticket = desk.ticket()
    client.force_login(desk.anna, "django.contrib.auth.backends.ModelBackend")

    assert 'class="rail"' not in html(client.get(link(ticket)))
