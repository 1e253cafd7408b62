"""A ticket ends: resolved with a word to the customer, closed after a quiet time, or reopened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import checklist, endings, lifecycle, updates
from escalation.models import Escalation
from notifications.models import MailState, OutgoingEmail
from staff import editions
from tests.house import START, House, after, letter, letters_of, told
from tickets import conversation, gathering
from tickets.errors import Refused
from tickets.models import Event, Message, Ticket
from tickets.models.ticket import Status

DAY = timedelta(days=1)


@pytest.fixture
def resolved(house: House) -> Ticket:
    """Anna resolves it after two hours."""
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    endings.resolve(
        ticket_id=ticket.pk,
        outcome="the gateway was replaced",
        cause="a worn-out gateway",
        now=after(hours=2),
        by=house.anna,
    )
    house.sweep(after(hours=2))
    return Ticket.objects.get(pk=ticket.pk)


# Resolve


def test_resolving_asks_the_customer_to_check(resolved: Ticket) -> None:
    assert (resolved.status, resolved.resolved_at) == (Status.RESOLVED, after(hours=2))
    assert (resolved.outcome, resolved.cause) == ("the gateway was replaced", "a worn-out gateway")
    sent = letter(resolved, "resolved")
    assert sent.subject == f"[{resolved.reference}] Resolved: please check"
    assert f"we believe {resolved.reference} is resolved: the gateway was replaced." in sent.text
    assert "The cause was a worn-out gateway." in sent.text
    assert "reply by Tue 8 Dec, 12:00 (Oslo, UTC+1)" in sent.text, "14 days on the wall"


def test_an_outcome_is_required(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(Refused) as refused:
        endings.resolve(ticket_id=ticket.pk, outcome="  ", now=after(hours=1), by=house.anna)
    assert refused.value.field == "outcome"
    assert letters_of(ticket) == []


def test_what_is_over_is_not_resolved_again(house: House, resolved: Ticket) -> None:
    with pytest.raises(Refused, match="over already"):
        endings.resolve(ticket_id=resolved.pk, outcome="x", now=after(hours=3), by=house.anna)
    assert letters_of(resolved).count("resolved") == 1


def test_reminders_not_yet_sent_are_taken_back(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    house.sweep(after(hours=3))
    mail = OutgoingEmail.objects.get(to_address=house.anna.email, kind="staff_clock_warned")
    assert mail.state == MailState.QUEUED
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=3), by=house.anna)
    mail.refresh_from_db()
    assert mail.state == MailState.WITHDRAWN
    assert "resolved" in letters_of(ticket)


# Close


def test_it_closes_by_itself_after_the_quiet_time_and_says_so(
    house: House, resolved: Ticket
) -> None:
    end = after(hours=2) + 14 * DAY
    assert resolved.review_at == end
    house.sweep(end - timedelta(seconds=1))
    assert "closed" not in letters_of(resolved)
    house.sweep(end)
    house.sweep(end + DAY)
    resolved.refresh_from_db()
    assert (resolved.status, resolved.closed_at) == (Status.CLOSED, end)
    assert letters_of(resolved).count("closed") == 1
    sent = letter(resolved, "closed")
    assert sent.subject == f"[{resolved.reference}] Closed"
    assert "the gateway was replaced" in sent.text
    assert "we open a new ticket linked to this one" in sent.text


def test_it_never_closes_while_a_reply_would_still_reopen_it(house: House) -> None:
    house.publish(auto_close_after="1d wall", reopen={"window": "3d wall", "clocks": "continue"})
    ticket = house.ticket(assignee=house.anna)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=START, by=house.anna)
    house.run(since=START, until=START + 3 * DAY - timedelta(hours=1), every=timedelta(hours=6))
    ticket.refresh_from_db()
    assert ticket.status == Status.RESOLVED
    house.sweep(START + 3 * DAY)
    ticket.refresh_from_db()
    assert ticket.status == Status.CLOSED


def test_only_what_is_resolved_closes(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    with pytest.raises(Refused, match="resolved first"):
        endings.close(ticket_id=ticket.pk, now=after(hours=1), by=house.anna)


def test_many_close_in_one_look(house: House) -> None:
    tickets = [house.ticket(assignee=house.anna) for _number in range(3)]
    for ticket in tickets:
        endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=START, by=house.anna)
    house.sweep(START)
    house.sweep(START + 14 * DAY)
    assert not Ticket.objects.exclude(status=Status.CLOSED).exists()


# Reopen


def test_the_customers_reply_within_the_window_reopens_it(house: House, resolved: Ticket) -> None:
    message = house.answer(resolved, "It fails again since today.", now=after(days=3))
    assert message.ticket == resolved
    resolved.refresh_from_db()
    assert (resolved.status, resolved.reopened_count) == (Status.OPEN, 1)
    assert (resolved.resolved_at, resolved.reopen_until) == (None, None)
    assert resolved.waiting_since == after(days=3)
    assert resolved.assignee == house.anna, "with the same people"
    house.run(since=after(days=3), until=after(days=30), every=DAY)
    resolved.refresh_from_db()
    assert resolved.status == Status.OPEN


@pytest.mark.parametrize("words", ["Thanks!", "Vielen Dank, das hilft uns sehr."])
def test_thanks_do_not(house: House, resolved: Ticket, words: str) -> None:
    message = house.answer(resolved, words, now=after(days=3))
    assert (message.thanks, message.ticket) == (True, resolved)
    house.sweep(after(days=3))
    resolved.refresh_from_db()
    assert (resolved.status, resolved.reopened_count) == (Status.RESOLVED, 0)
    assert resolved.waiting_since is None
    house.sweep(after(hours=2) + 14 * DAY)
    resolved.refresh_from_db()
    assert resolved.status == Status.CLOSED, "and it closes when it would have"


def test_nor_does_an_automatic_answer(house: House, resolved: Ticket) -> None:
    house.answer(resolved, "I am out of office until Monday.", now=after(days=3), automatic=True)
    resolved.refresh_from_db()
    assert resolved.status == Status.RESOLVED


def test_a_late_reply_opens_a_new_ticket_linked_to_the_old_one(
    house: House, resolved: Ticket
) -> None:
    house.sweep(after(days=20))
    message = house.answer(resolved, "It fails again since today.", now=after(days=21))
    new = message.ticket
    assert new != resolved
    assert (new.continues, new.assignee, new.team) == (resolved, house.anna, house.emea)
    assert (new.status, new.created_at) == (Status.NEW, after(days=21))
    resolved.refresh_from_db()
    assert resolved.status == Status.CLOSED
    house.sweep(after(days=21))
    assert letters_of(new) == ["received"]


def test_so_does_one_after_the_window_while_nobody_has_closed_it(
    house: House, resolved: Ticket
) -> None:
    message = house.answer(resolved, "It fails again.", now=after(hours=2, seconds=1) + 14 * DAY)
    assert message.ticket.continues == resolved


def test_a_reply_at_the_last_instant_reopens(house: House, resolved: Ticket) -> None:
    message = house.answer(resolved, "It fails again.", now=after(hours=2) + 14 * DAY)
    assert message.ticket == resolved


def test_thanks_for_a_closed_ticket_open_nothing(house: House, resolved: Ticket) -> None:
    house.sweep(after(days=20))
    house.answer(resolved, "Thank you!", now=after(days=21))
    assert Ticket.objects.count() == 1


def test_staff_can_reopen_it_too(house: House, resolved: Ticket) -> None:
    endings.reopen(ticket_id=resolved.pk, now=after(days=1), by=house.anna)
    resolved.refresh_from_db()
    assert (resolved.status, resolved.reopened_count) == (Status.OPEN, 1)
    with pytest.raises(Refused):
        endings.reopen(ticket_id=resolved.pk, now=after(days=1), by=house.anna)


def test_a_ticket_reopened_twice_goes_to_its_teams_lead(house: House, resolved: Ticket) -> None:
    house.answer(resolved, "It fails again.", now=after(days=1))
    house.sweep(after(days=1))
    endings.resolve(ticket_id=resolved.pk, outcome="Again.", now=after(days=2), by=house.anna)
    house.answer(resolved, "It still fails.", now=after(days=3))
    house.sweep(after(days=3))
    escalation = Escalation.objects.get(rule_key="reopened-twice")
    handoff = escalation.handoffs.get()
    assert (handoff.to_team, handoff.to_user) == (house.emea, house.marco)
    assert "staff_offer" in told(house.marco)


def test_each_resolving_has_its_own_letter(house: House, resolved: Ticket) -> None:
    house.answer(resolved, "It fails again.", now=after(days=1))
    endings.resolve(ticket_id=resolved.pk, outcome="Again.", now=after(days=2), by=house.anna)
    assert letters_of(resolved).count("resolved") == 2


# The checklist


def ticked(escalation: Escalation) -> dict[str, tuple[bool, bool]]:
    """By item: whether it is done, and whether it ticked itself."""
    ticket = Ticket.objects.get(pk=escalation.ticket_id)
    lists = checklist.checklists_of(
        escalations=[escalation],
        ticket=ticket,
        gathered=gathering.gathered(ticket),
        edition=editions.current(),
        language="en",
    )
    return {item.key: (item.done, item.by_itself) for item in lists[escalation.pk]}


DONE, OPEN = (True, True), (False, False)


def test_the_checklist_ticks_itself_where_the_system_knows(house: House) -> None:
    ticket = house.ticket(text="It fails.", impact=1, urgency=2, assignee=house.anna)
    escalation = house.escalate(ticket, ask_customer=True)
    assert ticked(escalation) == {
        "assess": DONE,
        "gather": OPEN,
        "department": DONE,
        "escalate": DONE,
        "notify": OPEN,
        "remind": DONE,
        "update": OPEN,
        "close": OPEN,
    }
    OutgoingEmail.objects.filter(kind="escalated").update(
        state=MailState.SENT, sent_at=after(minutes=1), next_attempt_at=None
    )
    house.answer(ticket, "The key is key_1234.", now=after(minutes=10))
    updates.update(
        ticket_id=ticket.pk, headline="news", text="Found", now=after(minutes=20), by=house.anna
    )
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=21), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Done.", now=after(minutes=30), by=house.priya
    )
    endings.resolve(ticket_id=ticket.pk, outcome="Done.", now=after(minutes=31), by=house.anna)
    assert {key for key, state in ticked(escalation).items() if state == OPEN} == {"close"}
    endings.close(ticket_id=ticket.pk, now=after(minutes=32), by=house.anna)
    assert set(ticked(escalation).values()) == {DONE}


def test_and_a_person_ticks_the_rest(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    for _press in range(2):
        checklist.tick(
            escalation_id=escalation.pk, item="assess", ticked=True, now=START, by=house.anna
        )
    assert ticked(escalation)["assess"] == (True, False)
    assert Event.objects.filter(ticket=ticket, kind="ticked").count() == 1
    checklist.tick(
        escalation_id=escalation.pk, item="assess", ticked=False, now=START, by=house.anna
    )
    assert ticked(escalation)["assess"] == OPEN
    with pytest.raises(Refused):
        checklist.tick(
            escalation_id=escalation.pk, item="dance", ticked=True, now=START, by=house.anna
        )


def test_a_note_can_still_be_written_on_what_is_over_but_no_reply(
    house: House, resolved: Ticket
) -> None:
    conversation.note(
        ticket_id=resolved.pk, text="For the record.", now=after(days=1), by=house.ben
    )
    with pytest.raises(Refused, match="reopen it first"):
        house.reply(resolved, now=after(days=1))
    assert Message.objects.filter(ticket=resolved).count() == 2
