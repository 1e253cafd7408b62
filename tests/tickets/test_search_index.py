"""The index holds what stands on a ticket, whatever door it came by, in the same transaction."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.house import House, after
from tickets import fulltext, gathering
from tickets.models import (
    Attachment,
    Contact,
    Detail,
    Message,
    Organization,
    SearchEntry,
    Ticket,
)

pytestmark = pytest.mark.django_db


def sql(statement: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def indexed() -> list[Any]:
    """What the index holds, without the places where it stands."""
    return sql(
        "SELECT ticket_id, strip(doc)::text, length, touched_at,"
        " ARRAY(SELECT strip(ts_filter(doc, ARRAY[weight]))::text"
        " FROM unnest('{a,b,c,d}'::\"char\"[]) AS weight)"
        " FROM tickets_searchentry ORDER BY ticket_id"
    )


def rebuilt() -> list[Any]:
    """The same after everything was indexed anew."""
    sql("SELECT tickets_search_rebuild(min(id), max(id)) FROM tickets_ticket")
    return indexed()


def finds(text: str) -> list[int]:
    found = sql(
        "SELECT ticket_id FROM tickets_searchentry"
        " WHERE doc @@ tickets_search_anywhere(tickets_search_query(%s, false)) ORDER BY ticket_id",
        text,
    )
    return [pk for (pk,) in found]


def file(ticket: Ticket, name: str) -> Attachment:
    message = Message.objects.filter(ticket=ticket).earliest("pk")
    return Attachment.objects.create(
        message=message, name=name, content_type="text/plain", size=1, sha256=b"x"
    )


TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40
) | st.sampled_from(["Rechnung für Jürgen", "ERR_504 again", "dana@norvik.example", "ﬁle №5", ""])


def _ticket(house: House, text: str, pick: int) -> None:
    house.ticket(text or "-", text=text, by=(house.dana, house.juergen)[pick % 2])


def _answer(house: House, text: str, pick: int) -> None:
    house.answer(_any(pick), text, now=after(hours=pick))


def _many(house: House, text: str, pick: int) -> None:
    tickets = list(Ticket.objects.order_by("pk"))
    Message.objects.bulk_create(
        Message(
            ticket=tickets[(pick + number) % len(tickets)],
            kind="note",
            channel="desk",
            user=house.anna,
            internal=True,
            text=f"{text} {number}",
            created_at=after(hours=number),
        )
        for number in range(5)
    )


def _detail(house: House, text: str, pick: int) -> None:
    gathering.set_detail(
        ticket_id=_any(pick).pk,
        key=f"k{pick % 3}",
        value=f"v {text}",
        now=after(hours=1),
        by=house.anna,
    )


def _any(pick: int) -> Ticket:
    tickets = list(Ticket.objects.order_by("pk"))
    return tickets[pick % len(tickets)]


def _message(pick: int) -> Message | None:
    messages = list(Message.objects.order_by("pk"))
    return messages[pick % len(messages)] if messages else None


def _rename_contact(house: House, text: str, pick: int) -> None:
    contact = (house.dana, house.juergen)[pick % 2]
    contact.name = text[:100]
    contact.save()


def _redact(house: House, text: str, pick: int) -> None:
    if message := _message(pick):
        Message.objects.filter(pk=message.pk).update(text=text)


def _take_away(house: House, text: str, pick: int) -> None:
    if message := _message(pick):
        message.delete()


def _move(house: House, text: str, pick: int) -> None:
    if message := _message(pick):
        sql(
            "UPDATE tickets_message SET ticket_id = %s WHERE id = %s", _any(pick + 1).pk, message.pk
        )


CHANGES: list[Callable[[House, str, int], object]] = [
    _ticket,
    _answer,
    _many,
    _detail,
    _rename_contact,
    _redact,
    _take_away,
    _move,
    lambda house, text, pick: house.reply(_any(pick), now=after(hours=pick)),
    lambda house, text, pick: (
        Message.objects.filter(ticket=_any(pick)).exists() and file(_any(pick), text[:200])
    ),
    lambda house, text, pick: Attachment.objects.order_by("pk").update(name=text[:200]),
    lambda house, text, pick: Attachment.objects.all().delete(),
    lambda house, text, pick: Detail.objects.filter(ticket=_any(pick)).delete(),
    lambda house, text, pick: sql("UPDATE tickets_detail SET value = %s", text),
    lambda house, text, pick: Organization.objects.filter(pk=house.norvik.pk).update(
        name=text[:99]
    ),
    lambda house, text, pick: Contact.objects.filter(pk=house.dana.pk).update(
        email=f"d{pick}@x.example"
    ),
    lambda house, text, pick: Ticket.objects.filter(pk=_any(pick).pk).update(
        subject=text[:300], customer_reference=text[:80]
    ),
    lambda house, text, pick: sql(
        "UPDATE tickets_ticket SET requester_id = %s, organization_id = NULL WHERE id = %s",
        house.juergen.pk,
        _any(pick).pk,
    ),
    lambda house, text, pick: _any(pick).save(),
]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(CHANGES), TEXT, st.integers(0, 20)), min_size=1, max_size=12
    )
)
def test_whatever_happens_the_index_is_as_if_it_were_made_anew(
    house: House, changes: list[tuple[Callable[[House, str, int], object], str, int]]
) -> None:
    with transaction.atomic():
        house.ticket()
        house.ticket("Other", by=house.juergen)
        for change, text, pick in changes:
            change(house, text, pick)

        assert indexed() == rebuilt()
        transaction.set_rollback(True)
    for contact in (house.dana, house.juergen):
        contact.refresh_from_db()


def test_an_organization_of_many_tickets_is_renamed_without_touching_one(house: House) -> None:
    ticket = house.ticket()
    [(before,)] = sql("SELECT ctid::text FROM tickets_searchentry")

    house.norvik.name = "Zebra Shipping"
    house.norvik.save()

    assert finds("zebra") == [ticket.pk]
    assert finds("logistics") == []
    assert sql("SELECT ctid::text FROM tickets_searchentry") == [(before,)]


def test_a_deleted_ticket_is_gone_from_the_index(house: House) -> None:
    ticket = house.ticket("Gone")
    kept = house.ticket("Kept")

    sql("DELETE FROM tickets_event WHERE ticket_id = %s", ticket.pk)
    Ticket.objects.filter(pk=ticket.pk).delete()

    assert list(SearchEntry.objects.values_list("pk", flat=True)) == [kept.pk]


def test_what_the_engine_writes_on_a_ticket_leaves_its_entry_alone(house: House) -> None:
    ticket = house.ticket()
    [(before,)] = sql("SELECT ctid::text FROM tickets_searchentry WHERE ticket_id = %s", ticket.pk)

    house.sweep(after(minutes=1))
    ticket.refresh_from_db()
    ticket.save()

    assert sql("SELECT ctid::text FROM tickets_searchentry") == [(before,)]


@pytest.mark.parametrize("kind", ["one word", "different words", "CJK", "expanding"])
def test_ten_megabytes_of_text_are_taken_in_and_their_beginning_is_found(
    house: House, kind: str
) -> None:
    chance = random.Random(kind)
    text = {
        "one word": lambda: "zebra " + "x" * 10_000_000,
        "different words": lambda: (
            "zebra "
            + " ".join(
                "".join(chance.choices(string.ascii_lowercase, k=5)) for _ in range(1_700_000)
            )
        ),
        "CJK": lambda: (
            "zebra " + " ".join(chr(0x20000 + number % 42_000) for number in range(1_500_000))
        ),
        # One character that normalisation makes eighteen of, and one word of four.
        "expanding": lambda: "zebra " + "\ufdfa㍿ " * 500_000,
    }[kind]()
    ticket = house.ticket("Large", text=text)
    for number in range(4):
        house.answer(ticket, f"{text} {number}", now=after(minutes=number))

    assert finds("zebra") == [ticket.pk]
    assert indexed() == rebuilt()


def test_words_are_taken_as_they_are_said_in_both_languages(house: House) -> None:
    words = "Die GRÖßE der Æther-Rechnung: Ångström, naïve, ﬁle, Łódź & 東京"
    [(said,)] = sql("SELECT tickets_search_words(%s)", words)

    assert said == "die grosse der aether rechnung angstrom naive file lodz 東京"


def test_tickets_loaded_while_the_triggers_were_off_are_indexed_by_a_command(house: House) -> None:
    first = house.ticket("Zebra one")
    second = house.ticket("Zebra two")
    sql("DELETE FROM tickets_searchentry")
    assert finds("zebra") == []

    out = StringIO()
    call_command("rebuild_search", "--last", str(first.pk), "--json", stdout=out)
    assert out.getvalue().strip() == '{"tickets": 1}'
    assert finds("zebra") == [first.pk]
    call_command("rebuild_search", stdout=StringIO())
    assert finds("zebra") == [first.pk, second.pk]
    assert indexed() == rebuilt()


def test_a_search_that_takes_too_long_is_given_up(house: House) -> None:
    @fulltext.bounded()
    def search() -> None:
        sql("SET LOCAL statement_timeout = '20ms'")
        sql("SELECT pg_sleep(5)")

    with pytest.raises(fulltext.TooBroad):
        search()
    assert sql("SELECT 1") == [(1,)]
