from __future__ import annotations

from typing import Any

import pytest

from tests.access.rooms import Rooms
from tests.api.programs import Program
from tests.house import House


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
