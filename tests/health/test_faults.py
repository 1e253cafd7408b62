"""What is out of order is said within two seconds, by name, and no longer than it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from notifications import outbox
from notifications.models import OutgoingEmail
from tests.faults.servers import own_database, own_redis, postmaster
from tests.health.asking import TOKEN, Said, Watcher
from tests.house import House
from tests.notifications.letters import letter
from tests.processes import Installation, crowd, eventually, free_port

pytestmark = pytest.mark.slow

LIMITS = "reviews_warning=3,reviews_failed=8,outbox_warning=3,outbox_failed=600,disk_warning=1,disk_failed=0"


@pytest.fixture
def watched(installation: Installation) -> Installation:
    installation.environment |= {
        "HELPDESK_METRICS_TOKEN": TOKEN,
        "HELPDESK_READY_LIMITS": LIMITS,
    }
    return installation


def test_each_fault_is_said_by_its_name_while_it_lasts(watched: Installation) -> None:
    asks = Watcher(watched.port)

    def becomes(unwell: dict[str, str]) -> None:
        eventually(lambda: asks.ask("/readyz").unwell() == unwell, what=f"{unwell}")

    with own_redis() as broker, own_database(watched) as hold:
        watched.environment["REDIS_URL"] = broker.url
        house = House()
        watched.start("web")
        assert Watcher(watched.port, token="").ask("/readyz").status == 200
        becomes({})

        # Redis is away: a warning.
        broker.stop()
        becomes({"redis": "warning"})
        said = asks.ask("/readyz")
        assert said.status == 200
        assert said.took < 2 * crowd()
        broker.start()
        becomes({})

        # The database hangs: no timeout of its own could say so.
        with suspended(postmaster(hold)):
            eventually(lambda: ill(asks, "database"), what="the failure")
            alive = []
            for _again in range(3):
                said = asks.ask("/readyz")
                assert said.status == 503
                assert said.took < 2 * crowd()
                assert said.states["database"] == "failed"
                assert said.states["reviews"] == "unknown"
                assert said.states["redis"] == said.states["disk"] == "ok"
                alive.append(asks.ask("/healthz").took)
            # The quickest: others may be busy, but none of it waits for the database.
            assert min(alive) < 0.5 * crowd()
            scraped = asks.ask("/metrics")
            assert scraped.status == 200
            assert "helpdesk_database_up 0.0" in scraped.body
            assert "helpdesk_reviews_due" not in scraped.body
        becomes({})

        # A migration is missing: the newest one, or one between others.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM django_migrations WHERE app = 'notifications' ORDER BY name"
            )
            names = [name for (name,) in cursor.fetchall()]
            for name in (names[-1], names[1]):
                cursor.execute(
                    "DELETE FROM django_migrations WHERE app = 'notifications' AND name = %s",
                    [name],
                )
                # What the other worker has found a second ago may stand there still.
                missing = f"notifications.{name}"
                said = eventually(
                    lambda missing=missing: ill(asks, "migrations", missing),  # type: ignore[misc]
                    what=f"the failure of {missing}",
                )
                assert said.status == 503
                check = said.checks["migrations"]
                assert (check["state"], check["number"]) == ("failed", 1)
                assert said.states["reviews"] == "unknown"
                cursor.execute(
                    "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
                    ["notifications", name],
                )
                becomes({})

        # Nobody looks at what is due: a warning, and then a failure.
        house.ticket(now=timezone.now())
        eventually(lambda: asks.ask("/readyz").status == 200, what="both workers")
        becomes({"reviews": "warning"})
        said = eventually(lambda: ill(asks, "reviews"), what="the failure")
        assert said.status == 503
        assert said.checks["reviews"]["number"] >= 8
        watched.start("run_engine")
        eventually(lambda: asks.ask("/readyz").states["reviews"] == "ok", what="the engine")

        # The mail server is away: letters are tried again and again, and none goes out.
        OutgoingEmail.objects.all().delete()
        watched.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
        watched.start("mail", "beat")
        outbox.queue(letters=[letter()], now=timezone.now())
        eventually(
            lambda: OutgoingEmail.objects.filter(attempts__gt=0, state="queued").exists(),
            what="an attempt",
        )
        becomes({"outbox": "warning"})
        eventually(lambda: asks.ask("/readyz").checks["outbox"]["number"] >= 3, what="both workers")
        assert "none has gone out" in asks.ask("/readyz").checks["outbox"]["sentence"]


def test_a_database_that_refuses_is_no_reason_to_call_the_process_dead(
    watched: Installation,
) -> None:
    watched.environment["DATABASE_URL"] = "postgres://helpdesk@%2Ftmp%2Fnowhere/helpdesk"
    watched.start("web2")
    asks = Watcher(watched.port + 2)
    eventually(lambda: answers(asks), what="the web server")
    said = asks.ask("/readyz")
    assert (said.status, said.states["database"]) == (503, "failed")
    assert said.took < 2 * crowd()
    assert asks.ask("/healthz").status == 200
    stranger = Watcher(watched.port + 2, token="").ask("/readyz").body
    for secret in ("nowhere", "helpdesk@", "tmp", "sentence"):
        assert secret not in stranger
    # Nor does the log say it again each time somebody asks.
    changes = [line for line in watched.log("web2").splitlines() if "readiness_changed" in line]
    assert sum("check=database" in line for line in changes) in (1, 2)  # once by each worker


def ill(asks: Watcher, name: str, word: str = "") -> Said | None:
    """What is said once this check has failed, for a reason in which the word stands."""
    said = asks.ask("/readyz")
    check = said.checks[name]
    return said if check["state"] == "failed" and word in check["sentence"] else None


@contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def answers(asks: Watcher) -> bool:
    try:
        return asks.ask("/healthz").status == 200
    except OSError:
        return False
