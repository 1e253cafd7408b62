"""The procedure where the work is: each escalation keeps its version, its checklist is that version's,
and a policy may ask for a completion before somebody escalates or accepts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation import checklist, endings, gate, lifecycle, missed, withdrawing
from escalation.models import Escalation, TrainingOverride
from escalation.models.escalation import State
from staff import editions
from tests.api.programs import Program
from tests.house import START, House, after
from tests.pages.acting import as_
from tests.training.test_learning import attempt, published
from tickets.gathering import gathered
from tickets.models import Event, Ticket

pytestmark = pytest.mark.django_db

REQUIRED = {"procedure": "ticket-escalation", "required_to": ["escalate", "accept"]}


@pytest.fixture
def house() -> House:
    return House()


def items_of(escalation: Escalation, language: str) -> list[str]:
    ticket = Ticket.objects.get(pk=escalation.ticket_id)
    lists = checklist.checklists_of(
        escalations=[escalation],
        ticket=ticket,
        gathered=gathered(ticket),
        edition=editions.current(),
        language=language,
    )
    return [item.label for item in lists[escalation.pk]]


def test_an_escalation_keeps_the_version_in_force_whatever_comes_after_it(house: House) -> None:
    first = published()
    early = house.escalate(house.ticket(assignee=house.anna), now=after(hours=1))
    later = published(now=after(hours=2), effective="2026-11-27")
    between = house.escalate(house.ticket(assignee=house.anna), now=after(hours=3))
    last = house.escalate(house.ticket(assignee=house.anna), now=after(days=4))
    assert [each.procedure_version_id for each in (early, between, last)] == [
        first.pk,
        first.pk,
        later.pk,
    ]


def test_its_checklist_is_its_versions_in_the_readers_language(house: House) -> None:
    published()
    escalation = house.escalate(house.ticket(assignee=house.anna))
    assert items_of(escalation, "en")[2] == "Determine the department or person with the expertise."
    assert len(items_of(escalation, "de")) == 8
    assert items_of(escalation, "de") != items_of(escalation, "en")


def test_who_has_not_completed_it_neither_escalates_nor_accepts_unless_they_say_why(
    house: House,
) -> None:
    version = published()
    house.publish(training=REQUIRED)
    ticket = house.ticket(assignee=house.anna)
    page = as_(house.anna)
    sent = {
        "kind": "functional",
        "team": house.integrations.pk,
        "nature": "expertise",
        "urgency": "2",
        "ask": "Find out why.",
    }
    refused = page.post(f"{ticket.get_absolute_url()}escalate/", sent)
    assert refused.status_code == 422
    said = refused.content.decode()
    assert "Please complete version 1 of the procedure first" in said
    assert 'href="/training/ticket-escalation/"' in said
    assert not Escalation.objects.exists()

    passed = page.post(
        f"{ticket.get_absolute_url()}escalate/", {**sent, "training_override": "P1, at night"}
    )
    assert passed.status_code == 302
    escalation = Escalation.objects.get()
    kept = Event.objects.get(kind="training_overridden")
    assert kept.user == house.anna
    assert kept.data == {
        "act": "escalate",
        "procedure": "ticket-escalation",
        "version": 1,
        "who": house.anna.pk,
        "override": TrainingOverride.objects.get(reason="P1, at night").pk,
    }
    assert "P1, at night" in page.get(ticket.get_absolute_url()).content.decode()

    with pytest.raises(gate.CompletionNeeded):
        lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=5), by=house.priya)
    assert attempt(house.priya, version, right=True, now=after(minutes=10)).passed
    accepted = lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=15), by=house.priya)
    assert accepted.state == State.ACCEPTED
    assert Event.objects.filter(kind="training_overridden").count() == 1


def test_nobody_is_given_what_they_could_not_accept_unless_it_is_said_why(house: House) -> None:
    version = published()
    escalation = house.escalate(house.ticket(assignee=house.anna))
    assert attempt(house.priya, version, right=True, now=after(minutes=1)).passed
    house.publish(training=REQUIRED)
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=5), by=house.priya)
    lead = house.integrations.leads.get()
    page = as_(lead)
    address = f"{escalation.ticket.get_absolute_url()}escalations/{escalation.pk}/reassign/"
    refused = page.post(address, {"owner": house.mei.pk})
    assert refused.status_code == 422
    assert "has not completed version 1 of the procedure" in refused.content.decode()
    page.post(address, {"owner": house.mei.pk, "training_override": "Priya is ill."})
    escalation.refresh_from_db()
    assert escalation.owner == house.mei
    assert TrainingOverride.objects.get().reason == "Priya is ill."


def test_a_rule_escalates_whoever_has_completed_what(house: House) -> None:
    published()
    house.publish(training=REQUIRED)
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.run(since=START, until=after(minutes=20), every=timedelta(minutes=5))
    assert Escalation.objects.get(ticket=ticket).rule_key
    assert not Event.objects.filter(kind="training_overridden").exists()


def test_the_api_names_the_field_and_takes_the_reason(house: House) -> None:
    published()
    house.publish(training=REQUIRED)
    ticket = house.ticket(assignee=house.anna)
    program = Program(house.anna)
    address = f"/tickets/{ticket.reference}/escalations/"
    sent = {"kind": "functional", "ask": "Find out why."}
    refused = program.post(address, sent)
    assert refused.status == 422
    assert refused.body["errors"][0]["field"] == "training_override"
    passed = program.post(address, {**sent, "training_override": "At night."})
    assert passed.status == 201


def test_a_lead_sees_what_is_missed_most_in_what_is_over(house: House) -> None:
    version = published()
    costs = set()
    for number in range(4):
        ticket = house.ticket(assignee=house.anna, now=START)
        escalation = house.escalate(ticket, now=after(minutes=1))
        if number:
            checklist.tick(
                escalation_id=escalation.pk,
                item="update",
                ticked=True,
                now=after(minutes=2),
                by=house.anna,
            )
        lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=3), by=house.priya)
        lifecycle.resolve(
            escalation_id=escalation.pk, outcome="Done.", now=after(minutes=4), by=house.priya
        )
        endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=after(minutes=5), by=house.anna)
        endings.close(ticket_id=ticket.pk, now=after(minutes=6), by=house.anna)
        with CaptureQueriesContext(connection) as asked:
            missed.most_missed(version=version, user=house.helen, now=after(days=1))
        # The first reads the procedure, which is kept.
        costs |= {len(asked)} if number else set()
    assert len(costs) == 1, "however many there are"
    taken_back = house.ticket(assignee=house.anna)
    withdrawing.withdraw(
        escalation_id=house.escalate(taken_back).pk,
        reason="It works again.",
        now=after(minutes=2),
        by=house.anna,
    )
    endings.resolve(ticket_id=taken_back.pk, outcome="Done.", now=after(minutes=5), by=house.anna)
    endings.close(ticket_id=taken_back.pk, now=after(minutes=6), by=house.anna)
    open_one = house.escalate(house.ticket(assignee=house.anna), now=after(hours=1))
    assert open_one.is_open
    found = {
        each.key: each
        for each in missed.most_missed(version=version, user=house.helen, now=after(days=1))
    }
    assert (found["update"].missed, found["update"].of) == (1, 4)
    assert (found["notify"].missed, found["notify"].percent) == (4, 100)
    assert found["remind"].step == "follow-up"
    later = missed.most_missed(version=version, user=house.helen, now=after(days=100))
    assert {each.of for each in later} == {0}
