from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tickets.models import Ticket


@pytest.fixture(autouse=True)
def numbers_go_on_as_loaded(db: None) -> Iterator[None]:
    """What a test opened is undone after it; its number is not, and the next test may ask for it."""
    table = Ticket._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        [sequence] = cursor.fetchone()
        cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
        found = cursor.fetchone()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(%s, %s, %s)", [sequence, *found])
