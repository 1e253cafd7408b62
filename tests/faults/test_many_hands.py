"""Two beats, four workers, and every task delivered three times: the work is done once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.faults.after import (
    all_escalated,
    all_sent,
    escalated_once_each,
    received_once_or_under_one_message_id,
    unanswered,
)
from tests.house import House
from tests.processes import Installation, eventually

pytestmark = pytest.mark.slow

TICKETS = 220
"""More than a batch, so that two engines have something each."""


def test_two_beats_four_workers_and_every_task_three_times_do_the_work_once(
    installation: Installation, redis_client: redis.Redis
) -> None:
    house = House()
    made = unanswered(house, TICKETS)
    with three_times(installation, redis_client) as delivered:
        installation.start("engine", "engine2", "mail", "mail2", "beat", "beat2")
        eventually(all_escalated(made), what="every escalation")
        eventually(all_sent, what="every letter sent", seconds=120)

    escalated_once_each(made)
    received_once_or_under_one_message_id(installation)
    arrived = Counter(str(letter["Message-ID"]) for letter in installation.mailbox.letters)
    assert set(arrived.values()) == {1}, "nothing was lost, so nothing comes twice"
    assert min(delivered.values()) > 3


@contextmanager
def three_times(installation: Installation, client: redis.Redis) -> Iterator[Counter[str]]:
    """Stand between those who send tasks and those who carry them out.

    The workers listen at queues of their own; whatever is put into ``engine`` or ``mail`` reaches
    them three times, each under its one id, as it does when a broker delivers anew.
    """
    over = threading.Event()
    delivered: Counter[str] = Counter()
    installation.queues = {"engine": "engine-again", "mail,default": "mail-again"}

    def carry() -> None:
        while not over.is_set():
            taken = client.blpop(["engine", "mail"], timeout=0.2)
            if taken is None:
                continue
            queue, task = taken
            name = queue.decode() if isinstance(queue, bytes) else queue
            delivered[name] += 1
            client.lpush(f"{name}-again", task, task, task)

    relay = threading.Thread(target=carry)
    relay.start()
    try:
        yield delivered
    finally:
        over.set()
        relay.join(10)
