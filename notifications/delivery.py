"""Delivery: what the mail worker does with the outbox, as often as it is rung.

Claim with a lease → commit → render → note that sending begins → hand over → mark. A crash
between the last two leaves a lease that expires: the mail is *uncertain* then, is sent once more
under its Message-ID, and after a second loss waits for a person.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from email.utils import quote
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from notifications import outbox, receipts
from notifications.answers import GIVE_UP_AFTER, Answer, Verdict, read_answer, wait_before
from notifications.catalog import Audience, mail_kind
from notifications.models import DeliveryKind, DeliverySource, MailState, OutgoingEmail
from notifications.noticeboard import Notice, notify
from notifications.rendering import render
from staff.models import Role, User

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

#: No run lasts longer than this and one more answer of a mail server, so that none outlives
#: Celery's limits and a hung server holds a worker for one slice only.
SLICE = timedelta(seconds=30)
#: Longer than one mail can take within Celery's time limit.
LEASE = timedelta(seconds=120)
BATCH = 20
#: After so many failures of the connection in a row, the run ends.
FAILURES_ENDURED = 2
LOOP_HEADER = "X-Helpdesk-Loop"
#: Under which a provider keeps a letter's Message-ID, which may differ from its own.
METADATA = "letter"


class LeaseLost(Exception):
    """Somebody else has the mail, or it was withdrawn, since this worker claimed it."""


def send_due(
    *,
    clock: Clock,
    batch: int = BATCH,
    lease: timedelta = LEASE,
    slice_: timedelta = SLICE,
    capture: bool = False,
) -> Counter[str]:
    """Send what is due, until nothing is, time is up, or the mail server is away.

    Several may run at once. ``capture`` keeps the mails from being sent, as the setting does.
    Tells how many mails ended in which state.
    """
    run = _Run(
        clock=clock,
        lease=lease,
        ends_at=clock() + slice_,
        capture=capture or settings.HELPDESK_CAPTURE_MAIL,
    )
    try:
        while run.goes_on:
            expire_leases(now=clock())
            mails = outbox.claim(now=clock(), limit=batch, lease=lease)
            if not mails:
                break
            run.send_all(mails)
    finally:
        run.close()
    return run.tally


def expire_leases(*, now: datetime) -> int:
    """Take back mails whose worker is gone; tells how many it may have been sending."""
    expired = OutgoingEmail.objects.filter(state=MailState.SENDING, lease_until__lt=now)
    expired.filter(begun_at=None).update(**_waiting_again(now))
    return expired.filter(begun_at__isnull=False).update(
        **_uncertain(now, said=_("The worker was lost while sending."))
    )


class _Run:
    """One run over the outbox, with the connection it keeps open."""

    def __init__(self, *, clock: Clock, lease: timedelta, ends_at: datetime, capture: bool) -> None:
        self.tally: Counter[str] = Counter()
        self._clock = clock
        self._lease = lease
        self._ends_at = ends_at
        self._capture = capture
        self._failures = 0
        self._connection: BaseEmailBackend | None = None

    @property
    def goes_on(self) -> bool:
        return self._failures < FAILURES_ENDURED and self._clock() < self._ends_at

    def send_all(self, mails: Sequence[OutgoingEmail]) -> None:
        """Send claimed mails; those that are not reached are given back."""
        rest = list(mails)
        try:
            while rest and self.goes_on:
                self._send(rest.pop(0))
        finally:
            if rest:
                _leased(rest).filter(begun_at=None).update(**_waiting_again(self._clock()))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as error:  # what was sent is sent; a rude goodbye changes nothing
                logger.info("The mail connection closed badly: %s", error)

    def _send(self, mail: OutgoingEmail) -> None:
        try:
            self._begin(mail)
            if self._capture:
                self._settle(mail, MailState.CAPTURED, sent_at=self._clock())
                return
            accepted = self._open().send_messages([message(mail)])
            if accepted == 0:
                raise ValueError("The mail backend found nobody to send it to.")
        except LeaseLost:
            return
        except SoftTimeLimitExceeded:
            raise  # it may have been handed over: the lease runs out and says so
        except Exception as error:
            self._failed(mail, read_answer(error))
            return
        self._failures = 0
        now = self._clock()
        with transaction.atomic():
            if self._settle(mail, MailState.SENT, sent_at=now, last_error=""):
                receipts.accepted(mail=mail, at=now)

    def _begin(self, mail: OutgoingEmail) -> None:
        """Render the mail, and note before it is handed over that this is about to happen."""
        now = self._clock()
        changed: dict[str, Any] = {"begun_at": now, "lease_until": now + self._lease}
        sent: dict[str, str] = {}
        mail.attempts += 1
        # A key stands nowhere but in the letter. Where letters are captured, this is the mailbox.
        is_key = mail_kind(mail.kind).is_key and not self._capture
        try:
            if not mail.subject or is_key:
                sent = asdict(render(mail=mail, for_its_reader=True))
                changed |= asdict(render(mail=mail)) if is_key else sent
        finally:
            # Also when it cannot be rendered: that was an attempt.
            begun = _leased([mail]).update(attempts=mail.attempts, **changed)
        if not begun:
            raise LeaseLost
        for name, value in (changed | sent).items():
            setattr(mail, name, value)

    def _open(self) -> BaseEmailBackend:
        if self._connection is None:
            self._connection = get_connection()
            self._connection.open()
        return self._connection

    def _failed(self, mail: OutgoingEmail, answer: Answer) -> None:
        now = self._clock()
        logger.warning("Mail %s (%s): %s", mail.pk, answer.verdict, answer.text)
        if answer.verdict in (Verdict.SERVER_AWAY, Verdict.UNKNOWN):
            self._failures += 1
            self.close()
        if answer.verdict is Verdict.UNKNOWN:
            again = now + wait_before(attempt=1, seed=mail.message_id)
            if _leased([mail]).update(**_uncertain(again, said=answer.text)):
                self.tally[MailState.UNCERTAIN] += 1
            return
        again = now + wait_before(
            attempt=mail.attempts, seed=mail.message_id, verdict=answer.verdict
        )
        given_up = again > max(mail.queued_at, mail.not_before or mail.queued_at) + GIVE_UP_AFTER
        if answer.verdict is Verdict.NEVER or given_up:
            with transaction.atomic():
                if self._settle(mail, MailState.FAILED, last_error=answer.text):
                    _note_failure(mail=mail, answer=answer, now=now)
                    tell_leads(mail=mail, answer=answer.text, now=now)
            return
        self._settle(mail, MailState.QUEUED, next_attempt_at=again, last_error=answer.text)

    def _settle(self, mail: OutgoingEmail, state: MailState, **changed: Any) -> bool:
        """Compare-and-swap on the lease: says whether the mail was still ours."""
        ours = _leased([mail]).update(state=state, lease_token=None, lease_until=None, **changed)
        self.tally[state] += ours
        return bool(ours)


def _note_failure(*, mail: OutgoingEmail, answer: Answer, now: datetime) -> None:
    receipts.record(
        mail=mail,
        kind=DeliveryKind.BOUNCED,
        source=DeliverySource.SMTP,
        key=f"smtp:{mail.pk}:failed",
        at=now,
        status=answer.status,
        said=answer.text,
    )


def message(mail: OutgoingEmail) -> EmailMultiAlternatives:
    """Build the message of a rendered mail. Raises ``ValueError`` for what no header can hold."""
    headers: dict[str, str] = {"Message-ID": mail.message_id, **mail.headers}
    if mail.automatic:
        headers |= {
            "Auto-Submitted": "auto-generated",  # RFC 3834
            # Not "All": non-delivery reports and absences are wanted.
            "X-Auto-Response-Suppress": "AutoReply, DR, RN, NRN",
            LOOP_HEADER: settings.HELPDESK_MAIL_DOMAIN,
        }
    built = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[_mailbox(mail.to_name, mail.to_address)],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers=headers,
    )
    built.attach_alternative(mail.html, "text/html")
    # What a provider tells of it afterwards comes back with this; see hooks.py.
    setattr(built, "metadata", {METADATA: mail.message_id})  # noqa: B010  # anymail's own attribute
    return built


def tell_leads(*, mail: OutgoingEmail, answer: str, now: datetime) -> None:
    """Tell every lead (or, where there is none, every admin) that a customer was not reached.

    A notice that fails is not told of again: that would never end.
    """
    if mail_kind(mail.kind).audience is not Audience.CUSTOMER:
        return
    people = User.objects.filter(is_active=True)
    leads = list(people.filter(role=Role.LEAD).values_list("pk", flat=True)[:50])
    notify(
        notices=[
            Notice(
                dedupe_key=f"mail-failed:{mail.pk}:{user_id}",
                user_id=user_id,
                kind="staff_mail_failed",
                about=mail.about,
                variables={
                    "ref": mail.variables.get("ref", ""),
                    "subject": mail.subject,
                    "to": mail.to_address,
                    "error": answer,
                    "url": _page(mail),
                },
            )
            for user_id in leads or people.filter(role=Role.ADMIN).values_list("pk", flat=True)[:50]
        ],
        now=now,
    )


def _page(mail: OutgoingEmail) -> str:
    try:
        return f"{settings.HELPDESK_BASE_URL}{reverse('desk:mail-letter', args=[mail.pk])}"
    except NoReverseMatch:
        return settings.HELPDESK_BASE_URL


def _mailbox(name: str, address: str) -> str:
    return f'"{quote(name[:60])}" <{address}>' if name else address


def _leased(mails: Sequence[OutgoingEmail]) -> Any:
    return OutgoingEmail.objects.filter(
        pk__in=[mail.pk for mail in mails],
        state=MailState.SENDING,
        lease_token=mails[0].lease_token,
    )


def _waiting_again(at: datetime) -> dict[str, Any]:
    """Back to where it was claimed from: nothing was handed over."""
    return {
        "state": Case(
            When(leases_lost__gt=0, then=Value(MailState.UNCERTAIN)),
            default=Value(MailState.QUEUED),
        ),
        "lease_token": None,
        "lease_until": None,
        "next_attempt_at": at,
    }


def _uncertain(again: datetime, *, said: str) -> dict[str, Any]:
    """Nobody knows whether it went out: once more, and after a second time never by itself."""
    return {
        "state": MailState.UNCERTAIN,
        "lease_token": None,
        "lease_until": None,
        "leases_lost": F("leases_lost") + 1,
        "next_attempt_at": Case(When(leases_lost=0, then=Value(again)), default=Value(None)),
        "last_error": said,
    }
