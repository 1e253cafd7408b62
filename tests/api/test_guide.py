"""What the guide says is so: its lines are run as they stand, against a real server."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from escalation.models import Escalation
from tests.api.programs import Program
from tests.house import House
from tests.processes import ROOT, Installation
from tickets.models import Message, Ticket

pytestmark = pytest.mark.slow


def test_every_line_of_the_guide_does_what_it_says(
    house: House, installation: Installation
) -> None:
    for _number in range(2):
        house.ticket()
    installation.start("web")
    guide = (ROOT / "docs/api.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(["echo", *blocks])],
        env={
            **installation.environment,
            "HELPDESK": installation.url,
            "TOKEN": Program(house.anna).raw,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert len(blocks) > 8
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    ticket = Ticket.objects.latest("pk")
    assert (ticket.subject, ticket.impact) == ("POST /v2/invoices returns 502", 1)
    assert Escalation.objects.get(ticket=ticket).state == "withdrawn"
    assert Message.objects.filter(ticket=ticket, text="Asked the vendor.").count() == 1
    said = done.stdout.splitlines()
    for line in ("['key-id']", "withdrawn", "400", "2", "api"):
        assert line in said, (line, done.stdout)
    assert "RateLimit-Remaining" in done.stdout


def test_the_example_runs_from_the_ticket_to_what_came_of_it(
    house: House, installation: Installation
) -> None:
    installation.start("web")

    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "docs/examples/escalate.py")],
        env={
            **installation.environment,
            "HELPDESK": installation.url,
            "TOKEN": Program(house.anna).raw,
            "SPECIALIST": Program(house.priya).raw,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Still missing: key-id." in done.stdout
    assert "Escalated to Integrations." in done.stdout
    assert "Priya Nair has accepted it." in done.stdout
    assert "The escalation is resolved" in done.stdout
    assert Escalation.objects.get().owner == house.priya
