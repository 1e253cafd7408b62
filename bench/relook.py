"""How long a walk over many open tickets takes, and by how much it delays what is due meanwhile.

    .venv/bin/python -m bench.relook [--tickets 30000]

On servers of its own. Prints a line of JSON for a policy under which every next look differs, and
one for a policy under which none does. While the engine walks, another connection makes a ticket
due five times a second, at both ends of the walk; the delay is how long after that it was reviewed.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.installation import fill, installation


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tickets", type=int, default=30_000)
    tickets: int = parser.parse_args(arguments).tickets
    with installation():
        fill(tickets=tickets)
        measure("every next look differs", {"clock_warning": "20%"}, disturbed=False)
        measure("every next look differs", {"clock_warning": "30%"}, disturbed=True)
        measure("no next look differs", {"auto_close_after": "15d wall"}, disturbed=True)


def measure(what: str, changes: Mapping[str, Any], *, disturbed: bool) -> None:
    """Publish the policy with some parts replaced, and walk until nothing is left."""
    from escalation import engine, publishing
    from escalation.models import PolicyVersion, Relook
    from escalation.policyfile import parse_policy
    from escalation.tasks import database_clock

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
    relook = Relook.objects.latest("pk")
    figures: dict[str, object] = {
        "what": what,
        "looked": relook.looked,
        "changed": relook.changed,
        "seconds": round(took, 2),
        "per_second": round(relook.looked / took),
    }
    if disturbed:
        # The engine goes on as it does in life, until the last one that was made due is through.
        while not probe.ended():
            engine.turn(clock=database_clock)
        figures |= probe.delays()
    print(json.dumps(figures), flush=True)


class _Probe(threading.Thread):
    """Makes a ticket due five times a second, and sees when each has been reviewed."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._over = threading.Event()
        self._waited: list[float] = []

    def run(self) -> None:
        from django.db import connection
        from django.db.models import F
        from django.db.models.functions import Now

        from tickets.models import Ticket

        ends = list(Ticket.objects.order_by("pk").values_list("pk", flat=True))
        number = 0
        while not self._over.wait(0.2):
            ticket = Ticket.objects.filter(pk=ends[-1 - number if number % 2 else number])
            number += 1
            ticket.update(review_at=Now(), updated_at=F("updated_at"))
            due = time.perf_counter()
            while ticket.filter(review_at__lte=Now()).exists():
                time.sleep(0.005)
            self._waited.append(time.perf_counter() - due)
        connection.close()

    def ended(self) -> bool:
        self._over.set()
        self.join(timeout=0.01)
        return not self.is_alive()

    def delays(self) -> dict[str, object]:
        waited = sorted(self._waited) or [0.0]
        return {
            "due_meanwhile": len(self._waited),
            "delayed_median_ms": round(waited[len(waited) // 2] * 1000),
            "delayed_at_most_ms": round(waited[-1] * 1000),
        }


if __name__ == "__main__":
    main(sys.argv[1:])
