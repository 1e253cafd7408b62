"""Handing on, and offering again what came back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import lifecycle
from escalation.authority import WrongState
from escalation.gate import GateClosed
from escalation.models import Escalation, Handoff
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import ReturnReason
from tests.escalation.receiving import decline
from tests.house import (
    START,
    House,
    after,
    clock_of,
    fresh,
    handoff_of,
    steps_of,
    told,
)
from tickets.errors import Refused
from tickets.models import FollowUp
from tickets.models.followup import FollowUpKind


def test_handing_on_makes_a_new_hop_with_its_own_package_and_the_old_promise(
    house: House, accepted: Escalation
) -> None:
    house.answer(accepted.ticket, "It now fails for /v2/orders, too.", now=after(minutes=20))
    lifecycle.hand_on(
        escalation_id=accepted.pk,
        team_id=house.platform.pk,
        note="The gateway is fine.",
        now=after(minutes=30),
        by=house.priya,
    )
    first, second = Handoff.objects.filter(escalation=accepted).order_by("number")
    assert (first.outcome, second.outcome) == ("handed_on", "pending")
    assert (second.from_team, second.to_team) == (house.integrations, house.platform)
    assert len(second.package["messages"]) == len(first.package["messages"]) + 1
    assert second.note == "The gateway is fine."
    now = fresh(accepted)
    assert (now.state, now.owner, now.hops) == ("offered", None, 2)
    assert accepted.ticket.promises.count() == 1
    assert told(house.jonas) == ["staff_offer"]
    assert told(house.anna) == ["staff_returned"], "the assignee knows where it is"
    assert second.offered_at == after(minutes=30)
    assert clock_of(accepted.ticket, ClockKind.ACCEPTANCE).state == ClockState.RUNNING


def test_it_is_not_handed_on_to_where_it_is_nor_back_to_the_tickets_own_team(
    house: House, offered: Escalation
) -> None:
    for team in (house.integrations, house.emea):
        with pytest.raises(Refused) as refused:
            lifecycle.hand_on(
                escalation_id=offered.pk, team_id=team.pk, now=after(minutes=5), by=house.priya
            )
        assert refused.value.field == "team"


def test_what_came_back_is_offered_again(house: House, offered: Escalation) -> None:
    decline(offered, house.priya)
    lifecycle.offer_again(
        escalation_id=offered.pk,
        team_id=house.integrations.pk,
        note="Here is the key.",
        now=after(minutes=30),
        by=house.anna,
    )
    assert (fresh(offered).state, fresh(offered).hops) == ("offered", 2)
    assert told(house.priya) == ["staff_offer", "staff_offer"]
    returned = FollowUp.objects.filter(ticket=offered.ticket, kind=FollowUpKind.RETURNED)
    assert all(follow_up.dropped_at for follow_up in returned)
    house.run(since=after(minutes=30), until=after(minutes=70), every=timedelta(minutes=10))
    assert [action for action, _who in steps_of(handoff_of(offered))] == ["remind"]


def test_the_gate_stands_before_a_second_offer_too(house: House, offered: Escalation) -> None:
    offered.ticket.details.all().delete()
    decline(offered, house.priya, reason_code=ReturnReason.DETAILS_MISSING, missing=("key-id",))
    with pytest.raises(GateClosed):
        lifecycle.offer_again(
            escalation_id=offered.pk,
            team_id=house.integrations.pk,
            now=after(minutes=30),
            by=house.anna,
        )
    assert fresh(offered).state == "returned"


def test_only_what_came_back_is_offered_again(house: House, offered: Escalation) -> None:
    with pytest.raises(WrongState):
        lifecycle.offer_again(
            escalation_id=offered.pk, team_id=house.platform.pk, now=START, by=house.anna
        )
