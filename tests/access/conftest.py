from __future__ import annotations

import pytest

from tests.access.rooms import Rooms
from tests.house import House


@pytest.fixture
def rooms(house: House) -> Rooms:
    return Rooms(house)
