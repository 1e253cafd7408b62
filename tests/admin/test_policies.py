"""Policies behind ``/admin/``: drafts, and publishing them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.test import Client

from escalation.defaults import default_body
from escalation.models import Clock, Policy, PolicyVersion, Relook
from tests.admin.rows import BACKEND, of
from tests.pages.desk import Desk, words


def policy_form(policy: Policy, text: str) -> dict[str, Any]:
    return {
        "name": policy.name,
        "slug": policy.slug,
        "file": text,
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
    }


@pytest.fixture
def policy(desk: Desk) -> Policy:
    """The default policy, in force."""
    made = Policy.objects.create(slug="default", name="Default")
    PolicyVersion.objects.create(
        policy=made,
        number=1,
        body=default_body(),
        created_at=desk.now - timedelta(days=1),
        published_at=desk.now - timedelta(days=1),
    )
    return made


def changed(**parts: Any) -> str:
    return yaml.safe_dump({**default_body(), **parts}, sort_keys=False)


def test_another_policy_is_a_draft_until_it_is_published(
    sam: Client, desk: Desk, policy: Policy
) -> None:
    page = sam.post(of(policy), policy_form(policy, changed(clock_warning="60%")), follow=True)

    assert "Version 2 is kept as a draft." in words(page)
    draft = PolicyVersion.objects.get(number=2)
    assert (draft.published_at, draft.created_by) == (None, desk.sam)
    assert PolicyVersion.objects.in_force().number == 1

    address = of(draft, "publish")
    confirm = sam.get(address)
    assert "-clock_warning: 75%" in words(confirm)
    assert "+clock_warning: 60%" in words(confirm)
    assert PolicyVersion.objects.in_force().number == 1

    done = sam.post(address, follow=True)

    assert "Default v2 is in force." in words(done)
    assert PolicyVersion.objects.in_force() == draft
    assert PolicyVersion.objects.in_force().spec.clock_warning == 60


@pytest.mark.parametrize("to_open_tickets", [False, True])
def test_who_publishes_is_shown_what_open_tickets_would_get_and_decides(
    sam: Client, desk: Desk, policy: Policy, to_open_tickets: bool
) -> None:
    ticket = desk.ticket("Invoices fail")
    Clock.objects.create(
        ticket=ticket,
        kind="resolution",
        policy_version=PolicyVersion.objects.get(),
        budget=timedelta(hours=60),
        consumed=timedelta(),
        state="running",
        started_at=desk.now,
        changed_at=desk.now,
        running_since=desk.now,
        due_at=desk.now + timedelta(hours=60),
    )
    targets: Any = default_body()["targets"]
    for of_plan in targets.values():
        for row in of_plan.values():
            row["resolution"] = "7h"
    sam.post(of(policy), policy_form(policy, changed(targets=targets)))
    address = of(PolicyVersion.objects.get(number=2), "publish")

    page = sam.get(address)
    assert "Resolution" in words(page)
    assert "7h 1" in words(page)

    sam.post(address, {"to_open_tickets": "1"} if to_open_tickets else {})

    relook = Relook.objects.get()
    assert (relook.to_open_tickets, relook.created_by) == (to_open_tickets, desk.sam)


def test_what_was_published_is_not_published_again(sam: Client, desk: Desk, policy: Policy) -> None:
    version = PolicyVersion.objects.get()

    assert sam.post(of(version, "publish")).status_code == 403
    version.refresh_from_db()
    assert version.published_at == desk.now - timedelta(days=1)


def test_only_admins_publish(desk: Desk, policy: Policy) -> None:
    draft = PolicyVersion.objects.create(
        policy=policy, number=2, body=default_body(), created_at=desk.now
    )
    client = Client()
    client.force_login(desk.helen, BACKEND)

    assert client.post(of(draft, "publish"), follow=True).status_code == 403
    assert PolicyVersion.objects.in_force().number == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules: [", "line 1, column 9"),
        ("", "This field is required."),
        ("- a", "must be a mapping"),
        ("a: &x 1\nb: *x", "line 2, column 4: write it out: no references"),
        ("pausing: []\npausing: []", "line 2, column 1: “pausing” stands here twice"),
        (changed(clock_warning="150%"), "clock_warning: must not be more than 100%"),
        (
            changed(paths={"urgent": [{"do": "shout", "after": "5m wall"}]}),
            "paths.urgent[0].do: must be one of remind",
        ),
        (changed(rules=[{"key": "x", "when": {"fact": "mood", "op": "is", "value": 1}}]), "mood"),
    ],
)
def test_a_policy_with_a_fault_is_refused_with_its_place_and_reason(
    sam: Client, policy: Policy, text: str, why: str
) -> None:
    page = sam.post(of(policy), policy_form(policy, text))

    assert page.status_code == 200
    told = "\n".join(page.context["adminform"].form.errors["file"])
    assert why in told
    assert PolicyVersion.objects.count() == 1


def test_a_fault_is_told_with_its_line(sam: Client, policy: Policy) -> None:
    text = changed(clock_warning="150%")
    line = text.splitlines().index("clock_warning: 150%") + 1

    page = sam.post(of(policy), policy_form(policy, text))

    assert f"line {line}, clock_warning: must not be" in words(page)


def test_the_policy_as_shown_is_the_policy_as_kept(sam: Client, policy: Policy) -> None:
    shown = sam.get(of(policy)).context["adminform"].form.initial["file"]

    assert sam.post(of(policy), policy_form(policy, shown)).status_code == 302
    assert PolicyVersion.objects.count() == 1
