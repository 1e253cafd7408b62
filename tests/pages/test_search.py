"""Search: what is found, by whom, in what order, how it is shown, and what is said of mistakes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.pages.acting import as_
from tests.pages.desk import Desk, html, rows, words
from tickets.models import Attachment, Detail, Message, Ticket

pytestmark = pytest.mark.django_db

#: Session, reader, the rail's offers; beginning and end of the transaction (two), its limits (two),
#: the newest, the best, what marks them, tickets, lines.
QUERIES = 12


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def anna(client: Client, desk: Desk) -> Client:
    client.force_login(desk.anna, "django.contrib.auth.backends.ModelBackend")
    return client


def found(client: Client, text: str) -> list[str]:
    """The references a search finds, in their order."""
    answer = client.get("/search/", {"q": text})
    assert answer.status_code == 200
    assert 'role="alert"' not in html(answer), words(answer)
    return rows(answer)


def refused(client: Client, text: str) -> str:
    """What the page says of a search it cannot do."""
    answer = client.get("/search/", {"q": text})
    assert answer.status_code == 200
    assert 'role="alert"' in html(answer)
    assert rows(answer) == []
    return words(answer)


@pytest.mark.parametrize(
    "text",
    [
        "invoices",
        "INVOICE",
        "gateway tenants",
        '"failing for all tenants"',
        "norvik",
        "Dana Reyes",
        "dana@customer.example",
        "NOR-4471",
        "key_4f2a91",
        "4f2a91",
        "calls-2026.log",
        "calls",
        "PO-77/b",
        "zurich",
        "Zürich",
        "strasse",
        "gatew*",
        "ERR_504",
        "https://api.norvik.example/v2/invoices?id=77",
    ],
)
def test_a_ticket_is_found_by_whatever_stands_on_it(anna: Client, desk: Desk, text: str) -> None:
    ticket = desk.ticket(
        "Invoice fails",
        text="The gateway is failing for all tenants in Zürich, Straße 5: ERR_504 at"
        " https://api.norvik.example/v2/invoices?id=77",
        customer_reference="PO-77/b",
    )
    message = Message.objects.get(ticket=ticket)
    Attachment.objects.create(
        message=message, name="calls-2026.log", content_type="text/plain", size=1, sha256=b"x"
    )
    Detail.objects.create(ticket=ticket, key="key-id", value="key_4f2a91", created_at=desk.now)
    desk.ticket("Another matter", text="Nothing of it", requester=desk.juergen)

    assert found(anna, text) == [ticket.reference]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("refund", "refunds"),
        ("We were refunded twice", "refund"),
        ("Two companies", "company"),
        ("Die Rechnung fehlt", "Rechnungen"),
        ("Mehrere Kündigungen", "kündigung"),
    ],
)
def test_a_word_is_found_in_its_other_forms(
    anna: Client, desk: Desk, said: str, asked: str
) -> None:
    ticket = desk.ticket("About", text=said)

    assert found(anna, asked) == [ticket.reference]


def test_words_in_quotes_are_found_as_they_stand_and_a_minus_leaves_out(
    anna: Client, desk: Desk
) -> None:
    exact = desk.ticket("one", text="a server error came")
    other = desk.ticket("two", text="the servers errors")
    between = desk.ticket("three", text="server with an error")

    assert found(anna, '"server error"') == [exact.reference]
    assert set(found(anna, "server error")) == {
        ticket.reference for ticket in (exact, other, between)
    }
    assert set(found(anna, 'server -"server error"')) == {other.reference, between.reference}
    assert found(anna, "-server") == []
    assert found(anna, "error -servers") == []


def test_a_reference_leads_to_its_ticket_and_is_searched_for_where_there_is_none(
    anna: Client, desk: Desk
) -> None:
    ticket = desk.ticket("About")
    hidden = desk.ticket("Secret", team=desk.security)
    said = desk.ticket("Other", text="order 987654")

    for text in (ticket.reference, ticket.reference.lower(), str(ticket.pk)):
        answer = anna.get("/search/", {"q": text})
        assert answer.status_code == 302
        assert answer["Location"] == f"/tickets/{ticket.reference}/"
    assert found(anna, hidden.reference) == []
    assert found(anna, "987654") == [said.reference]


def test_nobody_finds_what_they_may_not_open(anna: Client, desk: Desk) -> None:
    open_one = desk.ticket("Breach of contract")
    secret = desk.ticket("Breach of the vault", team=desk.security)

    assert found(anna, "breach") == [open_one.reference]
    assert found(anna, "team:emea") == [open_one.reference]
    assert "security" not in refused(anna, "team:nothing")
    assert "does not know" in refused(anna, "team:security")
    assert set(found(as_(desk.rui), "breach")) == {open_one.reference, secret.reference}
    assert set(found(as_(desk.helen), "breach")) == {open_one.reference, secret.reference}


def test_what_says_it_best_and_latest_stands_first(anna: Client, desk: Desk) -> None:
    aside = desk.ticket("Something else", text="and the export, by the way")
    old = desk.ticket("Export fails", text="words", created_at=desk.now - timedelta(days=900))
    Message.objects.filter(ticket=old).update(created_at=desk.now - timedelta(days=900))
    subject = desk.ticket("Export fails", text="words")

    assert (
        found(anna, "export") == [t.reference for t in (subject, old, aside)]
        or found(anna, "export")[0] == subject.reference
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("status:closed", {"closed"}),
        ("-status:closed", {"mine", "up", "steinbach"}),
        ("status:open,new", {"mine", "up", "steinbach"}),
        ("org:STM-3302", {"steinbach"}),
        ("org:stein", {"steinbach"}),
        ('org:"Norvik Logistics"', {"mine", "up", "closed"}),
        ("assignee:me", {"mine"}),
        ("assignee:none", {"up", "steinbach", "closed"}),
        ('assignee:"Anna Keller"', {"mine"}),
        ("assignee:anna@brightquay.example", {"mine"}),
        ("team:integrations", {"steinbach"}),
        ("tier:2", {"steinbach"}),
        ("priority:p1", {"mine"}),
        ("category:none", {"closed"}),
        ("category:api -tier:2", {"mine", "up"}),
        ("tag:vip", {"mine"}),
        ("escalated:yes", {"up"}),
        ("escalated:functional", {"up"}),
        ("escalated:hierarchical", set()),
        ("escalated:no status:closed", {"closed"}),
        ("promise:none tag:vip", {"mine"}),
        ("promise:open", set()),
        ("before:today", {"closed"}),
        ("after:1999-01-01 tag:vip", {"mine"}),
        ("status:new status:closed", set()),
        ("after:today before:yesterday", set()),
    ],
)
def test_operators_narrow_a_search(anna: Client, desk: Desk, text: str, wanted: set[str]) -> None:
    made = {
        "mine": desk.ticket("mine", assignee=desk.anna, impact=1, urgency=1, tags=["vip"]),
        "up": desk.ticket("up"),
        "steinbach": desk.ticket("steinbach", requester=desk.juergen, team=desk.integrations),
        "closed": desk.ticket(
            "closed",
            status="closed",
            category=None,
            created_at=desk.now - timedelta(days=3),
        ),
    }
    Ticket.objects.exclude(subject="closed").update(created_at=desk.now)
    desk.escalated(made["up"])

    names = {ticket.reference: name for name, ticket in made.items()}
    assert {names[reference] for reference in found(anna, text)} == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("statsu:open", "There is no statsu:, did you mean status:?"),
        ("asignee:me", "did you mean assignee:?"),
        ("status:opne", "status: does not know “opne”. There is: new, open, "),
        ("tier:9", "There is: 1, 2."),
        ("org:nobody-knows", "org: does not know “nobody-knows”"),
        ("team:x", "There is: emea, integrations."),
        ("escalated:perhaps", "There is: yes, no, functional, hierarchical."),
        ("before:24.11.2026", "before: takes a day such as "),
        ("after:0001-01-01", "after: takes a day such as "),
        ("after:9999-12-31", "after: takes a day such as "),
        ("status:", "status: needs a value"),
        ("re*", "at least three letters"),
        ("!!!", "no letter or digit"),
        ("x" * 10_000, "too long"),
        (" ".join(f"w{n}" for n in range(40)), "At most 20"),
    ],
)
def test_what_cannot_be_searched_for_is_explained(
    anna: Client, desk: Desk, text: str, said: str
) -> None:
    assert said in refused(anna, text)


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "' OR 1=1 --",
        "a & b | !c",
        "<->",
        "%",
        "\\",
        "😀",
        "-",
        '"',
        "-a -b",
        "x:*",
        "é" * 400,
    ],
)
def test_nothing_that_is_typed_breaks_the_page(anna: Client, desk: Desk, text: str) -> None:
    desk.ticket()
    assert anna.get("/search/", {"q": text}).status_code == 200
    assert anna.get("/search/", {"q": text, "page": "9" * 30}).status_code == 200


def test_what_was_looked_for_is_marked_and_nothing_of_a_text_becomes_markup(
    anna: Client, desk: Desk
) -> None:
    desk.ticket(
        "<b>Refund</b>",
        text="x " * 300 + "<script>alert(1)</script> the refunds<img src=x onerror=alert(2)> came",
    )

    page = html(anna.get("/search/", {"q": "refund"}))

    assert "&lt;b&gt;<mark>Refund</mark>&lt;/b&gt;" in page
    assert "<mark>refunds</mark>&lt;img src=x onerror=alert(2)&gt; came" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "… " in page
    typed = html(anna.get("/search/", {"q": '"><script>alert(3)</script>'}))
    assert "<script>alert" not in typed


def test_the_line_shown_is_of_the_message_that_says_it(anna: Client, desk: Desk) -> None:
    ticket = desk.ticket("About", text="The zebra crossing is broken")
    for number in range(5):
        Message.objects.create(
            ticket=ticket,
            kind="reply",
            channel="mail",
            user=desk.anna,
            text=f"Answer {number}",
            created_at=desk.now + timedelta(minutes=number),
        )

    assert "The zebra crossing is broken" in words(anna.get("/search/", {"q": "zebra"}))


def test_a_search_goes_on_page_by_page_and_shows_each_ticket_once(anna: Client, desk: Desk) -> None:
    made = [desk.ticket(f"Export {number}").reference for number in range(30)]

    first = anna.get("/search/", {"q": "export"})
    assert "30 tickets" in words(first)
    assert "Page 1 of 2" in words(first)
    second = anna.get("/search/?q=export&page=2")
    assert len(rows(first)) == 25
    assert sorted(rows(first) + rows(second)) == sorted(made)
    assert rows(anna.get("/search/?q=export&page=3")) == []


def test_a_search_costs_the_same_however_much_it_finds(anna: Client, desk: Desk) -> None:
    for _ in range(3):
        desk.ticket("Export")

    with CaptureQueriesContext(connection) as few:
        found(anna, "export")
    for _ in range(20):
        desk.escalated(desk.ticket("Export", assignee=desk.ben))
    with CaptureQueriesContext(connection) as many:
        found(anna, "export")

    assert len(few) == len(many) == QUERIES, "\n".join(each["sql"] for each in many)


def test_what_an_operator_says_can_be_taken_away_again(anna: Client, desk: Desk) -> None:
    desk.ticket("Export")

    page = html(anna.get("/search/", {"q": "export status:new tier:1"}))

    assert 'href="/search/?q=export+tier%3A1"' in page
    assert 'aria-label="Search without status:new"' in page


def test_days_begin_where_the_reader_is(client: Client, desk: Desk) -> None:
    ticket = desk.ticket("Night shift")
    # 23:30 in London is the next day in Berlin.
    late = timezone.now().replace(year=2026, month=1, day=14, hour=23, minute=30)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=late)

    assert found(as_(desk.anna), "night after:2026-01-15") == [ticket.reference]
    assert found(as_(desk.ben), "night after:2026-01-15") == []
