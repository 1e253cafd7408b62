"""Triage: which tickets a list shows to whom, in what order, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from staff.models import Team
from tests.pages.acting import as_, queries
from tests.pages.desk import Desk, html, rows, words
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

#: Session, reader, the rail's offers, the list (two), its last words (two), hand-offs, counts,
#: the filters' menus (four), the reader's teams (two).
QUERIES = 10
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def anna(client: Client, desk: Desk) -> Client:
    client.force_login(desk.anna, "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_row_says_who_asks_what_they_said_last_and_when_a_reply_is_due(
    anna: Client, desk: Desk
) -> None:
    ticket = desk.ticket(due=12 * MINUTE, impact=1, urgency=1, assignee=desk.ben, tags=["invoices"])

    said = words(anna.get("/desk/"))

    assert f"{ticket.reference} · Norvik Logistics · Gold" in said
    assert "POST /v2/invoices returns 502 Tier 1 Still failing for all tenants P1" in said
    assert "Reply 11 min" in said or "Reply 12 min" in said
    assert "invoices" in said


def test_a_row_says_where_a_ticket_was_escalated_to(anna: Client, desk: Desk) -> None:
    desk.escalated(desk.ticket("Offered one"))
    desk.escalated(desk.ticket("Accepted one"), accepted=True)

    said = words(anna.get("/desk/?view=escalated"))

    assert "Offered one Offered to Tier 2" in said
    assert "Accepted one With Tier 2" in said


def test_what_is_due_first_stands_first_and_what_has_no_due_time_last(
    anna: Client, desk: Desk
) -> None:
    never = desk.ticket("never")
    later = desk.ticket("later", due=60 * MINUTE)
    late = desk.ticket("late", due=-5 * MINUTE)
    soon = desk.ticket("soon", due=5 * MINUTE)

    assert rows(anna.get("/desk/")) == [t.reference for t in (late, soon, later, never)]


def test_every_view_holds_what_it_says_and_counts_it(anna: Client, desk: Desk) -> None:
    expected = {
        "needs_reply": desk.ticket("Waits for us", assignee=desk.ben),
        "mine": desk.ticket("Mine", assignee=desk.anna, waiting_since=None),
        "unassigned": desk.ticket("Nobody's", waiting_since=None),
        "waiting": desk.ticket(
            "Waits for them",
            status="waiting_on_customer",
            waiting_since=None,
            assignee=desk.ben,
        ),
        "on_hold": desk.ticket("Vendor", status="on_hold", waiting_since=None, assignee=desk.ben),
    }
    held = desk.ticket("Up", waiting_since=None, assignee=desk.ben)
    desk.escalated(held)
    desk.ticket("Done", status="resolved", waiting_since=None)

    for view, ticket in {**expected, "escalated": held}.items():
        page = anna.get("/desk/", {"view": view})
        assert rows(page) == [ticket.reference], view
        assert f'<span class="num" data-count="view-{view}">1</span>' in html(page)
    everything = anna.get("/desk/?view=all_open")
    assert len(rows(everything)) == 6
    assert '<span class="num" data-count="view-all_open">6</span>' in html(everything)


@pytest.mark.parametrize(
    "query",
    [
        "priority=1",
        "org=STM-3302",
        "plan=silver",
        "tag=export",
        "q=stuck",
        "q=steinbach",
        "category=exports",
        "assignee={ben}",
        "team={integrations}",
        "q={reference}",
    ],
)
def test_the_address_filters_a_list(anna: Client, desk: Desk, query: str) -> None:
    from tickets.models import Category

    wanted = desk.ticket(
        "Export job stuck",
        requester=desk.juergen,
        impact=1,
        urgency=1,
        tags=["export"],
        assignee=desk.ben,
        team=desk.integrations,
        category=Category.objects.create(slug="exports", name="Exports"),
    )
    desk.ticket("Something else", assignee=desk.anna)
    asked = query.format(
        ben=desk.ben.pk, integrations=desk.integrations.pk, reference=wanted.reference
    )

    page = anna.get(f"/desk/?view=all_open&{asked}")

    assert rows(page) == [wanted.reference]
    assert '<span class="num" data-count="view-all_open">1</span>' in html(page)


def test_filters_that_are_set_are_named_and_can_be_taken_away_one_by_one(
    anna: Client, desk: Desk
) -> None:
    desk.ticket()

    page = html(anna.get("/desk/?view=all_open&priority=3&org=NOR-4471"))

    assert "Remove the filter P3" in page
    assert 'href="/desk/?view=all_open&amp;org=NOR-4471"' in page
    assert 'href="/desk/?view=all_open&amp;priority=3"' in page


HOSTILE = [
    "view=nonsense",
    "view=",
    "view[]=mine",
    "team=-1",
    "team=99999999999999999999999",
    "team=9223372036854775808",
    "team=1;drop table tickets_ticket",
    "team=%F0%9F%92%A9",
    "team=²",
    "assignee=me'--",
    "priority=0",
    "priority=5",
    "priority=1e3",
    "org=%00",
    "org=" + "x" * 5000,
    "plan=../../etc",
    "category=%27%20OR%201=1--",
    "tag=%7B%22a%22%7D",
    "tag=%00",
    "q=%25%25%25",
    "q=%00",
    "q=" + "a" * 10_000,
    "q=%F0%9F%92%A9%E2%80%AE",
    "q=\\",
    "after=",
    "after=.",
    "after=99999999999999999.1",
    "after=1.999999999999999999999",
    "after=-1.1",
    "after=٣.٣",
    "after=%00",
    "ticket=HD-0",
    "ticket=<script>",
    "sort=password",
    "assignee__password__startswith=a",
    "view=mine&view=all_open",
    "%",
    "&&&===",
    "team=&assignee=&q=",
    "q=%ff%fe",
]


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_no_address_breaks_the_page(
    anna: Client, desk: Desk, query: str, headers: dict[str, str]
) -> None:
    desk.ticket()

    assert anna.get(f"/desk/?{query}", headers=headers).status_code == 200
    assert anna.get(f"/desk/versions?page=triage&{query}").status_code == 200
    assert anna.get(f"/desk/versions?ticket={query}").status_code == 200


def test_what_cannot_be_read_in_an_address_is_said(anna: Client, desk: Desk) -> None:
    desk.ticket()

    page = anna.get("/desk/?team=abc&priority=3")

    assert "could not be read and was left out: team" in words(page)
    assert len(rows(page)) == 1


def test_pages_follow_each_other_without_repeating_or_losing_a_ticket(
    anna: Client, desk: Desk
) -> None:
    made = [desk.ticket(f"due {i}", due=(i // 3) * MINUTE) for i in range(70)]
    made += [desk.ticket(f"never {i}") for i in range(45)]

    seen, address = [], "/desk/"
    for _page in range(4):
        page = anna.get(address)
        seen.append(rows(page))
        if "list-more" not in html(page):
            break
        address = page.context["more"]

    assert [len(page) for page in seen] == [50, 50, 15]
    assert [reference for page in seen for reference in page] == [t.reference for t in made]


def test_a_ticket_that_leaves_the_list_meanwhile_takes_no_other_with_it(
    anna: Client, desk: Desk
) -> None:
    made = [desk.ticket(f"due {i}", due=i * MINUTE) for i in range(60)]
    first = anna.get("/desk/")
    Ticket.objects.filter(pk__in=[t.pk for t in made[:20]]).update(waiting_since=None)

    second = anna.get(first.context["more"])

    assert rows(second) == [t.reference for t in made[50:]]


def test_htmx_gets_the_rows_alone(anna: Client, desk: Desk) -> None:
    ticket = desk.ticket()

    fragment = anna.get("/desk/", headers={"HX-Request": "true"})

    assert rows(fragment) == [ticket.reference]
    assert "<html" not in html(fragment)
    assert "HX-Request" in fragment.headers["Vary"]


def test_the_page_costs_the_same_however_many_tickets_it_shows(anna: Client, desk: Desk) -> None:
    desk.escalated(desk.ticket(due=5 * MINUTE))
    few = queries(anna, "/desk/?view=all_open")
    for number in range(60):
        desk.ticket(f"ticket {number}", due=number * MINUTE, assignee=desk.ben, tags=["a"])
    many = queries(anna, "/desk/?view=all_open")

    assert len(many) <= len(few) <= QUERIES, "\n".join(many)


def test_the_poll_costs_little(anna: Client, desk: Desk) -> None:
    for number in range(60):
        desk.ticket(f"ticket {number}", due=number * MINUTE)

    assert len(queries(anna, "/desk/versions?page=triage&view=all_open")) <= 7


def test_tickets_of_a_private_team_show_only_to_its_people_and_who_reads_all(
    anna: Client, desk: Desk
) -> None:
    secret = desk.ticket("A leak", text="the secret words", team=desk.security)

    for address in ("/desk/", "/desk/?view=all_open", f"/desk/?team={desk.security.pk}"):
        page = anna.get(address)
        assert rows(page) == []
        assert "secret words" not in html(page)
        assert "Secret matters" not in html(page)
    poll = anna.get(f"/desk/versions?ticket={secret.reference}").json()
    assert poll["rows"] == {}
    assert anna.get("/desk/versions?page=triage").json()["counts"]["view-all_open"] == "0"
    for user in (desk.rui, desk.helen, desk.sam):
        assert rows(as_(user).get("/desk/")) == [secret.reference]


def test_the_poll_answers_304_until_something_happens(anna: Client, desk: Desk) -> None:
    ticket = desk.ticket()
    first = anna.get("/desk/versions?page=triage")
    known = {"If-None-Match": first.headers["ETag"]}

    assert anna.get("/desk/versions?page=triage", headers=known).status_code == 304
    desk.happens(ticket)
    news = anna.get("/desk/versions?page=triage", headers=known)

    assert news.status_code == 200
    assert news.json()["rows"][str(ticket.pk)] != first.json()["rows"][str(ticket.pk)]


def test_the_poll_and_the_row_agree_on_a_tickets_mark(anna: Client, desk: Desk) -> None:
    ticket = desk.ticket()

    mark = anna.get("/desk/versions?page=triage").json()["rows"][str(ticket.pk)]

    assert f'data-mark="{mark}"' in html(anna.get("/desk/"))


def test_nobody_reads_without_signing_in(client: Client, desk: Desk) -> None:
    desk.ticket()

    page = client.get("/desk/?view=mine")

    assert page.status_code == 302
    assert page.headers["Location"].startswith("/accounts/login/?next=")
    assert client.get("/desk/versions").status_code == 401


def test_the_page_is_only_read(anna: Client, desk: Desk) -> None:
    assert anna.post("/desk/").status_code == 405
    assert anna.post("/desk/versions").status_code == 405


def test_what_people_wrote_stays_text(anna: Client, desk: Desk) -> None:
    evil = "<img src=x onerror=alert(1)>"
    desk.norvik.name = evil
    desk.norvik.save()
    Team.objects.filter(pk=desk.emea.pk).update(name=evil)
    ticket = desk.ticket(evil, text=evil, tags=[evil])
    Message.objects.filter(ticket=ticket).update(text=evil)

    page = html(anna.get("/desk/", {"q": evil[:5], "tag": evil, "view": "all_open"}))

    assert "<img" not in page
    assert page.count("&lt;img src=x onerror") >= 4


def test_an_empty_view_says_so(anna: Client, desk: Desk) -> None:
    assert "Nothing here" in words(anna.get("/desk/"))
    assert "Nothing under these filters" in words(anna.get("/desk/?priority=1"))
