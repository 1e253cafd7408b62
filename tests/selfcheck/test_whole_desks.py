"""Whole desks keep every promise: the demo with its year, tickets by the hundred, a long story."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from desk.selfcheck import running
from desk.selfcheck.running import Report
from escalation import engine
from notifications import delivery


def found(report: Report) -> dict[str, list[str]]:
    """What is named, by check; and what could not be made."""
    return {
        result.check.name: [result.error, *(row.id for row in result.rows)]
        for result in report.results
        if result.count or result.error
    }


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_tickets_that_were_loaded_keep_every_promise(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    out = StringIO()
    call_command("load_scale", tickets=500, due=0, json=True, verbosity=0, stdout=out)
    as_of = datetime.fromisoformat(json.loads(out.getvalue())["as_of"])
    assert found(running.run(now=as_of, deep=True)) == {}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_demo_keeps_every_promise_once_the_engine_has_run(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    call_command("seed_demo", past=300, stdout=StringIO())
    now = timezone.now() + timedelta(seconds=10)
    engine.turn(clock=lambda: now)
    delivery.send_due(clock=lambda: now, capture=True)
    assert found(running.run(now=now, deep=True)) == {}
