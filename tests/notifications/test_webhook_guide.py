"""What docs/webhooks.md says is so, and its examples run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from django.utils import timezone
from pytest_django import Settings

from notifications.eventtypes import EVENT_TYPES
from notifications.webhookdelivery import SCHEDULE
from tests.house import House
from tests.notifications.hookreceiver import Call, Receiver, receiving
from tests.notifications.test_webhooks import hook, send
from tests.processes import ROOT

GUIDE = (ROOT / "docs/webhooks.md").read_text()


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def told(house: House, settings: Settings) -> Iterator[tuple[str, Call]]:
    """A webhook's key, and an escalation it was told of."""
    settings.HELPDESK_OUTGOING_ALLOW = ["127.0.0.0/8"]
    settings.HELPDESK_OUTGOING_HTTP = True
    with receiving() as receiver:
        webhook = hook(house, receiver, "escalation.opened")
        house.escalate(house.ticket(assignee=house.anna))
        send(timezone.now())
        yield webhook.key, _only(receiver)


def _only(receiver: Receiver) -> Call:
    [call] = receiver.calls
    return call


def shape(value: Any) -> Any:
    """The names in a message, without what stands under them."""
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else ...


def test_every_type_is_in_the_guide_and_no_other() -> None:
    table = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+) \|$", GUIDE, re.MULTILINE))
    assert table == {each.name: str(each.meaning) for each in EVENT_TYPES}


def test_the_schedule_is_the_one_that_is_kept() -> None:
    hours = [round(wait.total_seconds() / 3600) for wait in SCHEDULE[3:]]
    assert [wait.total_seconds() for wait in SCHEDULE[:3]] == [5, 300, 1800]
    said = " ".join(GUIDE.split())
    *few, last = map(str, hours)
    assert f"after 5 seconds, 5 minutes, 30 minutes, {', '.join(few)} and {last} hours" in said


def test_a_message_looks_as_the_guide_shows_it(told: tuple[str, Call]) -> None:
    assert shape(json.loads(example("json"))) == shape(told[1].json)


def test_the_example_in_python_believes_us_and_nobody_else(told: tuple[str, Call]) -> None:
    key, call = told
    known: dict[str, Any] = {}
    exec(example("python"), known)  # noqa: S102  # our own guide
    assert known["received"](key, call.headers, call.body.encode())["type"] == "escalation.opened"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        known["received"](key, call.headers, call.body.replace("HD-", "HX-").encode())


def test_the_example_in_node_believes_us_and_nobody_else(told: tuple[str, Call]) -> None:
    node = shutil.which("node", path=Path(sys.executable).parent)
    assert node is not None, "it comes with the Python packages"
    key, call = told

    def run(body: str) -> subprocess.CompletedProcess[str]:
        asked = f"received({json.dumps(key)}, {json.dumps(dict(call.headers))}, {json.dumps(body)})"
        script = f"{example('js')}\nconsole.log({asked}.type);"
        return subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=30)

    assert run(call.body).stdout.strip() == "escalation.opened"
    assert "not from the helpdesk" in run(call.body.replace("HD-", "HX-")).stderr
