"""Whether letters go out at all; told by webhook, since by mail it could not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce, Greatest

from notifications import webhooks
from notifications.eventtypes import MAIL_FAILING, MAIL_RECOVERED
from notifications.models import MailOutage, MailState, OutboxPause, OutgoingEmail
from notifications.webhooks import Happening, Words

#: Letters that wait are counted no further.
MANY = 10_000
_NEWEST = 50
#: Longer than any letter waits between two attempts.
_LONGEST_WAIT = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The letters that should have gone out: how many, to ``MANY``, and since when the oldest.

    ``still_since`` is when the oldest fell due of those after which no letter was taken: one
    recipient's slow server keeps one letter, and mail stands still when all wait.
    """

    waiting: int
    oldest: datetime | None
    still_since: datetime | None


def backlog(*, now: datetime) -> Backlog:
    """Look what waits; two queries, whose cost follows the letters that wait."""
    # Few of the newest tell enough, and no index knows when letters were sent.
    taken = OutgoingEmail.objects.filter(state=MailState.SENT).order_by("-pk")
    last = max(filter(None, taken.values_list("sent_at", flat=True)[:_NEWEST]), default=None)
    due = (
        OutgoingEmail.objects.filter(
            # One that was claimed by a worker which is gone waits as well.
            Q(next_attempt_at__lte=now + _LONGEST_WAIT)
            | Q(state=MailState.SENDING, lease_until__lt=now)
        )
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .annotate(since=Greatest("queued_at", Coalesce("not_before", "queued_at")))
        .order_by("next_attempt_at", "pk")
        .values("since")[:MANY]
    )
    found = due.aggregate(
        waiting=Count("since"),
        oldest=Min("since"),
        still=Min("since", filter=Q() if last is None else Q(since__gte=last)),
    )
    return Backlog(found["waiting"], found["oldest"], found["still"])


@transaction.atomic
def look(*, now: datetime) -> MailOutage | None:
    """Notice that mail fails, or works again, and tell of each once; gives an outage that lasts.

    Mail fails when a letter has been due for longer than the operator bears and no letter was
    taken since it fell due: one recipient's slow server is no outage.
    """
    outage = MailOutage.objects.filter(ended_at=None).first()
    if OutboxPause.objects.standing().exists():
        return outage  # what is paused goes out as little, and everybody is told so
    waits = backlog(now=now)
    since = waits.still_since
    if since is not None and since > now - timedelta(seconds=settings.HELPDESK_MAIL_ALARM_AFTER):
        since = None
    if outage is None and since is not None:
        rows = [MailOutage(began_at=since, noticed_at=now)]
        # Two that look at once make one of it.
        [outage] = MailOutage.objects.bulk_create(rows, ignore_conflicts=True)
        outage = MailOutage.objects.filter(ended_at=None).first()
        if outage is not None and outage.noticed_at == now:
            _tell(MAIL_FAILING, outage, waiting=waits.waiting, now=now)
    elif outage is not None and since is None:
        ended = MailOutage.objects.filter(pk=outage.pk, ended_at=None).update(ended_at=now)
        outage.ended_at = now
        if ended:
            _tell(MAIL_RECOVERED, outage, waiting=waits.waiting, now=now)
        return None
    return outage


def _tell(kind: str, outage: MailOutage, *, waiting: int, now: datetime) -> None:
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
