"""Brightquay's own policy: the default one, with its rules and what Gold customers get."""

from __future__ import annotations

from datetime import datetime, timedelta

from escalation.defaults import default_body
from escalation.models import Policy, PolicyVersion
from escalation.policyfile import parse_policy

#: Every step counts from the one before it: the lead after five minutes, Platform after ten.
GOLD_PATHS: dict[str, list[dict[str, str]]] = {
    "gold-p1": [
        {"do": "remind", "after": "2m wall"},
        {"do": "lead", "after": "3m wall"},
        {"do": "backup_team", "after": "5m wall"},
    ],
    "gold-p2": [
        {"do": "remind", "after": "15m wall"},
        {"do": "lead", "after": "1h wall"},
        {"do": "backup_team", "after": "2h wall"},
    ],
}

#: That a letter which bounced gives its assignee a follow-up at once is the engine's own.
RULES: list[dict[str, object]] = [
    {
        "key": "p1-unanswered",
        "name": "A P1 ticket has waited 15 minutes for a reply",
        "when": {
            "all": [
                {"fact": "priority", "op": "is", "value": "P1"},
                {"fact": "unanswered_for", "op": "at_least", "value": "15m wall"},
            ]
        },
        "to": [{"category_tier": 2}, {"next_tier": True}],
        "nature": "overdue",
        "urgency": "high",
    },
    {
        "key": "api-unanswered",
        "name": "API integration has waited 4 business hours for a reply",
        "when": {
            "all": [
                {"fact": "category", "op": "is", "value": "api-integration"},
                {"fact": "unanswered_for", "op": "at_least", "value": "4h"},
            ]
        },
        "to": [{"team": "integrations"}, {"next_tier": True}],
        "nature": "overdue",
    },
    {
        "key": "resolution-nearly-used",
        "name": "Three quarters of the resolution target are used",
        "when": {"fact": "resolution_used", "op": "at_least", "value": "75%"},
        "to": [{"next_tier": True}],
        "nature": "overdue",
    },
    {
        "key": "reopened-twice",
        "name": "The ticket has been reopened twice",
        "when": {"fact": "reopened_count", "op": "at_least", "value": 2},
        "to": [{"team_lead": True}, {"manager": True}],
        "nature": "reopened",
    },
    {
        "key": "customer-asks",
        "name": "The customer asks to escalate",
        "when": {"fact": "asked_to_escalate", "op": "is_set"},
        "to": [{"team_lead": True}, {"manager": True}],
        "nature": "customer_asked",
        "once": {"again_after": "24h wall"},
    },
]


def body() -> dict[str, object]:
    """The policy in its canonical form."""
    data = default_body()
    paths, path_for = data["paths"], data["path_for"]
    assert isinstance(paths, dict)
    assert isinstance(path_for, dict)
    data["paths"] = {**paths, **GOLD_PATHS}
    data["path_for"] = {**path_for, "gold": {"P1": "gold-p1", "P2": "gold-p2"}}
    data["rules"] = RULES
    return parse_policy(data).to_body()


def load(*, now: datetime) -> None:
    """Publish it as the next version of the default policy, unless it is in force.

    A policy that people have changed stays in force.
    """
    published = PolicyVersion.objects.filter(published_at__isnull=False)
    newest = published.order_by("published_at", "pk").last()
    wanted = body()
    if newest is not None and (newest.body == wanted or not _is_as_shipped(newest.body)):
        return
    policy, _new = Policy.objects.get_or_create(slug="default", defaults={"name": "Default policy"})
    last = policy.versions.order_by("number").last()
    published_at = now
    if newest is not None and newest.published_at is not None:
        # The one published last is in force.
        published_at = max(now, newest.published_at + timedelta(milliseconds=1))
    PolicyVersion.objects.create(
        policy=policy,
        number=last.number + 1 if last is not None else 1,
        body=wanted,
        created_at=published_at,
        published_at=published_at,
    )


def _is_as_shipped(found: dict[str, object]) -> bool:
    """Whether it is the policy an installation begins with, or the demo's with fewer rules."""
    wanted = body()
    rules = found.get("rules")
    return found == default_body() or (
        {**found, "rules": []} == {**wanted, "rules": []}
        and isinstance(rules, list)
        and isinstance(wanted["rules"], list)
        and rules == wanted["rules"][: len(rules)]
    )
