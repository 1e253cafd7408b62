"""Looking back at an escalation: a lead says whether it could have been avoided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from escalation import lifecycle, reviewing
from escalation.authority import NotAllowed, WrongState
from escalation.models import Escalation, Review
from staff.models import User
from tests.house import House, after
from tests.pages.acting import EVIL, ago, as_, has_no_markup_of, opened, press
from tests.pages.desk import html, words
from tickets.errors import Refused
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def over(house: House) -> Escalation:
    """Anna's escalation to Integrations, which Priya resolved a minute ago."""
    ticket = house.ticket(now=ago(minutes=30), assignee=house.anna)
    escalation = house.escalate(ticket, now=ago(minutes=20))
    lifecycle.accept(escalation_id=escalation.pk, now=ago(minutes=15), by=house.priya)
    return lifecycle.resolve(
        escalation_id=escalation.pk,
        outcome="The key had been revoked.",
        now=ago(minutes=1),
        by=house.priya,
    )


def review(escalation: Escalation, by: User, *, avoidable: bool = True, note: str = "") -> Review:
    return reviewing.review(
        escalation_id=escalation.pk,
        avoidable=avoidable,
        note=note or "The console says so.",
        now=timezone.now(),
        by=by,
    )


@pytest.mark.parametrize("who", ["grace", "marco", "helen", "sam"])
def test_leads_of_either_team_and_those_above_review(
    house: House, over: Escalation, who: str
) -> None:
    person: User = getattr(house, who)
    said = review(over, person)
    assert (said.avoidable, said.user) == (True, person)
    assert over.ticket.events.get(kind="escalation_reviewed").data["avoidable"] is True


@pytest.mark.parametrize("who", ["anna", "priya", "lena"])
def test_nobody_else_reviews(house: House, over: Escalation, who: str) -> None:
    with pytest.raises(NotAllowed):
        review(over, getattr(house, who))
    assert not Review.objects.exists()


def test_what_is_still_open_is_not_reviewed(house: House) -> None:
    open_one = house.escalate(house.ticket(assignee=house.anna))
    with pytest.raises(WrongState):
        reviewing.review(
            escalation_id=open_one.pk, avoidable=False, now=after(minutes=1), by=house.grace
        )


def test_avoidable_asks_how_it_could_have_been_avoided(house: House, over: Escalation) -> None:
    with pytest.raises(Refused, match="how") as refused:
        review(over, house.marco, note="  ")
    assert refused.value.field == "note"


def test_to_review_again_says_it_anew(house: House, over: Escalation) -> None:
    review(over, house.marco)
    review(over, house.grace, avoidable=False)
    said = Review.objects.get()
    assert (said.avoidable, said.user) == (False, house.grace)


def test_a_review_sets_nothing_going_on_a_ticket_that_is_over(
    house: House, over: Escalation
) -> None:
    review(over, house.marco)
    house.sweep(timezone.now() + timedelta(seconds=1))
    assert Ticket.objects.get().status == "new"
    assert not Ticket.objects.exclude(review_error="").exists()


def test_a_lead_reviews_on_the_tickets_page_and_everybody_reads_it(
    house: House, over: Escalation
) -> None:
    marco = as_(house.marco)
    address = over.ticket.get_absolute_url()
    sent = opened(marco, html(marco.get(address)), "/review/")
    press(
        marco,
        over.ticket,
        f"escalations/{over.pk}/review",
        avoidable="on",
        note="The console shows revoked keys.",
        **sent,
    )
    said = words(as_(house.anna).get(address))
    assert "Could have been avoided The console shows revoked keys. Marco Ruiz" in said
    assert "Marco Ruiz reviewed the escalation: it could have been avoided" in said


def test_an_agents_page_offers_no_review(house: House, over: Escalation) -> None:
    page = html(as_(house.anna).get(over.ticket.get_absolute_url()))
    assert "/review/" not in page


def test_what_is_refused_comes_back_at_its_field(house: House, over: Escalation) -> None:
    marco = as_(house.marco)
    answer = press(marco, over.ticket, f"escalations/{over.pk}/review", avoidable="on", note="")
    assert answer.status_code == 422
    assert f'id="escalation-{over.pk}-review-note_error"' in html(answer)


def test_a_note_is_shown_as_text(house: House, over: Escalation) -> None:
    review(over, house.marco, note=EVIL)
    page: Client = as_(house.anna)
    has_no_markup_of(page.get(over.ticket.get_absolute_url()))
