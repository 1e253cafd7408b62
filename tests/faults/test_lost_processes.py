"""A worker is killed in mid-batch, Redis forgets everything: nothing is lost and nothing doubled."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import psutil
import pytest
import redis
from django.db import connection
from django.utils import timezone

from escalation.models import Escalation, Promise
from notifications.models import OutgoingEmail
from tests.house import House
from tests.processes import Installation, eventually
from tickets.models import Ticket

pytestmark = pytest.mark.slow

TICKETS = 500


def unanswered(house: House, count: int) -> list[int]:
    """P1 tickets that have waited for an hour, and that nobody has looked at yet."""
    since = timezone.now() - timedelta(hours=1)
    made = [
        house.ticket(
            f"POST /v2/invoices returns 502, case {number}",
            now=since,
            impact=1,
            urgency=1,
            by=house.contact(f"Caller{number} Reyes", house.norvik),
        ).pk
        for number in range(count)
    ]
    Ticket.objects.filter(pk__in=made).update(review_at=since)
    return made


def escalated_once_each(made: list[int]) -> None:
    """Escalations = distinct keys = expected; promise and letter once each; nothing overdue."""
    assert Counter(Escalation.objects.values_list("ticket", flat=True)) == dict.fromkeys(made, 1)
    assert Counter(Promise.objects.values_list("ticket", flat=True)) == dict.fromkeys(made, 1)
    letters = OutgoingEmail.objects.filter(kind="escalated")
    assert Counter(letters.values_list("about", flat=True)) == {f"ticket:{pk}": 1 for pk in made}
    assert not Ticket.objects.exclude(review_error="").exists()
    overdue = timezone.now() - timedelta(seconds=5)
    assert not Ticket.objects.filter(review_at__lt=overdue).exists()


def received_once_or_under_one_message_id(installation: Installation) -> None:
    """Every letter arrived; one that arrived twice did so under one Message-ID."""
    arrived = Counter(str(letter["Message-ID"]) for letter in installation.mailbox.letters)
    rows = {mail.message_id: mail for mail in OutgoingEmail.objects.all()}
    assert set(arrived) == set(rows)
    for message_id, times in arrived.items():
        assert times <= 1 + rows[message_id].leases_lost, rows[message_id]


def all_sent() -> bool:
    return not OutgoingEmail.objects.exclude(state="sent").exists()


def in_mid_batch(installation: Installation) -> bool:
    """Whether the engine is inside a transaction that has begun to write escalations."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state <> 'idle' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            " AND query ~* '^(insert|update|select).*(escalation_|tickets_ticket)'"
        )
        [busy] = cursor.fetchone()
    return bool(busy) and Escalation.objects.exists()


def test_a_worker_killed_in_mid_batch_costs_nothing(installation: Installation) -> None:
    house = House()
    made = unanswered(house, TICKETS)
    installation.start("engine", "beat")

    eventually(lambda: in_mid_batch(installation), what="a batch half done")
    installation.kill("engine")
    assert Escalation.objects.count() < TICKETS, "killed too late to prove anything"
    installation.start("engine")
    eventually(lambda: Escalation.objects.count() == TICKETS, what="every escalation")

    escalated_once_each(made)


def test_a_mail_worker_killed_while_sending_sends_the_rest_and_no_letter_under_two_names(
    installation: Installation,
) -> None:
    house = House()
    unanswered(house, 60)
    installation.environment["HELPDESK_MAIL_LEASE"] = "3"
    installation.start("engine", "mail", "beat")

    eventually(lambda: len(installation.mailbox.letters) > 20, what="the first letters")
    installation.kill("mail")
    installation.start("mail")
    eventually(all_sent, what="every letter sent")

    received_once_or_under_one_message_id(installation)


def test_a_flushed_redis_costs_an_interval_and_nothing_else(
    installation: Installation, redis_client: redis.Redis
) -> None:
    house = House()
    installation.start("engine", "mail", "beat")
    eventually(lambda: redis_client.keys("*"), what="the broker at work")

    made = unanswered(house, 50)
    for _time in range(5):
        redis_client.flushdb()
    eventually(lambda: Escalation.objects.count() == 50, what="every escalation")
    redis_client.flushdb()
    eventually(all_sent, what="every letter sent")

    escalated_once_each(made)
    received_once_or_under_one_message_id(installation)
    for process in installation.running.values():
        assert psutil.Process(process.pid).is_running()
