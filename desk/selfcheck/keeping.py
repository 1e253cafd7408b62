"""Self-checks that are kept, so that leads can read the last ones: one a day, and when asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from desk.models import SelfCheck
from desk.selfcheck import running
from notifications import ring
from staff.models import User

EVERY = timedelta(days=1)
NOT_WITHIN = timedelta(minutes=2)
"""So soon after one was made, no other is: it costs as much as a thousand pages."""

KEPT = 400
"""A year of them, and some."""

LEASE = timedelta(minutes=2)
"""Longer than a task lives."""

SECONDS = 30.0
"""A task lives for 45: a check that is not begun by then counts as not made."""


@transaction.atomic
def ask(*, now: datetime, by: User | None) -> bool:
    """Ask for a self-check; says whether one is going to be made that would not have been.

    None is where one is asked for already, or has just been made.
    """
    if SelfCheck.objects.filter(made_at__gt=now - NOT_WITHIN).exists():
        return False
    try:
        with transaction.atomic():
            SelfCheck.objects.create(asked_at=now, asked_by=by)
    except IntegrityError:
        return False
    ring.ring_after_commit(settings.HELPDESK_CHECK_TASK, "default")
    return True


def make_due(*, clock: Callable[[], datetime]) -> SelfCheck | None:
    """Make the self-check that was asked for, or the day's where the last is a day old.

    Whoever claims it makes it; one that was lost with its worker is claimed again.
    """
    ring.silence(settings.HELPDESK_CHECK_TASK)
    now = clock()
    if not SelfCheck.objects.filter(asked_at__gt=now - EVERY).exists():
        ask(now=now, by=None)
    unmade = SelfCheck.objects.filter(made_at=None)
    free = unmade.filter(Q(begun_at=None) | Q(begun_at__lt=now - LEASE))
    if not free.update(begun_at=now):
        return None
    report = running.run(now=now, ends_after=SECONDS)
    unmade.filter(begun_at=now).update(
        made_at=clock(),
        seconds=round(report.seconds, 3),
        found=report.found,
        failed=report.failed,
        results=report.to_json()["checks"],
    )
    _forget()
    return SelfCheck.objects.filter(begun_at=now).first()


def _forget() -> None:
    kept = SelfCheck.objects.order_by("-pk").values("pk")[:KEPT]
    SelfCheck.objects.exclude(pk__in=kept).delete()
