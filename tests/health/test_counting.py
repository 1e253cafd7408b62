"""What the workers of the web server count is one sum, whoever of them is asked and whoever died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.access.addresses import every_pattern
from tests.health.asking import TOKEN, Watcher, total
from tests.processes import Installation, eventually

pytestmark = pytest.mark.slow

COUNTED = "django_http_responses_total_by_status_view_method_total"
PAGE = {"view": "account_login", "method": "GET", "status": "200"}


def test_two_workers_count_together_and_one_that_is_killed_leaves_what_it_counted(
    installation: Installation,
) -> None:
    installation.environment["HELPDESK_METRICS_TOKEN"] = TOKEN
    installation.start("web")
    asks = Watcher(installation.port)
    arbiter = psutil.Process(installation.running["web"].pid)
    workers = {worker.pid for worker in arbiter.children()}
    [folder] = Path("/dev/shm").glob(f"helpdesk-metrics-{arbiter.pid}-*")
    before = total(asks.samples(), COUNTED, **PAGE)

    def worked() -> set[int]:
        """Workers that have timed a request; each has a file of its own."""
        return {
            pid
            for pid in workers
            if b"account_login" in (folder / f"counter_{pid}.db").read_bytes()
        }

    asked = 0
    with ThreadPoolExecutor(8) as crowd:
        while asked < 24 or worked() != workers:
            list(crowd.map(asks.ask, ["/accounts/login/"] * 8))
            asked += 8
            assert asked < 500, "one of them does all the work"
    for _whoever_answers in range(5):
        assert total(asks.samples(), COUNTED, **PAGE) == before + asked
    # What one cannot foresee is no label.
    for path in ("/nowhere/1", "/nowhere/2", "/tickets/HD-17/", "/tickets/HD-18/", "/s/guess/"):
        asks.ask(path)
    asks.ask("/accounts/login/", method="FROB")
    samples = asks.samples()
    labels = {label: set() for label in ("view", "method", "le", "status")}  # type: dict[str, set[str]]
    for name, has in samples:
        if name.startswith("django_"):
            for label, value in has:
                labels[label].add(value)
    known = {name for _path, name in every_pattern()} | {"<unnamed view>"}
    assert labels["view"] <= known
    assert labels["method"] <= {"GET", "HEAD", "POST", "<invalid method>"}
    assert total(samples, COUNTED, method="<invalid method>") == 1
    assert not [
        name for name, has in samples if name.startswith("django_") and "healthz" in str(has)
    ]

    killed = min(workers)
    (folder / f"gauge_livesum_{killed}.db").touch()
    cpu = total(samples, "process_cpu_seconds_total")
    psutil.Process(killed).kill()
    eventually(lambda: killed not in {each.pid for each in arbiter.children()}, what="its burial")
    eventually(lambda: not list(folder.glob(f"*_{killed}.db")), what="its inheritance")
    samples = asks.samples()
    assert total(samples, COUNTED, **PAGE) == before + asked
    assert (
        total(
            samples,
            "django_http_requests_latency_seconds_by_view_method_count",
            **{name: PAGE[name] for name in ("view", "method")},
        )
        >= before + asked
    )
    eventually(lambda: total(asks.samples(), "helpdesk_web_workers") == 2, what="its successor")
    assert total(asks.samples(), "process_cpu_seconds_total") >= cpu
    assert total(asks.samples(), "process_resident_memory_bytes") > 2**20

    installation.stop()
    assert not folder.exists()
