"""The lead's list: every open escalation in the column that says whose turn it is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from escalation import lifecycle, returning, updates
from escalation.models import Escalation
from escalation.models.escalation import ReturnReason
from tests.house import House, fresh, promise_of
from tests.pages.acting import ago, all_rows, as_, queries
from tests.pages.desk import Markup, Response, html, words
from tickets import triage
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

QUERIES = 14


@pytest.fixture
def grace(house: House) -> Client:
    return as_(house.grace)


def lanes(page: Response) -> dict[str, list[str]]:
    """The references in each column, in their order."""
    parts = re.split(r'<section class="lane lane-(\w+)"', html(page))
    return {
        key: re.findall(r'<span class="num">(HD-\d+)</span>', lane)
        for key, lane in zip(parts[1::2], parts[2::2], strict=True)
    }


def offered(
    house: House, subject: str = "Offered one", *, at: datetime | None = None
) -> Escalation:
    at = at or ago(minutes=2)
    ticket = house.ticket(subject, now=at - timedelta(minutes=5), assignee=house.anna)
    return house.escalate(ticket, now=at)


def accepted(
    house: House, subject: str = "Accepted one", *, at: datetime | None = None
) -> Escalation:
    escalation = offered(house, subject, at=at)
    return lifecycle.accept(escalation_id=escalation.pk, now=(at or ago(minutes=2)), by=house.priya)


def test_every_escalation_stands_where_it_is_whose_turn(house: House, grace: Client) -> None:
    expected = {"offered": offered(house), "ours": accepted(house)}
    expected["soon"] = accepted(house, "Due soon")
    updates.new_expected_time(
        ticket_id=expected["soon"].ticket_id,
        due=timezone.now() + timedelta(minutes=40),
        reason="Sooner",
        now=timezone.now(),
        by=house.grace,
    )
    expected["broken"] = accepted(house, "Broken", at=ago(days=6))
    house.sweep(timezone.now())
    expected["theirs"] = accepted(house, "On hold")
    triage.set_status(
        ticket_id=expected["theirs"].ticket_id, status="on_hold", now=timezone.now(), by=house.anna
    )
    expected["returned"] = offered(house, "Came back")
    returning.decline(
        escalation_id=expected["returned"].pk,
        reason_code=ReturnReason.WRONG_TEAM,
        reason="Ask Platform.",
        missing=(),
        now=timezone.now(),
        by=house.priya,
    )

    page = grace.get("/escalations/")

    found = lanes(page)
    for lane, escalation in expected.items():
        assert found[lane] == [f"HD-{escalation.ticket_id}"], lane
    assert "Open6" in re.sub(r"\s", "", words(page))
    assert "Promises broken1" in words(page).replace(" 1", "1")
    assert "Declined: Belongs to another team" in words(page)


def test_a_card_says_why_it_is_here_and_how_it_stands(house: House, grace: Client) -> None:
    escalation = offered(house)
    house.answer(escalation.ticket, "Any news? Our month closes.", now=ago(minutes=1))
    due = promise_of(escalation.ticket).due_at
    assert due is not None

    page = grace.get("/escalations/")

    said = words(page)
    assert "Needs expertise we do not have here: Find out why the gateway refuses it." in said
    assert "“Any news? Our month closes.”" in said
    assert "Norvik Logistics · Gold" in said
    assert re.search(r"Step 0 of \d; next: Remind the team", said)
    assert f'data-due="{due.isoformat()}"' in html(page)
    assert "Integrations" in said


def test_a_card_counts_hand_ons_and_moved_promises(house: House, grace: Client) -> None:
    escalation = accepted(house)
    lifecycle.hand_on(
        escalation_id=escalation.pk, team_id=house.platform.pk, now=timezone.now(), by=house.priya
    )
    updates.new_expected_time(
        ticket_id=escalation.ticket_id,
        due=timezone.now() + timedelta(days=3),
        reason="One more test",
        now=timezone.now(),
        by=house.anna,
    )

    said = words(grace.get("/escalations/"))

    assert "1 hop" in said
    assert "moved once" in said


def test_the_owner_is_named(house: House, grace: Client) -> None:
    accepted(house)

    assert "Priya Nair · Integrations" in words(grace.get("/escalations/"))


def test_what_has_ended_is_gone(house: House, grace: Client) -> None:
    escalation = accepted(house)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Done.", now=timezone.now(), by=house.priya
    )

    assert not any(lanes(grace.get("/escalations/")).values())
    assert not fresh(escalation).is_open


def test_a_team_narrows_it_to_what_is_theirs_or_with_them(house: House, grace: Client) -> None:
    here = offered(house)
    elsewhere = house.escalate(
        house.ticket("Other", now=ago(minutes=9)), team=house.platform, now=ago(minutes=2)
    )

    narrowed = lanes(grace.get(f"/escalations/?team={house.platform.pk}"))["offered"]

    assert narrowed == [f"HD-{elsewhere.ticket_id}"]
    both = lanes(grace.get(f"/escalations/?team={house.emea.pk}"))["offered"]
    assert set(both) == {f"HD-{here.ticket_id}", f"HD-{elsewhere.ticket_id}"}, "both are EMEA's"
    for odd in ("", "x", "0", "-1", "²", "9" * 30, "1'--", "%00"):
        assert grace.get(f"/escalations/?team={odd}").status_code == 200
        assert grace.get(f"/escalations/?after={odd}").status_code == 200


def test_private_teams_keep_theirs_to_themselves(house: House) -> None:
    secret = house.team("secret", "Secret matters", 1, is_private=True)
    rui = house.person("Rui Costa", secret)
    escalation = offered(house)
    Ticket.objects.filter(pk=escalation.ticket_id).update(team=secret)

    # Grace, to whose team it is offered, sees it; Marco, who leads another, does not.
    marco = as_(house.marco)
    page = marco.get("/escalations/")

    assert not any(lanes(page).values())
    assert "Open0" in re.sub(r"\s", "", words(page))
    assert "Secret matters" not in html(page)
    assert not any(lanes(marco.get(f"/escalations/?team={secret.pk}")).values())
    for user in (rui, house.grace, house.helen, house.sam):
        assert lanes(as_(user).get("/escalations/"))["offered"] == [f"HD-{escalation.ticket_id}"]


def test_long_boards_go_on_without_repeating_or_losing_a_card(house: House, grace: Client) -> None:
    made = [offered(house, f"ticket {number}") for number in range(65)]

    first = grace.get("/escalations/")
    onward = re.search(r'href="(\?after=\d+)"', html(first))
    assert onward is not None
    second = grace.get(f"/escalations/{onward[1]}")

    assert len(html(first)) < 60 * 2_500, "forms come when they are asked for"
    cards = [lanes(page)["offered"] for page in (first, second)]
    assert [len(page) for page in cards] == [60, 5]
    assert {ref for page in cards for ref in page} == {f"HD-{e.ticket_id}" for e in made}


def test_the_page_costs_the_same_however_many_escalations_are_open(
    house: House, grace: Client
) -> None:
    offered(house)
    accepted(house)
    house.sweep(timezone.now())
    few = queries(grace, "/escalations/")
    for number in range(12):
        offered(house, f"offered {number}")
        accepted(house, f"accepted {number}")
    house.sweep(timezone.now())

    many = queries(grace, "/escalations/")

    assert len(many) <= len(few) <= QUERIES, "\n".join(many)


def test_the_keys_of_the_list_find_their_places(house: House, grace: Client) -> None:
    offered(house)

    page = Markup(html(grace.get("/escalations/")))

    assert [tag for tag, c in page.elements if "data-row" in c] == ["a"]
    assert [tag for tag, c in page.elements if "data-list" in c] == ["div"]


def test_the_page_is_only_read_and_only_by_who_signed_in(
    house: House, client: Client, grace: Client
) -> None:
    offered(house)
    before = all_rows()

    grace.get("/escalations/")

    assert all_rows() == before
    assert grace.post("/escalations/").status_code == 405
    assert client.get("/escalations/").headers["Location"].startswith("/accounts/login/")
