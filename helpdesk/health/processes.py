"""What gunicorn's processes take, added up: the library looks at one process only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def families(arbiter: int) -> Iterator[Metric]:
    """The workers of an arbiter and itself; nothing where there is no ``/proc``.

    The processor time of workers that have ended is the arbiter's, who has waited for them.
    """
    workers = _children(arbiter)
    found = [each for pid in (arbiter, *workers) if (each := _read(pid)) is not None]
    if not found:
        return
    yield GaugeMetricFamily(
        "helpdesk_web_workers", "Worker processes of the web server.", len(workers)
    )
    yield GaugeMetricFamily(
        "process_resident_memory_bytes",
        "Resident memory of the web server's processes together.",
        sum(memory for memory, _seconds, _files in found),
    )
    yield CounterMetricFamily(
        "process_cpu_seconds",
        "Processor time of the web server's processes, those that have ended among them.",
        sum(seconds for _memory, seconds, _files in found),
    )
    yield GaugeMetricFamily(
        "process_open_fds",
        "Open files and sockets of the web server's processes.",
        sum(files for _memory, _seconds, files in found),
    )


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _read(pid: int) -> tuple[int, float, int] | None:
    """Bytes in memory, seconds of processor time with those waited for, open files."""
    place = Path("/proc", str(pid))
    with suppress(OSError):
        # The name, in brackets, may hold anything; proc(5) counts the rest from it on.
        fields = (place / "stat").read_text().rpartition(")")[2].split()
        return int(fields[21]) * _PAGE, sum(map(int, fields[11:15])) / _TICKS, _files(place)
    return None


def _files(place: Path) -> int:
    return len(os.listdir(place / "fd"))
