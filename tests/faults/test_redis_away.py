"""Redis is away for a while: pages, mail in and the engine go on, and the workers come back."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from escalation.models import Escalation
from notifications.models import OutgoingEmail
from tests.faults.after import (
    all_escalated,
    all_sent,
    escalated_once_each,
    received_once_or_under_one_message_id,
    unanswered,
)
from tests.faults.servers import OwnRedis, own_redis
from tests.house import House
from tests.pages.acting import form
from tests.processes import PATIENCE, Installation, eventually
from tickets.models import Message, Ticket

pytestmark = pytest.mark.slow

MAIL = b"""From: Dana Reyes <dana@norvik.example>
To: support@brightquay.example
Subject: Nothing arrives any more
Message-ID: <%d@norvik.example>
Date: Tue, 24 Nov 2026 10:12:00 +0100
Content-Type: text/plain; charset=utf-8

Since %d o'clock no invoice has arrived. What is wrong?
"""
PASSWORD = "a long enough sentence"
ONE_LOOK = 10.0
"""Seconds in which the engine has looked, the machine being busy; the interval is half a second."""


@pytest.fixture
def broker(installation: Installation) -> Iterator[OwnRedis]:
    with own_redis() as server:
        installation.environment["REDIS_URL"] = server.url
        yield server
        installation.stop()


@pytest.mark.parametrize(
    "seconds", [30, pytest.param(600, marks=pytest.mark.soak)], ids=["half-a-minute", "ten-minutes"]
)
def test_while_redis_is_away_pages_mail_in_and_the_engine_go_on_and_then_the_workers_come_back(
    installation: Installation, broker: OwnRedis, seconds: int
) -> None:
    house = House()
    house.anna.set_password(PASSWORD)
    house.anna.save()
    installation.start("web", "engine", "mail", "beat", "run_engine")
    anna = installation.visitor()
    anna.sign_in(house.anna.email, PASSWORD)
    made = unanswered(house, 5)
    eventually(lambda: Escalation.objects.count() == 5 and all_sent(), what="a desk at work")

    broker.stop()
    gone_at, rounds = time.monotonic(), 0
    while rounds < 3 or time.monotonic() < gone_at + seconds:
        rounds += 1
        # Signing in, reading, answering, and at once: nothing of it needs Redis.
        began = time.monotonic()
        installation.visitor().sign_in(house.anna.email, PASSWORD)
        arrived = json.loads(
            installation.manage("ingest_email", "-", stdin=MAIL % (rounds, rounds))
        )
        assert arrived["outcome"] == "created", arrived
        page = anna.get(f"/tickets/{arrived['ticket']}/")
        anna.post(f"/tickets/{arrived['ticket']}/reply/", **_reply(page))
        assert time.monotonic() - began < 30, "somebody waits for Redis"
        answered = Ticket.objects.get(pk=Ticket.number_in(arrived["ticket"]) or 0)
        assert Message.objects.filter(ticket=answered, user=house.anna).exists()
        # What is due escalates within a look.
        made += unanswered(house, 5)
        eventually(
            all_escalated(made),
            what="escalations without Redis",
            seconds=ONE_LOOK,
        )
        time.sleep(0.5)
    assert _running(installation), "nobody gave up"

    broker.start()
    installation.running["run_engine"].terminate()
    installation.running.pop("run_engine").wait(timeout=30)
    made += unanswered(house, 5)
    eventually(all_escalated(made), what="the engine at work again")
    # What waited goes out first: a minute's outage leaves a second's work, ten of them ten.
    eventually(all_sent, what="every letter sent", seconds=PATIENCE + seconds / 5)

    escalated_once_each(made)
    received_once_or_under_one_message_id(installation)
    kinds = Counter(OutgoingEmail.objects.values_list("kind", flat=True))
    assert kinds["reply"] == rounds
    assert _running(installation)


def _reply(page: str) -> dict[str, str]:
    return {**form(page, "/reply/"), "text": "We are looking into it.", "status": "open"}


def _running(installation: Installation) -> bool:
    return all(process.poll() is None for process in installation.running.values())
