"""A contact is renamed, or proves their address, in the moment a ticket of theirs is opened."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.db import connection, transaction

from escalation import endings
from tests.house import START, House, after
from tests.tickets.test_search_index import finds, indexed, rebuilt
from tickets import directory, intake, verifying, webform
from tickets.intake import Incoming
from tickets.models import Contact
from tickets.models.ticket import Channel, SenderVerdict, Ticket

ROUNDS = 12


def at_the_same_time(*acts: Callable[[], Any]) -> None:
    """Everything at once, on connections of their own; what fails, fails here."""
    start = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(30)
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(do, act) for act in acts]:
            done.result(60)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # What it shows would be the same until the transaction's end.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def a_verified_one() -> House:
    """Dana's address is proven: nothing but the search holds her when a ticket is opened."""
    house = House()
    verifying.prove(contact=house.dana, now=START)
    return house


def test_who_is_renamed_while_their_ticket_is_opened_is_found_by_the_new_name(
    transactional_db: None,
) -> None:
    house = a_verified_one()

    def rename() -> None:
        try:
            directory.change_contact(
                contact_id=house.dana.pk, changes={"name": "Dana Quillfeather"}
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ticket = house.ticket()
            renaming = pool.submit(rename)
            while not (waits_for_a_lock() or renaming.done()):
                wait([renaming], timeout=0.01)
        renaming.result(30)

    assert finds("Quillfeather") == [ticket.pk]
    assert indexed() == rebuilt()


def test_a_ticket_opened_while_its_contact_is_renamed_is_found_by_the_new_name(
    transactional_db: None,
) -> None:
    house = a_verified_one()

    def open_one() -> Ticket:
        try:
            return house.ticket()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            directory.change_contact(
                contact_id=house.dana.pk, changes={"name": "Dana Quillfeather"}
            )
            opening = pool.submit(open_one)
            while not (waits_for_a_lock() or opening.done()):
                wait([opening], timeout=0.01)
        ticket = opening.result(30)

    assert finds("Quillfeather") == [ticket.pk]
    assert indexed() == rebuilt()


def test_nobody_who_writes_opens_renames_or_proves_waits_for_another_in_a_circle(
    transactional_db: None,
) -> None:
    house = House()
    chance = random.Random(7)
    for number in range(ROUNDS):
        visitor = webform.Visitor(
            email=f"visitor{number}@norvik.example", name="Visitor", language="en"
        )
        acts = everything_of(visitor, _closed(house, visitor))
        chance.shuffle(acts)
        at_the_same_time(*acts)

    assert len(finds("Vera")) == Ticket.objects.count() == 5 * ROUNDS
    assert indexed() == rebuilt()


def _submit(visitor: webform.Visitor) -> Ticket:
    return webform.submit(
        visitor=visitor,
        subject="Export stops",
        incoming=Incoming(text="It stops at row 500.", channel=Channel.WEB),
        category=None,
        details={},
        now=START,
    ).ticket


def _closed(house: House, visitor: webform.Visitor) -> Ticket:
    ticket = _submit(visitor)
    endings.resolve(ticket_id=ticket.pk, outcome="Restarted.", now=START, by=house.anna)
    endings.close(ticket_id=ticket.pk, now=START, by=house.anna)
    return ticket


def everything_of(visitor: webform.Visitor, closed: Ticket) -> list[Callable[[], Any]]:
    """What a contact can do, or have done, that holds their row: each as a request of its own."""

    def contact() -> Contact:
        return Contact.objects.get(pk=closed.requester_id)

    def write(verdict: SenderVerdict) -> None:
        intake.append_message(
            ticket_id=closed.pk,
            contact=contact(),
            incoming=Incoming(text="It stops again.", channel=Channel.MAIL, sender_verdict=verdict),
            now=after(days=90),
        )

    def rename() -> None:
        directory.change_contact(contact_id=closed.requester_id, changes={"name": "Vera Visitor"})

    return [
        lambda: _submit(visitor),
        lambda: _submit(visitor),
        lambda: write(SenderVerdict.NONE),
        lambda: write(SenderVerdict.PASS),
        rename,
        lambda: verifying.prove(contact=contact(), now=after(hours=1)),
    ]
