"""A worker is killed in mid-batch, Redis forgets everything: nothing is lost and nothing doubled."""

from __future__ import annotations

from datetime import timedelta

import psutil
import pytest
import redis
from django.utils import timezone

from escalation.models import Escalation
from tests.faults.after import (
    all_escalated,
    all_sent,
    batches_stopped,
    escalated_once_each,
    in_mid_batch,
    received_once_or_under_one_message_id,
    unanswered,
)
from tests.house import House
from tests.processes import Installation, eventually
from tickets.models import Ticket

pytestmark = pytest.mark.slow

TICKETS = 200


def test_a_worker_killed_in_mid_batch_costs_nothing(installation: Installation) -> None:
    house = House()
    made = unanswered(house, TICKETS)
    rest = Ticket.objects.filter(pk__in=made[TICKETS // 2 :])
    rest.update(review_at=timezone.now() + timedelta(hours=1))
    installation.start("engine", "beat")
    eventually(lambda: Escalation.objects.count() == TICKETS // 2, what="the first half")

    # However fast it is, its next batch is killed in the middle.
    with batches_stopped():
        rest.update(review_at=timezone.now())
        eventually(in_mid_batch, what="a batch half done")
        installation.kill("engine")
    assert Escalation.objects.count() == TICKETS // 2
    installation.start("engine")
    eventually(lambda: Escalation.objects.count() == TICKETS, what="every escalation")

    escalated_once_each(made)


def test_a_mail_worker_killed_while_sending_sends_the_rest_and_no_letter_under_two_names(
    installation: Installation,
) -> None:
    house = House()
    made = unanswered(house, 60)
    installation.environment["HELPDESK_MAIL_LEASE"] = "3"
    installation.start("engine", "mail", "beat")

    eventually(lambda: len(installation.mailbox.letters) > 20, what="the first letters")
    installation.kill("mail")
    installation.start("mail")
    eventually(all_escalated(made), what="every escalation")
    eventually(all_sent, what="every letter sent")

    escalated_once_each(made)
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
