"""The addresses of what is configured, and rows that pages are shown of."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import admin
from django.urls import reverse

from tests.pages.desk import Desk
from tickets.models import (
    InboundEmail,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
OFFICE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "weekly": {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "exceptions": {},
}
MAIL = b"""From: Dana Reyes <dana@customer.example>
To: support@brightquay.example
Subject: Invoices fail
Message-ID: <1@customer.example>

POST /v2/invoices returns 502.
"""


def named(what: str) -> list[str]:
    """The addresses of a kind of page of everything that is registered."""
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}")
        for model in admin.site._registry
    ]


def of(row: Any, what: str = "change") -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}", args=(row.pk,))


def inbound(desk: Desk, *, outcome: str, raw: bytes = MAIL) -> InboundEmail:
    return InboundEmail.objects.create(
        source="a file",
        header_message_id="<1@customer.example>",
        sha256=hashlib.sha256(raw).digest(),
        raw=raw,
        size=len(raw),
        received_at=desk.now,
        outcome=outcome,
    )
