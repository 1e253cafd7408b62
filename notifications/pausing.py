"""The outbox is paused: reviews go on making rows, and nothing is claimed for sending.

A person pauses it, or a restore does. What waited when the backup was made may have been sent since,
by the installation it was made of: such letters and messages are *in doubt*. They stand as uncertain
(letters) and as not sent (messages) until somebody says that nothing had been sent, so that by itself
nothing is sent twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from notifications.models import (
    DeliveryState,
    MailState,
    OutboxPause,
    OutgoingEmail,
    OutgoingEmailQuerySet,
    PauseCause,
    WebhookDelivery,
)
from notifications.ring import ring_after_commit
from staff.models import User


class NotPaused(Exception):
    """It is paused already, or not paused any more; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits in a pause. ``oldest`` is when the first of it was queued."""

    letters: int
    messages: int
    oldest: datetime | None
    letters_in_doubt: int = 0
    messages_in_doubt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a release let go, and what it withdrew instead."""

    letters: int
    messages: int
    withdrawn_letters: int
    withdrawn_messages: int


def standing() -> OutboxPause | None:
    """The pause that stands, if any."""
    return OutboxPause.objects.standing().select_related("began_by").first()


def pause(*, note: str, by: User | None, now: datetime) -> OutboxPause:
    """Have nothing claimed any more; what is being handed over at this moment still goes.

    Raises ``NotPaused`` where a pause stands.
    """
    try:
        with transaction.atomic():
            return OutboxPause.objects.create(
                cause=PauseCause.HAND, note=note.strip()[:200], began_by=by, began_at=now
            )
    except IntegrityError:
        raise NotPaused(_("The outbox is paused already.")) from None


def waiting(pause: OutboxPause | None) -> Waiting:
    """Count what waits: what a release would send, and what is in doubt."""
    letters = OutgoingEmail.objects.waiting().aggregate(Min("queued_at"), n=Count("pk"))
    messages = WebhookDelivery.objects.waiting().aggregate(Min("created_at"), n=Count("pk"))
    oldest = [at for at in (letters["queued_at__min"], messages["created_at__min"]) if at]
    return Waiting(
        letters=letters["n"],
        messages=messages["n"],
        oldest=min(oldest, default=None),
        letters_in_doubt=letters_in_doubt().count() if pause else 0,
        messages_in_doubt=messages_in_doubt().count() if pause else 0,
    )


@transaction.atomic
def doubt(*, now: datetime) -> OutboxPause:
    """Put in doubt what waited in the backup that was restored; again does nothing.

    Gives the pause that stands. Raises ``NotPaused``.
    """
    pause = OutboxPause.objects.standing().select_for_update(no_key=True).first()
    if pause is None:
        raise NotPaused(_("The outbox is not paused."))
    if not pause.is_restore or pause.doubted_at is not None:
        return pause
    pause.doubted_at = now
    pause.save(update_fields=("doubted_at",))
    letters = OutgoingEmail.objects.filter(pk__lte=pause.last_letter)
    letters.filter(
        Q(state__in=(MailState.QUEUED, MailState.SENDING))
        | Q(state=MailState.UNCERTAIN, next_attempt_at__isnull=False)
    ).update(
        state=MailState.UNCERTAIN,
        # One for the doubt; one more where the backup shows it while it was being handed over.
        leases_lost=F("leases_lost")
        + Case(
            When(state=MailState.SENDING, begun_at__isnull=False, then=Value(2)), default=Value(1)
        ),
        lease_token=None,
        lease_until=None,
        next_attempt_at=None,
        in_doubt=pause,
    )
    WebhookDelivery.objects.filter(
        pk__lte=pause.last_message, state__in=(DeliveryState.QUEUED, DeliveryState.SENDING)
    ).update(
        state=DeliveryState.WITHDRAWN,
        lease_token=None,
        lease_until=None,
        next_at=None,
        in_doubt=pause,
    )
    return pause


@transaction.atomic
def release(
    *,
    by: User | None,
    now: datetime,
    send_doubtful: bool = False,
    older_than: timedelta | None = None,
) -> Released:
    """Let go what waits. Raises ``NotPaused`` where nothing is paused.

    ``send_doubtful``: whoever says so knows that nothing was sent after the backup was made; what
    is in doubt then waits like the rest. What is older than ``older_than`` is withdrawn instead.
    """
    pause = doubt(now=now)  # where the restore was stopped before it came to it
    if send_doubtful:
        _trust(OutgoingEmail.objects.filter(pk__in=letters_in_doubt().values("pk")), now)
        messages_in_doubt().filter(webhook__is_active=True).update(
            state=DeliveryState.QUEUED, next_at=now, in_doubt=None
        )
    withdrawn_letters = withdrawn_messages = 0
    if older_than is not None:
        withdrawn_letters, withdrawn_messages = _withdraw(before=now - older_than, now=now)
    # Their three days of attempts begin now, and so does what is said of mail that does not go.
    letters = OutgoingEmail.objects.waiting()
    letters.filter(Q(not_before=None) | Q(not_before__lt=now)).update(not_before=now)
    released = Released(
        letters=letters.count(),
        messages=WebhookDelivery.objects.waiting().count(),
        withdrawn_letters=withdrawn_letters,
        withdrawn_messages=withdrawn_messages,
    )
    pause.ended_at, pause.ended_by = now, by
    pause.save(update_fields=("ended_at", "ended_by"))
    ring_after_commit(settings.HELPDESK_MAIL_TASK, "mail")
    ring_after_commit(settings.HELPDESK_WEBHOOK_TASK, "webhooks")
    return released


@transaction.atomic
def send_once_more(*, letter_id: int, now: datetime) -> bool:
    """Queue a letter that may have arrived and is left to a person; says whether it was one."""
    letters = OutgoingEmail.objects.filter(
        pk=letter_id, state=MailState.UNCERTAIN, next_attempt_at=None
    )
    queued = _trust(letters.filter(in_doubt__isnull=False), now) or letters.update(
        next_attempt_at=now
    )
    if queued:
        ring_after_commit(settings.HELPDESK_MAIL_TASK, "mail")
    return bool(queued)


def letters_in_doubt() -> OutgoingEmailQuerySet:
    return OutgoingEmail.objects.filter(in_doubt__isnull=False, state=MailState.UNCERTAIN)


def messages_in_doubt() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(in_doubt__isnull=False, state=DeliveryState.WITHDRAWN)


def _trust(letters: OutgoingEmailQuerySet, now: datetime) -> int:
    """Take letters for what the backup shows: waiting, and not sent since."""
    return letters.update(
        state=Case(
            When(leases_lost__lte=1, then=Value(MailState.QUEUED)),
            default=Value(MailState.UNCERTAIN),
        ),
        leases_lost=Greatest(F("leases_lost") - 1, Value(0)),
        # Those that are withheld wait on for their reader's address.
        next_attempt_at=Greatest(Value(now), Coalesce(F("not_before"), Value(now))),
        in_doubt=None,
    )


def _withdraw(*, before: datetime, now: datetime) -> tuple[int, int]:
    letters = OutgoingEmail.objects.waiting().annotate(
        due_at=Greatest("queued_at", Coalesce("not_before", "queued_at"))
    )
    ids = list(letters.filter(due_at__lt=before).values_list("pk", flat=True))
    old = OutgoingEmail.objects.filter(pk__in=ids)
    # What they took along is older still, and stays withdrawn on its own.
    OutgoingEmail.objects.filter(merged_into__in=ids).update(merged_into=None)
    old_letters = old.not_begun().update(
        state=MailState.WITHDRAWN, withdrawn_at=now, next_attempt_at=None
    )
    old_letters += old.filter(state=MailState.UNCERTAIN).update(next_attempt_at=None)
    old_messages = (
        WebhookDelivery.objects.waiting()
        .filter(created_at__lt=before)
        .update(state=DeliveryState.WITHDRAWN, next_at=None)
    )
    return old_letters, old_messages
