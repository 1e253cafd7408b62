"""How a policy changes: a draft is written, looked at, and published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from difflib import unified_diff

from django.db import transaction

from escalation import relooking
from escalation.models import Policy, PolicyVersion
from escalation.policyfile import parse_policy
from escalation.policyspec import PolicySpec
from escalation.policytext import write_policy
from staff.models import User


def differences(body: Mapping[str, object]) -> str:
    """What a policy says otherwise than the one in force, line by line; empty where nothing."""
    try:
        before = PolicyVersion.objects.select_related("policy").in_force()
    except PolicyVersion.DoesNotExist:
        return write_policy(body)
    lines = unified_diff(
        write_policy(before.body).splitlines(),
        write_policy(body).splitlines(),
        fromfile=str(before),
        tofile="-",
        lineterm="",
    )
    return "\n".join(lines)


class NotADraft(ValueError):
    """This version was published already: what was in force is never changed."""


@transaction.atomic
def draft(
    *, policy: Policy, spec: PolicySpec, by: User | None, now: datetime
) -> PolicyVersion | None:
    """Keep a policy as the next version; None where the newest version says the same."""
    # Two who write at once take turns, so that neither meets the other's number.
    Policy.objects.select_for_update(no_key=True).get(pk=policy.pk)
    newest = policy.versions.order_by("-number").first()
    body = spec.to_body()
    if newest is not None and newest.body == body:
        return None
    return PolicyVersion.objects.create(
        policy=policy,
        number=newest.number + 1 if newest else 1,
        body=body,
        created_at=now,
        created_by=by,
    )


@transaction.atomic
def publish(
    *,
    version: PolicyVersion,
    to_open_tickets: bool = False,
    now: datetime,
    by: User | None = None,
) -> None:
    """Put a draft in force. Raises ``NotADraft``, and ``PolicyErrors`` where it is no policy.

    When to look next at each ticket is worked out anew, while nothing is due. Running clocks
    keep the version they started with, unless it is applied ``to_open_tickets``.
    """
    parse_policy(version.body)
    drafts = PolicyVersion.objects.filter(pk=version.pk, published_at__isnull=True)
    if not drafts.update(published_at=now):
        raise NotADraft(str(version))
    version.published_at = now
    relooking.after_publishing(version=version, to_open_tickets=to_open_tickets, now=now, by=by)


@transaction.atomic
def apply(
    *,
    policy: Policy,
    spec: PolicySpec,
    to_open_tickets: bool,
    now: datetime,
    by: User | None,
) -> PolicyVersion:
    """Put a policy in force; the version that is, where it says the same already."""
    draft(policy=policy, spec=spec, by=by, now=now)
    newest = policy.versions.latest("number")
    if newest.published_at is None:
        publish(version=newest, to_open_tickets=to_open_tickets, now=now, by=by)
        return newest
    in_force = PolicyVersion.objects.select_related("policy").in_force()
    if in_force.body != newest.body:
        # It was in force once, and another policy has been since.
        newest = PolicyVersion.objects.create(
            policy=policy, number=newest.number + 1, body=newest.body, created_at=now, created_by=by
        )
        publish(version=newest, to_open_tickets=to_open_tickets, now=now, by=by)
        return newest
    if to_open_tickets:
        relooking.after_publishing(version=in_force, to_open_tickets=True, now=now, by=by)
    return in_force
