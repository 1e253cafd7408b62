"""PostgreSQL is restarted in mid-batch: all processes come back by themselves."""

from __future__ import annotations

import signal

import pytest
from django.db import OperationalError, connection
from psycopg2 import connect

from escalation.models import Escalation
from tests.faults.after import (
    STOPS_BATCHES,
    all_escalated,
    all_sent,
    escalated_once_each,
    in_mid_batch,
    received_once_or_under_one_message_id,
    unanswered,
)
from tests.faults.servers import own_database, postmaster
from tests.house import House
from tests.processes import Installation, eventually

pytestmark = pytest.mark.slow

TICKETS = 40


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.soak)],
    ids=["restarted", "crashed"],
)
def test_a_database_that_goes_away_in_mid_batch_comes_back_to_everybody(
    installation: Installation, number: signal.Signals
) -> None:
    with own_database(installation) as hold:
        house = House()
        made = unanswered(house, TICKETS)
        # Of its own, since it goes with the server; ``batches_stopped`` would let go by hand.
        barrier = connect(hold.database_url)
        barrier.cursor().execute(STOPS_BATCHES)
        installation.start("web", "engine", "mail", "beat", "run_engine")
        eventually(in_mid_batch, what="a batch half done")
        assert not Escalation.objects.exists(), "nothing of it is committed"
        server = postmaster(hold)
        server.send_signal(number)
        server.wait(30)
        connection.close()
        eventually(_answers, what="the database again")
        assert postmaster(hold).pid != server.pid, "the same one"

        eventually(all_escalated(made), what="every escalation")
        eventually(all_sent, what="every letter sent")
        assert "email" in installation.visitor().get("/accounts/login/")

        # Whoever came back looks again and again, not once.
        for name in ("engine", "run_engine"):
            other = installation.running["run_engine" if name == "engine" else "engine"]
            other.send_signal(signal.SIGSTOP)
            made += unanswered(house, 3)
            eventually(all_escalated(made), what=f"the {name} at work again")
            other.send_signal(signal.SIGCONT)
        eventually(all_sent, what="the last letters")

        escalated_once_each(made)
        received_once_or_under_one_message_id(installation)
        for name, process in installation.running.items():
            assert process.poll() is None, f"{name} gave up\n{installation.log(name)}"


def _answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        connection.close()
        return False
    return True
