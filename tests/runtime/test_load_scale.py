"""``manage.py load_scale``: what it loads stands as the stations and the engine would have left it."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from desk.selfcheck import running
from escalation import review
from escalation.models import Clock, Escalation
from helpdesk.scale import words
from notifications import identity
from notifications.models import OutgoingEmail
from notifications.rendering import render
from staff.models import Role, User
from tests.house import START
from tests.selfcheck.reports import found
from tickets.models import Event, Message, Ticket
from tickets.models.ticket import ENDED, Status

pytestmark = pytest.mark.slow


@pytest.fixture
def loaded(transactional_db: None, tmp_path: Any, settings: Any) -> dict[str, Any]:
    settings.MEDIA_ROOT = tmp_path
    out = StringIO()
    # So few are drawn from one life of each kind, which is left out while something is to be done at it.
    with time_machine.travel(START, tick=False):
        call_command("load_scale", tickets=500, due=0.02, json=True, verbosity=0, stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def test_what_is_loaded_is_complete_and_owes_nothing_but_what_was_asked_for(
    loaded: dict[str, Any],
) -> None:
    as_of = datetime.fromisoformat(loaded["as_of"])
    assert loaded["abandoned"] == []
    assert Ticket.objects.count() == 500
    statuses = Counter(Ticket.objects.values_list("status", flat=True))
    assert sum(statuses[status] for status in set(Status) - set(ENDED)) == 150
    assert statuses.keys() == set(Status)
    assert 3 <= Message.objects.count() / 500 <= 5
    assert set(Escalation.objects.values_list("state", flat=True)) >= {
        "offered", "accepted", "returned", "resolved", "withdrawn",
    }  # fmt: skip
    _constraints_hold()
    _what_comes_next_counts_on()
    _nothing_is_from_the_rehearsal()
    _search_finds(as_of)
    _every_page_opens()
    _a_letter_can_be_read_and_answered()
    _the_engine_finds_only_what_is_due(as_of)
    assert found(running.run(now=as_of, deep=True)) == {}


def _constraints_hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D' AND NOT tgisinternal")
        assert cursor.fetchone() == (0,)
    # What was taken off is on again: the models and the database agree about names.
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    with connection.cursor() as cursor:
        there = {
            name
            for table in connection.introspection.table_names(cursor)
            for name in connection.introspection.get_constraints(cursor, table)
        }
    for model in (Ticket, Message, Event, Clock, OutgoingEmail, Escalation):
        wanted = {index.name for index in model._meta.indexes}
        assert wanted <= there


def _what_comes_next_counts_on() -> None:
    last = Message.objects.latest("pk")
    contact = last.ticket.requester
    made = Message.objects.create(
        ticket=last.ticket,
        kind="customer",
        channel="mail",
        contact=contact,
        text="One more.",
        created_at=last.created_at,
    )
    assert made.pk == last.pk + 1
    made.delete()


def _nothing_is_from_the_rehearsal() -> None:
    assert not Ticket.objects.filter(pk__gt=500).exists()
    assert not Message.objects.filter(text__contains="qz").exists()
    for mail in OutgoingEmail.objects.all():
        said = json.dumps(mail.variables) + mail.to_address + mail.reply_to + mail.dedupe_key
        assert not re.search(
            r"qz(first|last|mailbox|domain|organization|customer|subject|uid)", said
        )
        assert not re.search(r"\b9[1-9][0-9]00000[0-9]{4}\b", said)


def _search_finds(as_of: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('tickets_searchentry')")
        if cursor.fetchone() == (None,):
            return
        of_everything = "SELECT ticket_id, strip(doc) FROM tickets_searchentry"
        cursor.execute(of_everything)
        loaded = set(cursor.fetchall())
        assert len(loaded) == 500
        cursor.execute("SELECT tickets_search_rebuild(1, 500)")
        cursor.execute(of_everything)
        assert set(cursor.fetchall()) == loaded
        cursor.execute(
            "SELECT count(*) FROM tickets_searchentry WHERE doc @@ to_tsquery('simple', %s)",
            [words.RARE],
        )
        assert cursor.fetchone() == (100,)


def _every_page_opens() -> None:
    client = Client()
    client.force_login(User.objects.filter(role=Role.MANAGER).earliest("pk"))
    for name in ("triage", "offers", "escalations", "mail"):
        assert client.get(reverse(f"desk:{name}")).status_code == 200
    # One ticket in each state there is.
    shown: dict[Any, Ticket] = {}
    for ticket in Ticket.objects.prefetch_related("escalations"):
        key = (ticket.status, tuple(sorted((e.kind, e.state) for e in ticket.escalations.all())))
        shown.setdefault(key, ticket)
    for ticket in shown.values():
        page = client.get(ticket.get_absolute_url())
        assert page.status_code == 200
        assert ticket.subject.split()[0] in page.content.decode()


def _a_letter_can_be_read_and_answered() -> None:
    for kind in OutgoingEmail.objects.order_by("kind").values_list("kind", flat=True).distinct():
        mail = OutgoingEmail.objects.filter(kind=kind).latest("pk")
        assert render(mail=mail).subject
        assert identity.read_message_id(mail.message_id) == mail.about
        if mail.reply_to:
            found = identity.read_reply_address(mail.reply_to)
            assert found is not None
            assert f"ticket:{found[0]}" == mail.about


def _the_engine_finds_only_what_is_due(as_of: datetime) -> None:
    before = Event.objects.count(), OutgoingEmail.objects.count()
    due = set(Ticket.objects.due_for_review(as_of).values_list("pk", flat=True))
    assert len(due) == 10
    # Looked at anew, whether it is due or not, every other ticket is as it should be.
    others = list(
        Ticket.objects.exclude(pk__in=due)
        .exclude(status=Status.CLOSED)
        .values_list("pk", "review_at", "sla_due_at", "sla_due_kind")
    )
    Ticket.objects.filter(pk__in=[pk for pk, *_plan in others]).update(review_at=as_of)
    Ticket.objects.filter(pk__in=due).update(review_at=None)
    assert review.sweep(clock=lambda: as_of) == len(others)
    assert (Event.objects.count(), OutgoingEmail.objects.count()) == before
    after = Ticket.objects.in_bulk([pk for pk, *_plan in others])
    wrong = [
        pk
        for pk, *plan in others
        if plan != [after[pk].review_at, after[pk].sla_due_at, after[pk].sla_due_kind]
    ]
    assert wrong == []
    Ticket.objects.filter(pk__in=due).update(review_at=as_of)
    escalations = Escalation.objects.count()
    assert review.sweep(clock=lambda: as_of) == 10
    assert Escalation.objects.count() == escalations + 10
    assert not Ticket.objects.exclude(review_error="").exists()


@pytest.mark.django_db
def test_a_desk_that_has_tickets_is_left_alone_unless_one_says_so(house: Any) -> None:
    house.ticket()
    with pytest.raises(CommandError, match="--into-existing"):
        call_command("load_scale", tickets=10)


def test_made_up_tickets_have_no_place_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("load_scale", tickets=10)
