"""A program that watches an installation: asks its three addresses, and reads what it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-for-the-one-who-watches"


@dataclass(frozen=True)
class Said:
    status: int
    body: str
    #: Seconds.
    took: float

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads(self.body)["checks"]
        return found

    @property
    def states(self) -> dict[str, str]:
        return {name: check["state"] for name, check in self.checks.items()}

    def unwell(self) -> dict[str, str]:
        return {name: state for name, state in self.states.items() if state != "ok"}


@dataclass(frozen=True)
class Watcher:
    port: int
    token: str = TOKEN

    def ask(self, path: str, method: str = "GET") -> Said:
        asked = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        began = time.monotonic()
        try:
            asked.request(method, path, headers=headers)
            answer = asked.getresponse()
            return Said(answer.status, answer.read().decode(), time.monotonic() - began)
        finally:
            asked.close()

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample of ``/metrics`` by name and labels."""
        return samples_in(self.ask("/metrics").body)


Sample = tuple[str, frozenset[tuple[str, str]]]


def samples_in(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(samples: Mapping[Sample, float], name: str, **labels: str) -> float:
    """The sum of all samples of a name that have these labels."""
    return sum(
        value
        for (each, has), value in samples.items()
        if each == name and set(labels.items()) <= has
    )
