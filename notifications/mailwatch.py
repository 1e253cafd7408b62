"""Whether letters go out at all; told by webhook, since by mail it could not be."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from notifications import webhooks
from notifications.eventtypes import MAIL_FAILING, MAIL_RECOVERED
from notifications.models import MailOutage, MailState, OutboxPause, OutgoingEmail
from notifications.webhooks import Happening, Words

#: Letters that wait are counted no further.
_MANY = 1000
_NEWEST = 50


@transaction.atomic
def look(*, now: datetime) -> MailOutage | None:
    """Notice that mail fails, or works again, and tell of each once; gives an outage that lasts.

    Mail fails when a letter has been due for longer than the operator bears and no letter was
    taken since it fell due: one recipient's slow server is no outage.
    """
    outage = MailOutage.objects.filter(ended_at=None).first()
    if OutboxPause.objects.standing().exists():
        return outage  # what is paused goes out as little, and everybody is told so
    since = _stuck_since(now - timedelta(seconds=settings.HELPDESK_MAIL_ALARM_AFTER))
    if outage is None and since is not None:
        rows = [MailOutage(began_at=since, noticed_at=now)]
        # Two that look at once make one of it.
        [outage] = MailOutage.objects.bulk_create(rows, ignore_conflicts=True)
        outage = MailOutage.objects.filter(ended_at=None).first()
        if outage is not None and outage.noticed_at == now:
            _tell(MAIL_FAILING, outage, now=now)
    elif outage is not None and since is None:
        ended = MailOutage.objects.filter(pk=outage.pk, ended_at=None).update(ended_at=now)
        outage.ended_at = now
        if ended:
            _tell(MAIL_RECOVERED, outage, now=now)
        return None
    return outage


def _stuck_since(before: datetime) -> datetime | None:
    """Since when the oldest letter waits, if nothing went out after it fell due."""
    waiting = (
        OutgoingEmail.objects.filter(
            state__in=(MailState.QUEUED, MailState.UNCERTAIN),
            next_attempt_at__isnull=False,
            queued_at__lte=before,
        )
        .filter(Q(not_before=None) | Q(not_before__lte=before))
        .order_by("queued_at")
    )
    oldest = waiting.only("queued_at", "not_before").first()
    if oldest is None:
        return None
    since = max(oldest.queued_at, oldest.not_before or oldest.queued_at)
    # Few of the newest tell enough, and no index knows when letters were sent.
    taken = OutgoingEmail.objects.filter(state=MailState.SENT).order_by("-pk")
    last = max(filter(None, taken.values_list("sent_at", flat=True)[:_NEWEST]), default=None)
    return None if last is not None and last > since else since


def _tell(kind: str, outage: MailOutage, *, now: datetime) -> None:
    waiting = (
        OutgoingEmail.objects.filter(state=MailState.QUEUED, next_attempt_at__isnull=False)
        .exclude(pk__in=OutgoingEmail.objects.withheld().values("pk"))
        .order_by()[:_MANY]
        .count()
    )
    webhooks.queue(
        happenings=[
            Happening(
                kind=kind,
                key=f"{kind}:{outage.pk}",
                at=now,
                data={
                    "since": outage.began_at.isoformat(),
                    "until": outage.ended_at.isoformat() if outage.ended_at else None,
                    "waiting": waiting,
                },
                url=f"{settings.HELPDESK_BASE_URL}/mail/?state=queued",
                words=Words(facts=(str(waiting),) if waiting else ()),
            )
        ],
        webhooks=webhooks.listeners({kind}),
        now=now,
    )
