"""``manage.py selfcheck``: 0, or it says what."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.house import House


def selfcheck(*arguments: str) -> tuple[int, str]:
    """How the command ends, and what it says."""
    out = StringIO()
    try:
        call_command("selfcheck", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_a_desk_where_nothing_has_happened_keeps_every_promise(house: House) -> None:
    code, said = selfcheck("--json")
    report: dict[str, Any] = json.loads(said)
    assert {check["name"]: check["rows"] for check in report["checks"] if check["count"]} == {}
    assert (code, report["found"], report["failed"]) == (0, 0, 0)
