"""Acting on the desk's pages as people do: signed in, by forms, with and without htmx."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import pausing
from notifications.models import OutboxPause, OutgoingEmail, PauseCause
from staff.models import User
from tests.pages.desk import Markup, Response, html
from tickets import intake
from tickets.intake import Incoming
from tickets.models import Message, Ticket
from tickets.models.ticket import Channel

HTMX = {"HX-Request": "true"}
#: Payloads that would do something if a page took them for more than text.
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\"'"
_OURS = ("staff", "notifications", "tickets", "escalation")


def as_(user: User, *, checks_csrf: bool = False) -> Client:
    """A browser in which somebody is signed in."""
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def ago(**length: float) -> datetime:
    """So long before the page's own clock, to the second."""
    return timezone.now().replace(microsecond=0) - timedelta(**length)


def paused_by_a_restore(*, now: datetime) -> OutboxPause:
    """As a restore leaves a desk, of a backup with all letters there are."""
    OutboxPause.objects.create(
        cause=PauseCause.RESTORE,
        began_at=now - timedelta(minutes=5),
        copied_at=now - timedelta(hours=3),
        last_letter=OutgoingEmail.objects.latest("pk").pk,
    )
    return pausing.doubt(now=now)


def ahead(**length: float) -> str:
    """A time to come as a form sends it, in the reader's zone (which is UTC in the tests)."""
    return typed(timezone.now() + timedelta(**length))


def typed(moment: datetime) -> str:
    """A moment as Anna types it, who reads times in Berlin."""
    return moment.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")


def press(
    client: Client, ticket: Ticket, action: str, *, htmx: bool = False, **sent: Any
) -> HttpResponse:
    """Send one of the ticket page's forms."""
    address = f"{ticket.get_absolute_url()}{action}/"
    return client.post(address, sent, headers=HTMX if htmx else {})  # type: ignore[return-value]


def form(page: str, address_ends: str) -> dict[str, Any]:
    """The hidden fields of a page's form that goes to an address of this ending."""
    inside = False
    fields: dict[str, Any] = {}
    for tag, carried in Markup(page).elements:
        if tag == "form":
            inside = carried.get("action", "").endswith(address_ends)
        elif inside and tag == "input" and carried.get("type") == "hidden":
            fields[carried["name"]] = carried.get("value", "")
    assert fields, f"no form to …{address_ends}"
    return fields


def opened(client: Client, page: str, address_ends: str) -> dict[str, Any]:
    """As ``form``, of one that stands in the page, behind a link of it, or behind a card's link."""
    if any(
        tag == "form" and carried.get("action", "").endswith(address_ends)
        for tag, carried in Markup(page).elements
    ):
        return form(page, address_ends)
    links = [c["href"] for tag, c in Markup(page).elements if tag == "a" and "href" in c]
    for link in links:
        if urlsplit(link).path.endswith(address_ends):
            return form(html(client.get(link)), address_ends)
    for link in links:
        if re.fullmatch(r"/escalations/\d+/", urlsplit(link).path):
            return opened(client, html(client.get(link)), address_ends)
    raise AssertionError(f"no link to …{address_ends}")


def stranger(ticket: Ticket, text: str, **came: Any) -> Message:
    """Somebody writes who is not on the ticket, and it waits for an agent."""
    return intake.append_message(
        ticket_id=ticket.pk,
        contact=ticket.requester,
        incoming=Incoming(text=text, channel=Channel.MAIL, **came),
        unverified=True,
        now=ago(minutes=1),
    )


def queries(client: Client, address: str) -> list[str]:
    """The SQL a page takes, of a process that has read the configuration before."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))
    ]


def all_rows() -> str:
    """A digest of everything of ours in the database."""
    with connection.cursor() as cursor:
        cursor.execute(_digests())
        return hashlib.sha256(repr(sorted(cursor.fetchall())).encode()).hexdigest()


@cache
def _digests() -> str:
    """One statement for all tables: in Python this took longer than what was tried."""
    return " UNION ALL ".join(
        _digest(model)
        for app in _OURS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    )


def _digest(model: type[Model]) -> str:
    # Signing in is noted on the person.
    names = [f.column or "" for f in model._meta.concrete_fields if f.name != "last_login"]
    columns = ", ".join(connection.ops.quote_name(name) for name in names)
    table, key = model._meta.db_table, model._meta.pk.column
    return (
        f"SELECT '{table}', md5(string_agg(ROW({columns})::text, ',' ORDER BY {key}))"  # noqa: S608  # our own names
        f" FROM {table}"
    )


def has_no_markup_of(page: Response) -> None:
    """Fail where ``EVIL`` became part of a page instead of its text."""
    source = html(page)
    assert "<img" not in source
    assert "<script>" not in source
    assert "alert(2)</script>" not in source
    assert "&lt;img src=x onerror=alert(1)&gt;" in source
    assert "&lt;/script&gt;49" not in source, "a template language ran"


def fields_in_error(page: Response) -> list[str]:
    """What a page marks as wrong, by the ids of the errors' places."""
    return [
        carried.get("id", "").removesuffix("_error")
        for _tag, carried in Markup(html(page)).elements
        if carried.get("class") == "field-error"
    ]
