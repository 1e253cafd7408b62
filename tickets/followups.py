"""Follow-ups that people add and tick off; the engine reminds of them when they are due."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import noticeboard
from staff.durations import DurationError, parse_duration
from staff.models import User
from tickets import locking, timeline
from tickets.errors import Refused
from tickets.models import FollowUp
from tickets.models.followup import FollowUpKind


@transaction.atomic
def add(
    *,
    ticket_id: int,
    kind: FollowUpKind,
    key: str,
    due_at: datetime,
    now: datetime,
    by: User | None,
    user_id: int | None = None,
    text: str = "",
    every: str = "",
    about: str = "",
) -> FollowUp:
    """Owe somebody a reminder; the same ``key`` is owed once, and gives what stands already.

    Without ``user_id`` it is the assignee's. ``every`` is a duration such as ``4h``, in the
    team's business time unless it says ``wall``. Raises ``Refused`` naming the field.
    """
    ticket = locking.lock(ticket_id)
    if due_at <= now:
        raise Refused(_("The time has to lie ahead."), field="due_at")
    follow_up, made = FollowUp.objects.get_or_create(
        key=key,
        defaults={
            "ticket": ticket,
            "kind": kind,
            "about": about,
            "user_id": user_id,
            "text": text.strip(),
            "due_at": due_at,
            "every": _repeated(every),
            "created_at": now,
            "created_by": by,
        },
    )
    if made:
        timeline.record(
            ticket=ticket,
            kind="follow_up_added",
            now=now,
            by=by,
            data={"follow_up": follow_up.pk, "kind": kind.value},
        )
    return follow_up


@transaction.atomic
def complete(*, followup_id: int, now: datetime, by: User) -> FollowUp:
    """Tick a follow-up off; doing it again changes nothing.

    Raises ``FollowUp.DoesNotExist``, and ``Refused`` for one that is no longer needed.
    """
    ticket_id = FollowUp.objects.values_list("ticket", flat=True).get(pk=followup_id)
    ticket = locking.lock(ticket_id)
    follow_up = FollowUp.objects.get(pk=followup_id)
    if follow_up.dropped_at is not None:
        raise Refused(_("This is no longer needed."))
    if follow_up.done_at is None:
        follow_up.done_at, follow_up.done_by = now, by
        follow_up.save(update_fields=("done_at", "done_by"))
        noticeboard.withdraw(
            about=[ticket.about],
            kinds=["staff_follow_up"],
            keys_starting=[f"{follow_up.key}:"],
            now=now,
        )
        timeline.record(
            ticket=ticket,
            kind="follow_up_done",
            now=now,
            by=by,
            data={"follow_up": followup_id, "kind": follow_up.kind},
        )
    return follow_up


def _repeated(every: str) -> str:
    if not every.strip():
        return ""
    try:
        duration = parse_duration(every)
    except DurationError as error:
        raise Refused(str(error), field="every") from error
    if not duration.length:
        raise Refused(_("Repeat it after at least a second."), field="every")
    return str(duration)
