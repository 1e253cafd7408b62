from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.notifications.hookreceiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A web server that may be told things."""
    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.0/8"]
    settings.HELPDESK_OUTGOING_HTTP = True
    with receiving() as receiver:
        yield receiver
