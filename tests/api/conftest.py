from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.access.rooms import Rooms
from tests.api.programs import Program
from tests.house import House
from tickets.models import Ticket


@pytest.fixture(autouse=True)
def no_hurry(settings: Any) -> None:
    """Tests ask more often than a program may."""
    settings.HELPDESK_API_RATE = "1000000/minute"


@pytest.fixture
def anna(house: House) -> Program:
    """A program that acts for Anna, an agent, and may do all that she may."""
    return Program(house.anna)


@pytest.fixture
def sam(house: House) -> Program:
    """A program that acts for Sam, the admin."""
    return Program(house.sam)


@pytest.fixture
def rooms(house: House) -> Rooms:
    return Rooms(house)


@pytest.fixture
def priya(house: House) -> Program:
    """A program that acts for Priya, of the team that knows the API."""
    return Program(house.priya)


@pytest.fixture
def grace(house: House) -> Program:
    """A program that acts for Grace, who leads that team."""
    return Program(house.grace)


@pytest.fixture
def ticket(house: House) -> Ticket:
    return house.ticket(assignee=house.anna, now=timezone.now())


@pytest.fixture
def without(house: House) -> Ticket:
    """A ticket that lacks a required detail."""
    return house.ticket(
        text="POST /v2 fails for every call.", assignee=house.anna, now=timezone.now()
    )
