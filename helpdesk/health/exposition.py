"""Everything that is measured, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from helpdesk.health import families, gauges, processes, tally
from helpdesk.health.bounded import Bounded
from helpdesk.health.readiness import Looks

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
#: Seconds for the gauges, beside what readiness takes; Prometheus gives up after ten.
PATIENCE = 2.0


class Scrapes:
    """Answers what may be asked for every few seconds, whatever is out of order."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._gauges = Bounded(gauges.read)

    def text(self) -> bytes:
        """Every metric there is; those of a database that does not answer are left out."""
        asked = self._gauges.begin()
        readiness = self._looks.look()
        found = [*families.of_ourselves(), *families.of_readiness(readiness)]
        try:
            found += families.of_gauges(asked.result(timeout=PATIENCE))
        except Exception as error:  # whatever is wrong with it, the rest is known
            logger.warning("gauges_not_known", why=error)
        counted = tally.current()
        if counted is None:
            return generate_latest(REGISTRY) + _said(found)
        folder, arbiter = counted
        with tally.undisturbed(folder, alone=False):
            registry = CollectorRegistry(auto_describe=False)
            MultiProcessCollector(registry, str(folder))
            requests = generate_latest(registry)
        return requests + _said([*processes.families(arbiter), *found])


class _Found(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _said(metrics: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Found(metrics))
    return generate_latest(registry)
