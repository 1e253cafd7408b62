"""De-escalating: a lead ends an escalation since the need for it is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import withdrawing
from escalation.authority import NotAllowed
from escalation.models import Escalation
from staff.models import User
from tests.house import (
    START,
    House,
    after,
    fresh,
    told,
)
from tickets.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["marco", "grace", "helen", "sam"])
def test_leads_of_both_teams_and_those_above_de_escalate(
    house: House, offered: Escalation, who: str
) -> None:
    lead: User = getattr(house, who)
    withdrawing.de_escalate(
        escalation_id=offered.pk, reason="Solved meanwhile.", now=after(minutes=5), by=lead
    )
    ended = fresh(offered)
    assert (ended.state, ended.outcome, ended.ended_by) == (
        "de_escalated",
        "Solved meanwhile.",
        lead,
    )
    assert told(house.anna)[-1] == "staff_escalation_ended"


@pytest.mark.parametrize("who", ["anna", "ben", "priya", "jonas", "lena"])
def test_nobody_else_de_escalates(house: House, offered: Escalation, who: str) -> None:
    with pytest.raises(NotAllowed):
        withdrawing.de_escalate(
            escalation_id=offered.pk, reason="No", now=after(minutes=5), by=getattr(house, who)
        )
    assert fresh(offered).state == "offered"


def test_de_escalating_asks_for_a_reason_at_once(house: House, offered: Escalation) -> None:
    with pytest.raises(Refused, match="why") as refused:
        withdrawing.de_escalate(
            escalation_id=offered.pk, reason="  ", now=after(seconds=1), by=house.grace
        )
    assert refused.value.field == "reason"


def test_the_rule_that_escalated_does_not_do_so_again(house: House) -> None:
    ticket = house.ticket(impact=1, urgency=1, assignee=house.anna)
    house.run(since=START, until=after(minutes=30), every=timedelta(minutes=5))
    escalation = Escalation.objects.get(ticket=ticket, state="offered")
    withdrawing.de_escalate(
        escalation_id=escalation.pk, reason="Not needed.", now=after(minutes=31), by=house.marco
    )
    house.sweep(after(minutes=32))
    assert (
        not Escalation.objects.filter(ticket=ticket, rule_key=escalation.rule_key)
        .exclude(pk=escalation.pk)
        .exists()
    )
