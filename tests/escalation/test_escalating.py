"""Escalating: what the gate asks for, what travels along, what the customer reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from escalation import endings
from escalation.authority import WrongState
from escalation.gate import GateClosed
from escalation.models import Escalation
from escalation.models.clock import ClockKind
from escalation.models.escalation import Kind, Nature, State, Trigger
from notifications.models import OutgoingEmail
from staff.models import Team
from tests.house import (
    START,
    House,
    after,
    clock_of,
    fresh,
    handoff_of,
    letter,
    letters_of,
    promise_of,
)
from tickets import gathering, timeline, triage
from tickets.errors import Refused
from tickets.models import Detail, RequiredDetail, Ticket
from tickets.models.ticket import Status


def without_key(house: House, **options: Any) -> Ticket:
    """A ticket whose one required detail, the API key's ID, is missing."""
    return house.ticket(text="Every call fails since this morning.", assignee=house.anna, **options)


# The gate


def test_the_gate_names_the_missing_details_and_where_to_say_why_it_goes_without(
    house: House,
) -> None:
    ticket = without_key(house)
    with pytest.raises(GateClosed) as refused:
        house.escalate(ticket)
    assert "API key ID" in str(refused.value)
    assert refused.value.field == "override_reason"
    assert not ticket.escalations.exists()
    assert letters_of(ticket) == []


@pytest.mark.parametrize("said", ["", "  \n "])
def test_the_gate_asks_for_a_note_even_where_every_detail_is_there(house: House, said: str) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(GateClosed) as refused:
        house.escalate(ticket, tried=said, ask=said, reason=said)
    assert refused.value.field == "ask"


def test_an_override_passes_the_gate_and_its_reason_is_kept(house: House) -> None:
    ticket = without_key(house)
    escalation = house.escalate(ticket, override_reason="The customer cannot be reached.")
    kept = fresh(escalation)
    assert kept.override_reason == "The customer cannot be reached."
    assert kept.incomplete
    assert kept.missing == ["key-id"]


def test_a_blank_override_is_none(house: House) -> None:
    with pytest.raises(GateClosed):
        house.escalate(without_key(house), override_reason="  ")


def test_escalate_and_ask_asks_in_the_same_letter_and_remembers_that_it_did(house: House) -> None:
    ticket = without_key(house)
    escalation = house.escalate(ticket, ask_customer=True)
    assert letters_of(ticket) == ["escalated"]
    assert "Please send: API key ID." in letter(ticket, "escalated").text
    asked = Detail.objects.get(ticket=ticket, key="key-id")
    assert (asked.value, asked.asked_at) == ("", START)
    assert gathering.gathered(ticket).asked == {"key-id"}
    assert fresh(escalation).incomplete


def test_the_answer_to_what_was_asked_completes_the_ticket(house: House) -> None:
    ticket = without_key(house)
    house.escalate(ticket, ask_customer=True)
    house.answer(ticket, "Here it is: key_77aa01", now=after(hours=1))
    gathered = gathering.gathered(ticket)
    assert gathered.present["key-id"].value == "key_77aa01"
    assert (gathered.percent, gathered.asked) == (100, frozenset())


def test_a_hierarchical_escalation_passes_the_gate_marked_incomplete(house: House) -> None:
    escalation = house.escalate(
        without_key(house),
        team=house.emea,
        kind=Kind.HIERARCHICAL,
        nature=Nature.AUTHORITY,
        tried="",
        ask="",
    )
    assert fresh(escalation).incomplete
    assert handoff_of(escalation).package["missing"] == [
        {"key": "key-id", "label": "API key ID", "asked": False}
    ]


# One of each kind


def test_a_ticket_has_one_open_escalation_of_a_kind(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    with pytest.raises(WrongState, match="already escalated to Integrations"):
        house.escalate(ticket, team=house.platform, now=after(minutes=1))
    assert ticket.escalations.count() == 1


def test_a_hierarchical_escalation_stands_beside_a_functional_one(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    above = house.escalate(ticket, team=house.emea, kind=Kind.HIERARCHICAL, nature=Nature.AUTHORITY)
    assert set(ticket.escalations.values_list("kind", "state")) == {
        ("functional", "offered"),
        ("hierarchical", "offered"),
    }
    assert handoff_of(above).to_user == house.marco, "a hierarchical one goes to a person"


def test_the_database_itself_refuses_a_second_open_escalation(house: House) -> None:
    escalation = house.escalate(house.ticket(assignee=house.anna))
    escalation.pk, escalation.number = None, 2
    with pytest.raises(IntegrityError, match="escalation_open_once_per_kind"), transaction.atomic():
        escalation.save(force_insert=True)


def test_a_ticket_that_is_over_is_not_escalated(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(minutes=5), by=house.anna)
    with pytest.raises(Refused, match="reopen it first"):
        house.escalate(ticket, now=after(minutes=6))


# The package


def test_the_package_carries_everything_the_receiving_team_needs(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    question = ticket.messages.get()
    package = handoff_of(house.escalate(ticket)).package
    assert package["customer"] == {
        "organization": "Norvik Logistics",
        "customer_id": "NOR-4471",
        "plan": "Gold",
        "contact": "Dana Reyes",
        "zone": "Europe/Oslo",
        "language": "en",
    }
    assert package["ticket"]["priority"] == 3
    assert package["nature"] == "expertise"
    assert package["urgency"] == 1
    assert package["tried"] == "Repeated the call: 502 from the gateway."
    assert package["ask"] == "Find out why the gateway refuses it."
    assert package["completeness"] == 100
    assert package["messages"] == [question.pk]
    assert package["details"] == [
        {
            "key": "key-id",
            "label": "API key ID",
            "value": "key_4f2a91",
            "sentence": "Every call fails since 09:10. Our key is key_4f2a91.",
            "message": question.pk,
        }
    ]


def test_later_changes_do_not_alter_the_package(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    handoff = handoff_of(house.escalate(ticket))
    before = handoff.package
    gathering.set_detail(
        ticket_id=ticket.pk, key="key-id", value="key_other", now=after(hours=1), by=house.anna
    )
    triage.assess(
        ticket_id=ticket.pk,
        impact=1,
        urgency=1,
        complexity="simple",
        category_id=None,
        now=after(hours=1),
        by=house.anna,
    )
    house.answer(ticket, "It is worse now, nothing works.", now=after(hours=2))
    RequiredDetail.objects.update(label="Renamed")
    house.dana.name = "Somebody Else"
    house.dana.save()
    house.sweep(after(hours=2))
    handoff.refresh_from_db()
    assert handoff.package == before


# The letter, and the promise


def test_the_letter_names_tier_team_and_the_time_in_the_contacts_zone(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    sent = letter(ticket, "escalated")
    assert (
        sent.subject
        == f"[{ticket.reference}] With Tier 2: reply expected by Wed 25 Nov, 10:00 (Oslo, UTC+1)"
    )
    assert "Dana, your ticket" in sent.text
    assert "escalated to Tier 2, Integrations; expect a reply by Wed 25 Nov, 10:00" in sent.text
    assert "Nothing is needed from you." in sent.text
    assert "Anna Keller stays your contact" in sent.text


def test_the_letter_is_in_the_contacts_language(house: House) -> None:
    ticket = house.ticket(
        "API 502", text="Der Schlüssel ist key_9999.", by=house.juergen, assignee=house.anna
    )
    house.escalate(ticket)
    sent = letter(ticket, "escalated")
    assert "Jetzt bei Tier 2: Antwort bis Mi 25. Nov., 10:00 (Berlin, UTC+1)" in sent.subject
    assert "Guten Tag Jürgen, Ihr Ticket" in sent.text
    assert "Von Ihnen brauchen wir nichts." in sent.text


def test_what_is_asked_for_is_named_in_the_contacts_language(house: House) -> None:
    ticket = house.ticket("API 502", text="Geht nicht.", by=house.juergen, assignee=house.anna)
    house.escalate(ticket, ask_customer=True)
    assert "Bitte senden Sie uns: API-Schlüssel-ID." in letter(ticket, "escalated").text


def test_the_promise_is_the_time_the_letter_tells(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket, now=after(minutes=7))
    promise = promise_of(ticket)
    assert promise.due_at == datetime(2026, 11, 25, 9, 15, tzinfo=UTC), "24 h, rounded up"
    assert promise.escalation == escalation
    email = OutgoingEmail.objects.get(about=ticket.about, kind="escalated")
    assert promise.email == email
    assert email.variables["due"] == {"moment": promise.due_at.isoformat()}


def test_a_person_can_promise_another_time_that_lies_ahead(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(Refused) as refused:
        house.escalate(ticket, promised=START)
    assert refused.value.field == "promised"
    house.escalate(ticket, promised=after(hours=3))
    assert promise_of(ticket).due_at == after(hours=3)
    assert "12:00" not in letter(ticket, "escalated").subject
    assert "13:00 (Oslo" in letter(ticket, "escalated").subject


def test_authority_is_asked_for_without_a_word_to_a_customer_who_did_not_ask(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket, team=house.emea, kind=Kind.HIERARCHICAL, nature=Nature.AUTHORITY)
    assert letters_of(ticket) == []
    assert not ticket.promises.exists()


def test_a_customer_who_asked_for_authority_hears_of_it(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(
        ticket,
        team=house.emea,
        kind=Kind.HIERARCHICAL,
        trigger=Trigger.CUSTOMER,
        nature=Nature.ASKED,
    )
    assert letters_of(ticket) == ["escalated"]


def test_a_persons_letter_waits_ten_seconds_and_a_rules_does_not(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    email = OutgoingEmail.objects.get(about=ticket.about, kind="escalated")
    assert email.not_before == email.next_attempt_at == START + timedelta(seconds=10)
    urgent = house.ticket(impact=1, urgency=1)
    house.sweep(after(minutes=15))
    assert urgent.escalations.get().trigger == Trigger.RULE
    email = OutgoingEmail.objects.get(about=urgent.about, kind="escalated")
    assert email.not_before is None


def test_escalating_starts_the_acceptance_clock_on_the_receiving_teams_calendar(
    house: House,
) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    friday = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
    ticket = house.ticket(now=friday, assignee=house.anna)
    escalation = house.escalate(ticket, now=friday)
    clock = clock_of(ticket, ClockKind.ACCEPTANCE)
    assert clock.due_at == datetime(2026, 11, 30, 8, 0, tzinfo=UTC), "1 h on Friday, 1 on Monday"
    assert handoff_of(escalation).accept_by == clock.due_at


# Held


def test_a_held_ticket_is_neither_resolved_nor_closed_at_any_door(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.escalate(ticket)
    ticket.refresh_from_db()
    assert ticket.held
    with pytest.raises(Refused, match="escalation"):
        endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=after(hours=1), by=house.anna)
    with pytest.raises(Refused):
        endings.close(ticket_id=ticket.pk, now=after(hours=1), by=house.anna)
    with pytest.raises(Refused) as refused:
        triage.set_status(ticket_id=ticket.pk, status="resolved", now=after(hours=1), by=house.anna)
    assert refused.value.field == "status"
    for status in (Status.RESOLVED, Status.CLOSED):
        with (
            pytest.raises(IntegrityError, match="ticket_held_is_not_ended"),
            transaction.atomic(),
        ):
            Ticket.objects.filter(pk=ticket.pk).update(status=status)
    assert fresh(ticket.escalations.get()).state == State.OFFERED


def test_a_customer_who_asked_for_a_lead_reads_that_a_lead_has_it(house: House) -> None:
    ticket = house.ticket(by=house.juergen, assignee=house.anna)
    Ticket.objects.filter(pk=ticket.pk).update(asked_to_escalate_at=after(minutes=1))
    timeline.record(ticket=ticket, kind="escalation_asked", now=after(minutes=1))

    house.sweep(after(minutes=1))

    escalation = Escalation.objects.get(ticket=ticket)
    assert (escalation.kind, escalation.trigger) == (Kind.HIERARCHICAL, Trigger.CUSTOMER)
    assert handoff_of(escalation).to_user == house.marco
    assert "liegt jetzt bei der Teamleitung, Frontline EMEA" in letter(ticket, "escalated").text
    house.sweep(after(hours=20))
    assert Escalation.objects.filter(ticket=ticket).count() == 1, "once a day"
