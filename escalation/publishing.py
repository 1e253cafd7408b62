"""How a policy changes: a draft is written, looked at, and published."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from escalation import relooking
from escalation.models import Policy, PolicyVersion
from escalation.policyfile import PolicySpec, parse_policy
from staff.models import User


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
