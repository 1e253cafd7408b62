"""Receiving: accept, decline, send back, resolve, and who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from escalation import endings, lifecycle, returning, review
from escalation.authority import NotAllowed, WrongState
from escalation.models import Escalation
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import Kind, Nature, ReturnReason
from notifications.models import MailState, OutgoingEmail
from tests.escalation.receiving import decline
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
    steps_of,
    told,
)
from tickets.errors import Refused
from tickets.models import FollowUp, Ticket
from tickets.models.followup import FollowUpKind

# Accept


@pytest.mark.parametrize("who", ["priya", "mei", "grace", "helen", "sam"])
def test_the_teams_people_its_lead_and_those_above_may_accept(
    house: House, offered: Escalation, who: str
) -> None:
    person = getattr(house, who)
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=person)
    assert fresh(offered).owner == person


@pytest.mark.parametrize("who", ["anna", "ben", "marco", "jonas", "lena"])
def test_nobody_else_may(house: House, offered: Escalation, who: str) -> None:
    with pytest.raises(NotAllowed, match="Integrations"):
        lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=getattr(house, who))
    assert fresh(offered).state == "offered"


def test_an_offer_to_somebody_absent_is_their_backups_to_accept(house: House) -> None:
    house.away(house.mei, backup=house.jonas)
    offered = house.escalate(house.ticket(assignee=house.anna), user=house.mei)
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.jonas)
    assert fresh(offered).owner == house.jonas


def test_a_decision_asked_of_one_person_is_not_the_teams_to_take(house: House) -> None:
    offered = house.escalate(
        house.ticket(assignee=house.anna),
        team=house.emea,
        kind=Kind.HIERARCHICAL,
        nature=Nature.AUTHORITY,
    )
    with pytest.raises(NotAllowed, match="Marco"):
        lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.ben)
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.marco)


def test_whoever_is_second_is_told_so_and_changes_nothing(
    house: House, offered: Escalation
) -> None:
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.priya)
    with translation.override("en"), pytest.raises(WrongState, match="accepted by now"):
        lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.mei)
    assert fresh(offered).owner == house.priya


def test_accepting_makes_an_owner_and_leaves_the_assignee(
    house: House, accepted: Escalation
) -> None:
    accepted = fresh(accepted)
    assert (accepted.owner, accepted.accepted_at) == (house.priya, after(minutes=5))
    assert accepted.ticket.assignee == house.anna
    handoff = handoff_of(accepted)
    assert (handoff.outcome, handoff.outcome_by) == ("accepted", house.priya)
    assert clock_of(accepted.ticket, ClockKind.ACCEPTANCE).state == ClockState.MET


def test_the_customer_hears_once_who_works_on_it(house: House, offered: Escalation) -> None:
    lifecycle.accept(
        escalation_id=offered.pk,
        first_step="the gateway's logs",
        now=after(minutes=5),
        by=house.priya,
    )
    house.run(since=after(minutes=5), until=after(hours=2), every=timedelta(minutes=30))
    assert letters_of(offered.ticket).count("accepted") == 1
    sent = letter(offered.ticket, "accepted")
    assert "Priya Nair is working on it" in sent.subject
    assert "Priya Nair of Integrations has taken on" in sent.text
    assert "by Wed 25 Nov, 10:00 (Oslo, UTC+1), as said" in sent.text
    assert "begins with the gateway's logs" in sent.text


def test_reminders_that_have_not_gone_out_are_taken_back_once_it_is_accepted(
    house: House, offered: Escalation
) -> None:
    house.run(since=START, until=after(minutes=40), every=timedelta(minutes=10))
    assert told(house.mei) == ["staff_offer", "staff_reminder"]
    mails = OutgoingEmail.objects.filter(to_address=house.mei.email)
    assert set(mails.values_list("state", flat=True)) == {MailState.QUEUED}
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=45), by=house.priya)
    assert set(mails.values_list("state", flat=True)) == {MailState.WITHDRAWN}
    assert "escalated" in letters_of(offered.ticket), "what tells the customer goes out"


def test_what_asks_about_another_escalation_stays(house: House, offered: Escalation) -> None:
    house.escalate(offered.ticket, team=house.emea, kind=Kind.HIERARCHICAL, nature=Nature.AUTHORITY)
    lifecycle.accept(escalation_id=offered.pk, now=after(minutes=45), by=house.priya)
    assert list(
        OutgoingEmail.objects.filter(to_address=house.marco.email).values_list("kind", "state")
    ) == [("staff_offer", "queued")]


# Decline, send back


def test_declining_gives_it_back_to_the_assignee_with_the_reason(
    house: House, offered: Escalation
) -> None:
    offered.ticket.details.all().delete()
    decline(offered, house.priya, reason_code=ReturnReason.DETAILS_MISSING, missing=("key-id",))
    returned = fresh(offered)
    assert (returned.state, returned.owner) == ("returned", None)
    handoff = handoff_of(returned)
    assert (handoff.outcome, handoff.reason_code, handoff.missing) == (
        "declined",
        "details_missing",
        ["key-id"],
    )
    assert told(house.anna) == ["staff_returned"]
    follow_up = FollowUp.objects.get(ticket=offered.ticket, kind=FollowUpKind.RETURNED, user=None)
    assert follow_up.due_at == after(minutes=10)
    assert fresh(offered).ticket.held


def test_path_and_acceptance_clock_stop_with_it(house: House, offered: Escalation) -> None:
    decline(offered, house.priya)
    assert clock_of(offered.ticket, ClockKind.ACCEPTANCE).state == ClockState.DROPPED
    house.run(since=after(minutes=10), until=after(hours=12), every=timedelta(minutes=30))
    assert steps_of(handoff_of(offered)) == []


def test_the_promise_survives(house: House, offered: Escalation) -> None:
    due = promise_of(offered.ticket).due_at
    decline(offered, house.priya)
    house.sweep(after(minutes=10))
    promise = promise_of(offered.ticket)
    assert (promise.state, promise.due_at, promise.number) == ("open", due, 1)


def test_the_lead_hears_of_it_when_it_is_not_offered_again_within_the_acceptance_target(
    house: House, offered: Escalation
) -> None:
    decline(offered, house.priya)
    house.sweep(after(hours=2, minutes=9))
    assert told(house.marco) == []
    house.sweep(after(hours=2, minutes=10))
    house.sweep(after(hours=6))
    assert told(house.marco, kind="staff_follow_up") == ["staff_follow_up"]


def test_the_lead_is_left_alone_when_it_is(house: House, offered: Escalation) -> None:
    decline(offered, house.priya)
    lifecycle.offer_again(
        escalation_id=offered.pk, team_id=house.platform.pk, now=after(hours=1), by=house.anna
    )
    house.run(since=after(hours=1), until=after(hours=6), every=timedelta(minutes=30))
    assert told(house.marco, kind="staff_follow_up") == []


def test_something_else_needs_words(house: House, offered: Escalation) -> None:
    with pytest.raises(Refused) as refused:
        decline(offered, house.priya, reason_code=ReturnReason.OTHER, reason=" ")
    assert refused.value.field == "reason"


def test_only_details_that_exist_can_be_missed(house: House, offered: Escalation) -> None:
    with pytest.raises(Refused) as refused:
        decline(offered, house.priya, missing=("shoe-size",))
    assert refused.value.field == "missing"


def test_what_was_accepted_is_sent_back_and_not_declined(
    house: House, accepted: Escalation
) -> None:
    with pytest.raises(WrongState):
        decline(accepted, house.priya)
    returning.send_back(
        escalation_id=accepted.pk,
        reason_code=ReturnReason.NOT_REPRODUCIBLE,
        now=after(hours=1),
        by=house.priya,
    )
    assert (fresh(accepted).state, handoff_of(accepted).outcome) == ("returned", "sent_back")
    assert fresh(accepted).owner is None


def test_only_its_owner_or_a_lead_sends_it_back(house: House, accepted: Escalation) -> None:
    with pytest.raises(NotAllowed, match="Priya Nair"):
        returning.send_back(
            escalation_id=accepted.pk,
            reason_code=ReturnReason.WRONG_TEAM,
            now=after(hours=1),
            by=house.mei,
        )
    returning.send_back(
        escalation_id=accepted.pk,
        reason_code=ReturnReason.WRONG_TEAM,
        now=after(hours=1),
        by=house.grace,
    )


# Resolve


def test_resolving_needs_an_outcome(house: House, accepted: Escalation) -> None:
    with pytest.raises(Refused) as refused:
        lifecycle.resolve(
            escalation_id=accepted.pk, outcome=" ", now=after(hours=1), by=house.priya
        )
    assert refused.value.field == "outcome"


def test_what_nobody_accepted_cannot_be_resolved(house: House, offered: Escalation) -> None:
    with pytest.raises(WrongState):
        lifecycle.resolve(escalation_id=offered.pk, outcome="x", now=START, by=house.priya)


def test_only_its_owner_or_a_lead_resolves_it(house: House, accepted: Escalation) -> None:
    for outsider in (house.anna, house.mei):
        with pytest.raises(NotAllowed):
            lifecycle.resolve(
                escalation_id=accepted.pk, outcome="x", now=after(hours=1), by=outsider
            )


def test_resolving_the_escalation_never_resolves_the_ticket(
    house: House, accepted: Escalation
) -> None:
    lifecycle.resolve(
        escalation_id=accepted.pk,
        outcome="A gateway was replaced.",
        cause="worn out",
        now=after(hours=1),
        by=house.priya,
    )
    ended = fresh(accepted)
    assert (ended.state, ended.outcome, ended.cause) == (
        "resolved",
        "A gateway was replaced.",
        "worn out",
    )
    ticket = Ticket.objects.get(pk=accepted.ticket_id)
    assert (ticket.status, ticket.held) == ("new", False)
    assert "resolved" not in letters_of(ticket)
    endings.resolve(ticket_id=ticket.pk, outcome="Fixed.", now=after(hours=2), by=house.anna)


def test_the_assignee_is_to_confirm_with_the_customer_until_it_is_done(
    house: House, accepted: Escalation
) -> None:
    lifecycle.resolve(
        escalation_id=accepted.pk, outcome="Replaced.", now=after(hours=1), by=house.priya
    )
    house.sweep(after(hours=1))
    assert told(house.anna, kind="staff_follow_up") == ["staff_follow_up"]
    house.sweep(after(hours=5))
    assert len(told(house.anna, kind="staff_follow_up")) == 2
    progress = FollowUp.objects.get(ticket=accepted.ticket, kind=FollowUpKind.PROGRESS)
    assert progress.dropped_at == after(hours=1)
    endings.resolve(
        ticket_id=accepted.ticket_id, outcome="Fixed.", now=after(hours=6), by=house.anna
    )
    house.run(since=after(hours=6), until=after(hours=30), every=timedelta(hours=2))
    assert len(told(house.anna, kind="staff_follow_up")) == 2


def test_the_hold_lasts_while_another_escalation_is_open(
    house: House, accepted: Escalation
) -> None:
    house.escalate(
        accepted.ticket, team=house.emea, kind=Kind.HIERARCHICAL, nature=Nature.AUTHORITY
    )
    lifecycle.resolve(
        escalation_id=accepted.pk, outcome="Replaced.", now=after(hours=1), by=house.priya
    )
    assert Ticket.objects.get(pk=accepted.ticket_id).held


def test_the_assignee_may_resolve_what_came_back(house: House, offered: Escalation) -> None:
    decline(offered, house.priya, reason_code=ReturnReason.KNOWN_ANSWER)
    lifecycle.resolve(
        escalation_id=offered.pk, outcome="It was known.", now=after(hours=1), by=house.anna
    )
    assert fresh(offered).state == "resolved"


def test_it_can_be_escalated_again_afterwards_and_is_counted(
    house: House, accepted: Escalation
) -> None:
    lifecycle.resolve(
        escalation_id=accepted.pk, outcome="Replaced.", now=after(hours=1), by=house.priya
    )
    again = house.escalate(accepted.ticket, now=after(hours=2))
    assert again.key == f"{accepted.ticket.reference}:functional:2"
    assert letters_of(accepted.ticket).count("escalated") == 2
    review.sweep(clock=lambda: after(hours=2))
    assert promise_of(accepted.ticket).state == "open"
