"""What the docs and the alert rules say of health is what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from helpdesk import __version__, processes
from helpdesk.health.readiness import NAMES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MONITORING = (DOCS / "monitoring.md").read_text()
RUNBOOK = (DOCS / "runbooks/readiness.md").read_text()
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
#: What PromQL itself means by a word.
LANGUAGE = {
    *("and", "or", "unless", "on", "by", "without", "sum", "rate", "delta", "predict_linear"),
    *("histogram_quantile", "le"),
}
#: Prometheus says itself whether it was answered.
ITS_OWN = {"up"}
SECTIONS = ("**Means**", "**Customers notice**", "**Look**", "**Do**", "**Over**")


def exposed(client: Client) -> dict[str, str]:
    """The kind of each metric by its name, as ``/metrics`` says them here or over all workers."""
    said = client.get("/metrics").content.decode()
    # A worker of gunicorn says these of all, in place of the interpreter's own.
    over_all = {
        "helpdesk_web_workers": "gauge",
        "process_resident_memory_bytes": "gauge",
        "process_cpu_seconds_total": "counter",
        "process_open_fds": "gauge",
    }
    return {**dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", said)), **over_all}


def words_of(expression: str) -> set[str]:
    """The names in an expression that are neither labels, nor values, nor the language's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    return set(re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*", bare)) - LANGUAGE


def anchors(page: str) -> dict[str, str]:
    """The text below each heading, by the anchor it has."""
    parts = re.split(r"(?m)^#+ (.+)$", page)
    return {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-"): text
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.mark.django_db
def test_alerts_ask_only_for_what_is_measured_and_say_what_to_do(client: Client) -> None:
    metrics = exposed(client)
    samples = {
        *metrics,
        *(
            f"{name}{part}"
            for name, kind in metrics.items()
            if kind == "histogram"
            for part in ("_bucket", "_count", "_sum")
        ),
        *ITS_OWN,
    }
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 20
    for rule in RULES:
        name = rule["alert"]
        asked = words_of(rule["expr"])
        assert asked, name
        assert asked <= samples, f"{name} asks for what is not measured"
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"].endswith("."), name
        page, _hash, anchor = rule["annotations"]["runbook"].partition("#")
        assert anchor in anchors((ROOT / page).read_text()), name


@pytest.mark.django_db
def test_every_metric_stands_in_the_docs_and_none_that_is_gone(client: Client) -> None:
    rows = re.findall(r"(?m)^\| (`[a-z_`, ]+`) \|", MONITORING)
    described = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    ours = {
        name
        for name in exposed(client)
        # The interpreter's own are those of one process, and not said by gunicorn's workers.
        if name.startswith(("helpdesk_", "django_http_")) and not name.endswith("_created")
    }
    assert ours <= described, "not in docs/monitoring.md"
    assert {name for name in described if name.startswith(("helpdesk_", "django_"))} <= ours


def test_every_finding_has_a_section_that_says_what_to_do() -> None:
    sections = anchors(RUNBOOK)
    del sections["runbook-what-readyz-finds"]
    assert set(NAMES) <= set(sections)
    for name, text in sections.items():
        for part in SECTIONS:
            assert part in text, f"{name} does not say {part}"
    for name in NAMES:
        assert f"[{name}](runbooks/readiness.md#{name})" in MONITORING


def test_production_counts_as_a_machine_of_ones_own_does() -> None:
    web = processes.commands(port=8000, data_dir=ROOT)["web"]
    same = ["-c", "python:helpdesk.webserver", "helpdesk.wsgi"]
    assert web[web.index("-c") :][:3] == same
    [image] = re.findall(r"(?m)^CMD (\[.+\])$", (ROOT / "Dockerfile").read_text())
    assert json.loads(image)[:4] == ["gunicorn", *same]


def test_what_says_that_it_runs_is_the_release() -> None:
    [release] = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())
    assert __version__ == release
