"""The engine: an idle look, and escalations a second with one process and with two.

Each escalation is whole: its record, hand-off, package, decision, promise, follow-up, clock, events,
notifications and the letter's row.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.db.models import F

from bench import figures
from bench.desk import Desk, statements
from bench.figures import Figure
from bench.subjects.memory import worker
from escalation import engine, review
from escalation.models import Escalation
from tickets.models import Ticket

ROOT = Path(__file__).resolve().parent.parent.parent
#: Until they are wanted, tickets that are due wait as if they were not.
PUT_OFF = timedelta(days=36_500)


def measure(desk: Desk) -> Iterator[Figure]:
    due = list(
        Ticket.objects.due_for_review(desk.as_of).order_by("pk").values_list("pk", flat=True)
    )
    Ticket.objects.filter(pk__in=due).update(review_at=F("review_at") + PUT_OFF)
    review.sweep(clock=lambda: desk.as_of)
    yield figures.of(
        "idle sweep",
        desk.size,
        figures.milliseconds(lambda: engine.turn(clock=lambda: desk.as_of), runs=desk.runs(100)),
        "ms",
        sql=statements(lambda: engine.turn(clock=lambda: desk.as_of)),
    )
    third = len(due) // 10 * 3
    one = [_swept(desk, part, processes=1) for part in _parts(due[:third], 3)]
    yield figures.of("escalations, one process", desk.size, one, "a second", better="higher")
    two = [_swept(desk, part, processes=2) for part in _parts(due[third : 3 * third], 3)]
    yield figures.of("escalations, two processes", desk.size, two, "a second", better="higher")
    yield figures.of(
        "two processes against one", desk.size, [max(two) / max(one)], "times", better="higher"
    )
    yield worker(desk, due[3 * third :])


def _parts(due: list[int], count: int) -> list[list[int]]:
    size = max(1, len(due) // count)
    return [due[start : start + size] for start in range(0, size * count, size)]


def put_on(due: list[int]) -> None:
    """Have these tickets be due again."""
    Ticket.objects.filter(pk__in=due).update(review_at=F("review_at") - PUT_OFF)


def _swept(desk: Desk, due: list[int], *, processes: int) -> float:
    """Escalations a second while these tickets are reviewed."""
    before = Escalation.objects.count()
    put_on(due)
    command = [sys.executable, "-m", "bench.sweeper", desk.as_of.isoformat()]
    sweepers = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _process in range(processes)
    ]
    for sweeper in sweepers:
        assert sweeper.stdout is not None
        assert sweeper.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for sweeper in sweepers:
        assert sweeper.stdin is not None
        sweeper.stdin.write("go\n")
        sweeper.stdin.flush()
    for sweeper in sweepers:
        assert sweeper.stdout is not None
        sweeper.stdout.readline()
    took = time.perf_counter() - began
    for sweeper in sweepers:
        sweeper.communicate()
    made = Escalation.objects.count() - before
    assert made == len(due), f"{made} escalations of {len(due)} due tickets"
    return made / took
