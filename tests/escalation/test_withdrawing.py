"""Taking an escalation back: who may, what the customer then reads, and that nobody is asked on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import endings, lifecycle, returning, updates, withdrawing
from escalation.authority import NotAllowed, WrongState
from escalation.models import Escalation, Promise
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import Kind, Nature, ReturnReason
from notifications import delivery, rendering
from notifications.models import MailState, OutgoingEmail
from notifications.outbox import claim
from tests.house import (
    START,
    House,
    after,
    clock_of,
    fresh,
    handoff_of,
    letters_of,
    promise_of,
    steps_of,
    told,
)
from tickets import followups
from tickets.errors import Refused
from tickets.models import Detail, FollowUp, Ticket

pytestmark = pytest.mark.django_db


def send(*, seconds: float = 0, minutes: float = 0) -> None:
    """What is due by then leaves the house."""
    delivery.send_due(clock=lambda: after(seconds=seconds, minutes=minutes), capture=True)


def undo(house: House, escalation: Escalation, *, seconds: float = 8) -> Escalation:
    return withdrawing.withdraw(
        escalation_id=escalation.pk, now=after(seconds=seconds), by=house.anna
    )


def withdraw(house: House, escalation: Escalation, *, minutes: float = 5) -> Escalation:
    return withdrawing.withdraw(
        escalation_id=escalation.pk,
        reason="The customer found the cause.",
        now=after(minutes=minutes),
        by=house.anna,
    )


def staff_mails(*states: str) -> list[str]:
    """What asks staff for something, in these states."""
    asking = ("staff_offer", "staff_reminder", "staff_escalation_path", "staff_follow_up")
    return list(
        OutgoingEmail.objects.filter(kind__in=asking, state__in=states).values_list(
            "kind", flat=True
        )
    )


# Undo


def test_an_undone_escalation_leaves_the_customer_nothing_to_read(
    house: House, offered: Escalation
) -> None:
    undo(house, offered)
    send(minutes=10)
    assert fresh(offered).state == "withdrawn"
    assert "escalated" not in letters_of(offered.ticket)
    assert promise_of(offered.ticket).state == "withdrawn"
    assert not FollowUp.objects.filter(
        ticket=offered.ticket, done_at=None, dropped_at=None
    ).exists()


def test_an_undone_escalation_lets_the_ticket_go_and_asks_nobody_on(
    house: House, offered: Escalation
) -> None:
    undo(house, offered)
    assert not Ticket.objects.get(pk=offered.ticket_id).held
    assert handoff_of(offered).outcome == "ended"
    assert clock_of(offered.ticket, ClockKind.ACCEPTANCE).state == ClockState.DROPPED
    house.run(since=after(minutes=1), until=after(hours=6), every=timedelta(minutes=10))
    assert steps_of(handoff_of(offered)) == []
    assert fresh(offered).state == "withdrawn"


def test_the_ten_seconds_are_over_when_they_are_over(house: House, offered: Escalation) -> None:
    with pytest.raises(Refused, match="why"):
        undo(house, offered, seconds=10)
    assert fresh(offered).state == "offered"


def test_undoing_brings_back_what_the_customer_was_told_before(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    updates.update(
        ticket_id=ticket.pk,
        headline="looking",
        text="We look into it.",
        next_word_by=after(hours=3),
        now=START,
        by=house.anna,
    )
    send(seconds=1)
    before = promise_of(ticket)
    escalation = house.escalate(ticket, now=after(minutes=1))
    withdrawing.withdraw(
        escalation_id=escalation.pk, now=after(minutes=1, seconds=5), by=house.anna
    )
    stands = promise_of(ticket)
    assert (stands.state, stands.due_at, stands.kind) == ("open", after(hours=3), "update")
    assert (stands.email, stands.made_at) == (before.email, before.made_at)
    assert Promise.objects.filter(ticket=ticket, state__in=("open", "suspended")).count() == 1
    house.sweep(after(hours=3, minutes=1))
    assert promise_of(ticket).state == "broken"


def test_after_an_undo_it_can_be_escalated_anew(house: House, offered: Escalation) -> None:
    undo(house, offered)
    again = house.escalate(offered.ticket, now=after(minutes=2))
    send(minutes=5)
    assert again.number == 2
    assert letters_of(offered.ticket).count("escalated") == 1
    assert promise_of(offered.ticket).state == "open"


def test_undoing_forgets_that_details_were_asked_for(house: House) -> None:
    ticket = house.ticket(text="API calls fail.", assignee=house.anna)
    escalation = house.escalate(ticket, ask_customer=True, override_reason="They wait.")
    assert Detail.objects.filter(ticket=ticket, value="").exists()
    undo(house, escalation)
    assert not Detail.objects.filter(ticket=ticket).exists()


def test_a_letter_that_was_faster_stands_with_its_promise(
    house: House, offered: Escalation
) -> None:
    """Somebody's clock runs ahead: the letter left before its ten seconds were over here."""
    send(seconds=11)
    undo(house, offered)
    assert "escalated" in letters_of(offered.ticket)
    assert promise_of(offered.ticket).state == "open"


# Withdraw, later


def test_what_the_customer_was_told_stays_promised(house: House, offered: Escalation) -> None:
    send(seconds=11)
    due = promise_of(offered.ticket).due_at
    withdraw(house, offered)
    promise = promise_of(offered.ticket)
    assert (promise.state, promise.due_at) == ("open", due)
    house.reply(offered.ticket, now=after(minutes=30))
    house.sweep(after(minutes=31))
    assert promise_of(offered.ticket).state == "kept"


def test_a_withdrawn_escalations_promise_breaks_like_any_other(
    house: House, offered: Escalation
) -> None:
    house.publish(rules=[])
    send(seconds=11)
    withdraw(house, offered)
    house.sweep(after(days=5))
    assert promise_of(offered.ticket).state == "broken"
    assert "staff_promise_warning" in told(house.anna)


def test_a_letter_still_waiting_for_the_mail_server_is_called_back_later_too(
    house: House, offered: Escalation
) -> None:
    withdraw(house, offered)
    assert "escalated" not in letters_of(offered.ticket)
    assert promise_of(offered.ticket).state == "withdrawn"


def test_whoever_was_asked_is_told_why_it_is_over(house: House, offered: Escalation) -> None:
    send(seconds=11)
    withdraw(house, offered)
    for person in (house.priya, house.mei):
        assert told(person)[-1] == "staff_escalation_ended"
    assert "staff_escalation_ended" not in told(house.anna)
    mail = OutgoingEmail.objects.filter(kind="staff_escalation_ended").latest("pk")
    text = rendering.render(mail=mail).text
    assert "Anna Keller has withdrawn the escalation" in text
    assert "The customer found the cause." in text
    assert "that still holds" in text


def test_the_owner_is_told_that_their_work_is_not_needed(house: House, offered: Escalation) -> None:
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=2), by=house.priya)
    withdraw(house, offered)
    assert told(house.priya)[-1] == "staff_escalation_ended"
    assert "staff_escalation_ended" not in told(house.mei)
    assert fresh(offered).state == "withdrawn"


def test_nobody_is_told_the_customer_expects_what_they_do_not(
    house: House, offered: Escalation
) -> None:
    undo(house, offered)
    mail = OutgoingEmail.objects.filter(kind="staff_escalation_ended").latest("pk")
    assert "still holds" not in rendering.render(mail=mail).text


@pytest.mark.parametrize("who", ["ben", "marco", "priya", "grace", "helen", "sam"])
def test_only_who_escalated_withdraws(house: House, offered: Escalation, who: str) -> None:
    with pytest.raises(NotAllowed, match="lead"):
        withdrawing.withdraw(
            escalation_id=offered.pk, reason="No", now=after(seconds=5), by=getattr(house, who)
        )
    assert fresh(offered).state == "offered"


def test_what_a_rule_escalated_nobody_withdraws(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.run(since=START, until=after(hours=1), every=timedelta(minutes=5))
    escalation = Escalation.objects.get(ticket=ticket)
    assert escalation.opened_by is None
    with pytest.raises(NotAllowed):
        withdraw(house, escalation, minutes=70)


def test_what_has_ended_is_not_withdrawn_again(house: House, offered: Escalation) -> None:
    undo(house, offered)
    with pytest.raises(WrongState):
        undo(house, offered, seconds=9)


def test_what_came_back_can_be_withdrawn(house: House, offered: Escalation) -> None:
    returning.decline(
        escalation_id=offered.pk,
        reason_code=ReturnReason.KNOWN_ANSWER,
        now=after(minutes=2),
        by=house.priya,
    )
    withdraw(house, offered)
    assert fresh(offered).state == "withdrawn"
    assert handoff_of(offered).outcome == "declined"
    assert not FollowUp.objects.filter(
        ticket=offered.ticket, done_at=None, dropped_at=None
    ).exists()


def test_the_other_escalation_of_the_ticket_goes_on_and_holds_it(
    house: House, offered: Escalation
) -> None:
    house.escalate(
        offered.ticket,
        team=house.emea,
        kind=Kind.HIERARCHICAL,
        nature=Nature.AUTHORITY,
        now=after(minutes=1),
    )
    withdraw(house, offered)
    assert Ticket.objects.get(pk=offered.ticket_id).held
    other = Escalation.objects.get(ticket=offered.ticket, kind=Kind.HIERARCHICAL)
    assert other.state == "offered"
    assert "staff_offer" in staff_mails("queued")


# Nobody is asked or reminded of what is over


def overdue(house: House, offered: Escalation) -> None:
    """Nobody accepts, and the path asks on; its mails lie in the outbox."""
    house.run(since=after(minutes=30), until=after(hours=12), every=timedelta(hours=1))
    assert fresh(offered).state == "offered"
    assert set(staff_mails("queued")) >= {"staff_offer", "staff_reminder", "staff_escalation_path"}


@pytest.mark.parametrize("end", ["accept", "withdraw", "de_escalate", "undo"])
def test_no_step_and_no_reminder_goes_out_once_it_is_over(
    house: House, offered: Escalation, end: str
) -> None:
    if end != "undo":
        overdue(house, offered)
    now = after(hours=12, minutes=1)
    match end:
        case "accept":
            lifecycle.accept(escalation_id=offered.pk, now=now, by=house.helen)
        case "withdraw":
            withdraw(house, offered, minutes=721)
        case "de_escalate":
            withdrawing.de_escalate(
                escalation_id=offered.pk, reason="Over", now=now, by=house.helen
            )
        case "undo":
            undo(house, offered)
    # Whoever answers to the customer goes on looking after what was accepted.
    goes_on = {"staff_follow_up"} if end == "accept" else set()
    assert set(staff_mails("queued", "sending")) <= goes_on
    claimed = claim(now=after(days=1), limit=1000, lease=timedelta(minutes=2))
    assert not {mail.kind for mail in claimed} & {
        "staff_offer",
        "staff_reminder",
        "staff_escalation_path",
    }


def test_what_a_worker_has_claimed_and_not_begun_is_called_back_too(
    house: House, offered: Escalation
) -> None:
    claimed = claim(now=after(seconds=3), limit=100, lease=timedelta(minutes=2))
    assert "staff_offer" in {mail.kind for mail in claimed}
    undo(house, offered)
    assert staff_mails("queued", "sending") == []


def test_a_closed_ticket_reminds_nobody(house: House) -> None:
    ticket = house.ticket(assignee=house.anna)
    escalation = house.escalate(ticket)
    lifecycle.accept(escalation_id=escalation.pk, now=after(minutes=1), by=house.priya)
    lifecycle.resolve(
        escalation_id=escalation.pk, outcome="Done", now=after(minutes=2), by=house.priya
    )
    house.sweep(after(minutes=3))
    assert "staff_follow_up" in staff_mails("queued")
    endings.resolve(ticket_id=ticket.pk, outcome="Works", now=after(minutes=4), by=house.anna)
    assert staff_mails("queued", "sending") == []
    endings.close(ticket_id=ticket.pk, now=after(minutes=5), by=house.anna)
    assert staff_mails("queued", "sending") == []
    assert OutgoingEmail.objects.filter(state=MailState.WITHDRAWN).exists()


def test_nobody_is_reminded_of_what_they_have_done(house: House, offered: Escalation) -> None:
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=1), by=house.priya)
    lifecycle.resolve(
        escalation_id=offered.pk, outcome="Done", now=after(minutes=2), by=house.priya
    )
    house.sweep(after(minutes=3))
    assert "staff_follow_up" in staff_mails("queued")
    confirm = FollowUp.objects.get(ticket=offered.ticket, kind="confirm")
    followups.complete(followup_id=confirm.pk, now=after(minutes=4), by=house.anna)
    assert "staff_follow_up" not in staff_mails("queued", "sending")


def test_nobody_is_warned_of_a_promise_that_was_kept(house: House, offered: Escalation) -> None:
    due = promise_of(offered.ticket).told
    house.sweep(due - timedelta(minutes=20))
    warnings = OutgoingEmail.objects.filter(kind="staff_promise_warning")
    assert warnings.filter(state="queued").exists()
    house.reply(offered.ticket, now=due - timedelta(minutes=10))
    house.sweep(due - timedelta(minutes=9))
    assert promise_of(offered.ticket).state == "kept"
    assert not warnings.filter(state="queued").exists()
