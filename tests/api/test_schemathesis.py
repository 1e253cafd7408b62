"""Whatever a program may send, as the schema has it or not: nothing breaks, and every answer is one
the schema foresees.

Schemathesis reads the schema from a running server and sends what it makes of it, with the tokens
of several people; it knows some tickets and ids, so that not everything ends at a 404.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone

from escalation.models import Escalation
from staff.apitokens import Scope
from tests.api.programs import Program
from tests.house import House
from tests.processes import Installation
from tickets.models import Contact, FollowUp, Organization, Ticket

pytestmark = pytest.mark.slow

READING = tuple(scope for scope in Scope if scope.endswith(":read"))
SETTINGS = """
[dictionaries.tickets]
values = {tickets}

[dictionaries.ids]
values = {ids}

[dictionaries.teams]
values = ["emea", "integrations", "platform"]

[parameters]
"path.ticket" = {{ dictionary = "tickets", probability = 0.9 }}
"path.pk" = {{ dictionary = "ids", probability = 0.9 }}
"body.team" = {{ dictionary = "teams", probability = 0.8 }}
"query.team" = {{ dictionary = "teams", probability = 0.5 }}

# What fits the schema may still be refused: somebody else has to do it, or it was done.
[checks]
positive_data_acceptance.enabled = false
# The default, and what is too long or too large.
negative_data_rejection.expected-statuses = [
  400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429
]
"""


@dataclass(frozen=True)
class Asker:
    """Whose token it is, what it may, and for how long it asks."""

    person: str
    seconds: int
    scopes: Sequence[str] = tuple(Scope)
    options: Sequence[str] = ()


def for_short(
    person: str, seconds: int, phases: str, scopes: Sequence[str] = tuple(Scope)
) -> Asker:
    """Always the same requests, of all askers for two minutes."""
    return Asker(
        person, seconds, scopes, (f"--phases={phases}", "--seed=1", "--generation-deterministic")
    )


def for_long(person: str, scopes: Sequence[str] = tuple(Scope)) -> object:
    """Another seed each time; the failure's report names it."""
    return pytest.param(Asker(person, 600, scopes), marks=pytest.mark.soak)


@pytest.mark.parametrize(
    "asker",
    [
        for_short("sam", 45, "examples,coverage"),
        for_short("anna", 35, "fuzzing"),
        for_short("grace", 25, "stateful"),
        for_short("helen", 15, "fuzzing", READING),
        for_long("sam"),
        for_long("anna"),
        for_long("grace"),
        for_long("helen", READING),
    ],
    ids=lambda asker: f"{asker.person}-{asker.seconds}s",
)
def test_nothing_breaks_and_no_answer_is_unforeseen(
    house: House, installation: Installation, tmp_path: Path, asker: Asker
) -> None:
    _fill(house)
    installation.environment["HELPDESK_API_RATE"] = "1000000/minute"
    installation.start("web")
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(
        SETTINGS.format(
            tickets=[ticket.reference for ticket in Ticket.objects.order_by("pk")],
            ids=list(_ids()),
        )
    )
    program = Program(getattr(house, asker.person), asker.scopes)

    done = _ask(installation, settings, program, asker)

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{installation.log('web')}"


def _fill(house: House) -> None:
    now = timezone.now()
    tickets = [house.ticket(assignee=house.anna, now=now) for _number in range(4)]
    house.escalate(tickets[0], now=now)
    taken = house.escalate(tickets[1], now=now)
    assert Program(house.priya).post(f"/escalations/{taken.pk}/accept/").status == 200
    house.reply(tickets[2], now=now)


def _ids() -> Iterator[int]:
    for model in (Escalation, FollowUp, Contact, Organization):
        yield from model._default_manager.order_by("pk").values_list("pk", flat=True)[:3]


def _ask(
    installation: Installation, settings: Path, program: Program, asker: Asker
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(settings),
            "run",
            f"{installation.url}/api/v1/schema/",
            "--header",
            f"Authorization: Bearer {program.raw}",
            f"--max-time={asker.seconds}",
            "--no-color",
            "--warnings=off",
            *asker.options,
        ],
        cwd=settings.parent,
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=asker.seconds + 120,
    )
