"""Where the stories of escalations begin."""

from __future__ import annotations

import pytest

from escalation import lifecycle
from escalation.models import Escalation
from tests.house import START, House, after
from tickets.models import Ticket


@pytest.fixture
def offered(house: House) -> Escalation:
    """Anna's escalation, offered to Integrations."""
    return house.escalate(house.ticket(assignee=house.anna))


@pytest.fixture
def accepted(house: House, offered: Escalation) -> Escalation:
    """Priya took it on after five minutes."""
    return lifecycle.accept(escalation_id=offered.pk, now=after(minutes=5), by=house.priya)


@pytest.fixture
def promised(house: House) -> Ticket:
    """Escalated at 9:00; a reply is promised by the same time tomorrow."""
    ticket = house.ticket(assignee=house.anna)
    house.sweep(START)
    house.escalate(ticket)
    house.sweep(after(minutes=1))
    return ticket
