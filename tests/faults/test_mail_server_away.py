"""The mail server refuses, hangs, defers, rejects and drops: the engine does not notice.

Letters arrive once it behaves again, or are shown as what became of them.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notification, OutgoingEmail
from tests.faults.after import (
    all_escalated,
    arrived_once_or_under_one_message_id,
    escalated_once_each,
    unanswered,
)
from tests.house import House
from tests.notifications.mailserver import DROP, MailServer, running
from tests.processes import Installation, eventually

pytestmark = pytest.mark.slow

TICKETS = 10
ONE_LOOK = 10.0
"""Seconds in which the engine has looked, the machine being busy; the interval is half a second."""


def test_whatever_the_mail_server_does_the_engine_goes_on_and_letters_arrive_or_say_why(
    installation: Installation,
) -> None:
    house = House()
    server = MailServer()
    installation.environment |= {
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "EMAIL_TIMEOUT": "2",
    }
    installation.start("engine", "mail", "beat")
    made: list[int] = []

    def due() -> list[int]:
        """Some more is due, and escalates at once, whatever becomes of the letters."""
        tickets = unanswered(house, TICKETS)
        made.extend(tickets)
        eventually(
            all_escalated(made),
            what="escalations while no letter leaves",
            seconds=ONE_LOOK,
        )
        return tickets

    # Nobody listens.
    due()
    eventually(lambda: _tried("Connection refused"), what="a refused connection")
    assert not _in_state("sent")

    # Somebody listens and says nothing.
    with mute_at(server.port):
        _time_passes()
        due()
        eventually(lambda: _tried("timed out"), what="a connection that hangs")
        assert not _in_state("sent")

    with running(server):
        # It is busy.
        server.to_rcpt = lambda _address: "451 greylisted, come back later"
        _time_passes()
        due()
        eventually(lambda: _tried("451"), what="a letter that is put off")
        assert not server.received

        # It breaks off after the message, having kept it: nobody knows, so once more.
        server.to_rcpt = lambda _address: "250 OK"
        server.to_data = lambda number: DROP if number <= 2 else "250 OK"
        _time_passes()
        eventually(lambda: _in_state("uncertain") == 2, what="two letters nobody knows of")
        due()
        eventually(lambda: _all_told(passing=True), what="every letter sent")
        assert sorted(OutgoingEmail.objects.values_list("leases_lost", flat=True))[-3:] == [0, 1, 1]

        # It knows none of these people: final for them, and the leads hear of each.
        known = {mail.to_address for mail in OutgoingEmail.objects.all()}
        server.to_rcpt = lambda address: (
            "250 OK" if address in known or "caller" not in address else "550 no such mailbox"
        )
        unknown = due()
        eventually(lambda: _refused_to(unknown), what="letters that are refused")
        server.to_rcpt = lambda _address: "250 OK"
        eventually(lambda: _all_told(passing=True), what="every other letter sent")

    refused = OutgoingEmail.objects.filter(state="failed")
    assert Counter(refused.filter(kind="escalated").values_list("about", flat=True)) == {
        f"ticket:{pk}": 1 for pk in unknown
    }
    told = Notification.objects.of(house.marco).filter(kind="staff_mail_failed")
    assert told.count() == refused.count()
    escalated_once_each(made)
    arrived_once_or_under_one_message_id(server.message_ids)
    assert max(Counter(server.message_ids).values()) == 2
    for name, process in installation.running.items():
        assert process.poll() is None, f"{name} gave up\n{installation.log(name)}"


def _in_state(state: str) -> int:
    return OutgoingEmail.objects.filter(state=state).count()


def _refused_to(tickets: list[int]) -> bool:
    """Whether every letter to the customers of these has been refused for good."""
    theirs = OutgoingEmail.objects.filter(
        about__in=[f"ticket:{pk}" for pk in tickets], to_address__startswith="caller"
    )
    return not theirs.exclude(state__in=("failed", "withdrawn")).exists()


def _tried(said: str) -> bool:
    return OutgoingEmail.objects.filter(last_error__contains=said).exists()


def _time_passes() -> None:
    """The half minute and more until a letter is tried again."""
    waiting = OutgoingEmail.objects.filter(state__in=("queued", "uncertain"))
    waiting.filter(next_attempt_at__gt=timezone.now()).update(
        next_attempt_at=timezone.now() - timedelta(seconds=1)
    )


def _all_told(*, passing: bool) -> bool:
    if passing:
        _time_passes()
    return not OutgoingEmail.objects.exclude(state__in=("sent", "failed", "withdrawn")).exists()


@contextmanager
def mute_at(port: int) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(16)
        yield
