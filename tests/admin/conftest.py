"""Whoever configures, and the desk they configure."""

from __future__ import annotations

import pytest
from django.test import Client

from notifications.templates import load_defaults
from staff.models import Calendar, CalendarVersion
from tests.admin.rows import BACKEND, OFFICE
from tests.pages.desk import Desk


@pytest.fixture
def desk(db: None) -> Desk:
    made = Desk()
    calendar = Calendar.objects.get(slug="always")
    CalendarVersion.objects.create(
        calendar=calendar, number=1, hours=OFFICE, created_at=made.now, created_by=made.sam
    )
    load_defaults(now=made.now)
    return made


@pytest.fixture
def sam(client: Client, desk: Desk) -> Client:
    """The admin, signed in."""
    client.force_login(desk.sam, BACKEND)
    return client
