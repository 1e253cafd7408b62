"""What an installation needs before its first ticket can be escalated: a policy."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

import yaml

from escalation.models import Policy, PolicyVersion
from escalation.policyfile import parse_policy


def default_body() -> dict[str, object]:
    """The policy we ship, as its file says it."""
    text = files("escalation").joinpath("policies", "default.yml").read_text(encoding="utf-8")
    body = yaml.safe_load(text)
    return parse_policy(body).to_body()


def load_defaults(*, now: datetime) -> int:
    """Publish the default policy where none is in force; returns how many were added."""
    if PolicyVersion.objects.filter(published_at__isnull=False).exists():
        return 0
    policy, _created = Policy.objects.get_or_create(
        slug="default", defaults={"name": "Default policy"}
    )
    PolicyVersion.objects.create(
        policy=policy, number=1, body=default_body(), created_at=now, published_at=now
    )
    return 1
