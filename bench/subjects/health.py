"""What programs that watch us ask for, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from bench import figures
from bench.figures import Figure
from helpdesk.health.readiness import KEPT

if TYPE_CHECKING:
    from bench.desk import Desk


def measure(desk: Desk) -> Iterator[Figure]:
    asked = desk.server.client({"Authorization": f"Bearer {settings.HELPDESK_METRICS_TOKEN}"})
    for name, path, pause in (
        ("healthz", "/healthz", 0.0),
        ("readyz", "/readyz", KEPT),
        ("metrics", "/metrics", KEPT),
    ):
        act = partial(asked.get, path)
        yield figures.of(name, desk.size, _spread(act, desk.runs(20), pause), "ms")
    asked.close()


def _spread(act: partial[bytes], runs: int, pause: float) -> list[float]:
    """Each after what the last one found is kept no longer."""
    took = figures.milliseconds(act, runs=1, warm=2)
    for _run in range(runs):
        time.sleep(pause)
        took += figures.milliseconds(act, runs=1, warm=0)
    return took
