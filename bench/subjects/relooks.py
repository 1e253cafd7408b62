"""A policy is published: a walk over every open ticket, and by how much it delays what is due.

While the engine walks, another connection makes a ticket due five times a second, at both ends of
the walk; the delay is how long after that it was reviewed. This comes last: it changes the policy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from bench import figures
from bench.desk import Desk
from bench.figures import Figure
from escalation import engine, publishing
from escalation.models import PolicyVersion, Relook
from escalation.policyfile import parse_policy
from escalation.tasks import database_clock
from notifications import openingtime
from tickets.models import Ticket
from tickets.models.ticket import ENDED

#: The walk is told for so many tickets.
TOLD_FOR = 30_000


def measure(desk: Desk) -> Iterator[Figure]:
    # As every worker does.
    openingtime.begin()
    # What has come due while the others measured is not what is measured here.
    while engine.turn(clock=database_clock):
        pass
    walk, _delays = _walk({"clock_warning": "20%"}, disturbed=False)
    yield figures.of("30,000 re-looks, every one differs", desk.size, [walk], "s")
    walk, delays = _walk({"clock_warning": "30%"}, disturbed=True)
    yield figures.of("due while re-looking", desk.size, delays, "ms")
    walk, _delays = _walk({"auto_close_after": "15d wall"}, disturbed=False)
    yield figures.of("30,000 re-looks, none differs", desk.size, [walk], "s")


def _walk(changes: Mapping[str, Any], *, disturbed: bool) -> tuple[float, list[float]]:
    """Publish the policy with some parts replaced, and walk until nothing is left."""
    in_force = PolicyVersion.objects.select_related("policy").in_force()
    publishing.apply(
        policy=in_force.policy,
        spec=parse_policy({**in_force.body, **changes}),
        to_open_tickets=False,
        now=database_clock(),
        by=None,
    )
    probe = _Probe()
    if disturbed:
        probe.start()
    began = time.perf_counter()
    while Relook.objects.pending().exists():
        engine.turn(clock=database_clock)
    took = time.perf_counter() - began
    looked = Relook.objects.latest("pk").looked
    # The engine goes on as it does in life, until the last one that was made due is through.
    while disturbed and not probe.ended():
        engine.turn(clock=database_clock)
    return took * TOLD_FOR / max(1, looked), probe.waited or [0.0]


class _Probe(threading.Thread):
    """Makes a ticket due five times a second, and sees when each has been reviewed."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._over = threading.Event()
        self.waited: list[float] = []

    def run(self) -> None:
        ends = list(
            Ticket.objects.exclude(status__in=ENDED).order_by("pk").values_list("pk", flat=True)
        )
        number = 0
        while not self._over.wait(0.2):
            ticket = Ticket.objects.filter(pk=ends[-1 - number if number % 2 else number])
            number += 1
            ticket.update(review_at=Now(), updated_at=F("updated_at"))
            due = time.perf_counter()
            while ticket.filter(review_at__lte=Now()).exists():
                time.sleep(0.005)
            self.waited.append((time.perf_counter() - due) * 1000)
        connection.close()

    def ended(self) -> bool:
        self._over.set()
        self.join(timeout=0.01)
        return not self.is_alive()
