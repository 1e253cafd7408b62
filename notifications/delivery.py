"""Delivery: what the mail worker does with the outbox, as often as it is rung.

Claim with a lease → commit → render → note that sending begins → hand over → mark. A crash
between the last two leaves a lease that expires: the mail is *uncertain* then, is sent once more
under its Message-ID, and after a second loss waits for a person. Mails are begun and marked by the
group, as many as leave in a quarter of a second: alone where the mail server is slow, so that a letter
can be withdrawn until its turn comes, and a lost worker leaves few of which nobody knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import quote
from secrets import token_hex
from time import monotonic
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from notifications import closingtime, leases, outbox, receipts
from notifications.answers import GIVE_UP_AFTER, Answer, Verdict, read_answer, wait_before
from notifications.catalog import Audience, mail_kind
from notifications.models import DeliveryKind, DeliverySource, MailState, OutgoingEmail
from notifications.noticeboard import Notice, notify
from notifications.rendering import Rendered, render
from staff.models import Role, User

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

#: No run lasts longer than this and one more answer of a mail server, so that none outlives
#: Celery's limits and a hung server holds a worker for one slice only.
SLICE = timedelta(seconds=30)
#: Longer than one mail can take within Celery's time limit.
LEASE = timedelta(seconds=120)
BATCH = 50
#: Of those, so many at most are begun at once: no more than leave in a moment (seconds).
MOST_AT_ONCE = 25
MOMENT = 0.25
#: Whoever is not reached by then, should the server have become slow, is begun again later.
LONGEST_MOMENT = 0.5
#: After so many failures of the connection in a row, the run ends.
FAILURES_ENDURED = 2
LOOP_HEADER = "X-Helpdesk-Loop"
#: Under which a provider keeps a letter's Message-ID, which may differ from its own.
METADATA = "letter"


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
            leases.expire(now=clock())
            mails = outbox.claim(now=clock(), limit=batch, lease=lease)
            if not mails:
                break
            run.send_all(mails)
    finally:
        run.close()
    return run.tally


class _Pace:
    """How many mails are begun at once: as many as leave in a moment, going by the last ones."""

    def __init__(self) -> None:
        self.group = 1

    def learn(self, *, sent: int, seconds: float) -> None:
        """After a group of which so many were sent in so long; it grows by steps."""
        fit = int(sent * MOMENT / max(seconds, 0.001))
        self.group = max(1, min(fit, 2 * self.group, MOST_AT_ONCE))


class _Run:
    """One run over the outbox, with the connection it keeps open."""

    def __init__(self, *, clock: Clock, lease: timedelta, ends_at: datetime, capture: bool) -> None:
        self.tally: Counter[str] = Counter()
        self._clock = clock
        self._lease = lease
        self._ends_at = ends_at
        self._capture = capture
        self._failures = 0
        self._pace = _Pace()
        self._connection: BaseEmailBackend | None = None

    @property
    def goes_on(self) -> bool:
        return (
            self._failures < FAILURES_ENDURED
            and self._clock() < self._ends_at
            and not closingtime.said()
        )

    def send_all(self, mails: Sequence[OutgoingEmail]) -> None:
        """Send claimed mails, group by group; those that are not reached are given back."""
        rest = list(mails)
        try:
            while rest and self.goes_on:
                group, rest = rest[: self._pace.group], rest[self._pace.group :]
                began = monotonic()
                sent = self._send(group)
                self._pace.learn(sent=sent, seconds=monotonic() - began)
        finally:
            if rest:
                leases.give_back(rest, now=self._clock())

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception as error:  # what was sent is sent; a rude goodbye changes nothing
                logger.info("mail_connection_closed_badly", why=error)

    def _send(self, group: Sequence[OutgoingEmail]) -> int:
        """Begin some mails, hand them over and mark them; tells how many were taken."""
        words, faults = _worded(group, keys_kept=self._capture)
        if self._capture:
            ours, taken = self._keep(group, words, faults)
        else:
            ours = self._begin(group, words)
            taken = self._hand_over_all(ours, faults)
        if len(group) > 1:
            # Somebody has their rows, and perhaps withdraws them.
            for mail in group:
                if mail not in ours:
                    leases.give_back([mail], now=self._clock())
        return taken

    def _begin(
        self, group: Sequence[OutgoingEmail], words: Mapping[int, Rendered]
    ) -> list[OutgoingEmail]:
        """Note before mails are handed over that this is about to happen; gives those still ours."""
        now = self._clock()
        begun = leases.begin(mails=group, words=words, now=now, until=now + self._lease)
        return [mail for mail in group if mail.pk in begun]

    def _keep(
        self,
        group: Sequence[OutgoingEmail],
        words: Mapping[int, Rendered],
        faults: Mapping[int, Exception],
    ) -> tuple[list[OutgoingEmail], int]:
        """Begin mails and capture them, at once."""
        with transaction.atomic():
            ours = self._begin(group, words)
            self._mark([mail for mail in ours if mail.pk not in faults], MailState.CAPTURED)
        for mail in ours:
            if mail.pk in faults:
                self._failed(mail, read_answer(faults[mail.pk]))
        return ours, len(ours) - len(faults)

    def _hand_over_all(
        self, begun: Sequence[OutgoingEmail], faults: Mapping[int, Exception]
    ) -> int:
        """Hand over mails and mark them; those that are not reached are given back."""
        rest = list(begun)
        taken: list[OutgoingEmail] = []
        until = monotonic() + LONGEST_MOMENT
        try:
            while rest and self.goes_on and (not taken or monotonic() < until):
                mail = rest.pop(0)
                if self._hand_over(mail, faults.get(mail.pk)):
                    taken.append(mail)
        finally:
            self._mark(taken, MailState.SENT)
            if rest:
                leases.give_back(rest, now=self._clock())
        return len(taken)

    def _hand_over(self, mail: OutgoingEmail, fault: Exception | None) -> bool:
        """Whether the mail server took it; if not, what became of it stands on its row."""
        try:
            if fault is not None:
                raise fault
            if self._open().send_messages([message(mail)]) == 0:
                raise ValueError("The mail backend found nobody to send it to.")
        except SoftTimeLimitExceeded:
            self._interrupted(mail)
            raise
        except Exception as error:
            self._failed(mail, read_answer(error))
            return False
        self._failures = 0
        return True

    def _interrupted(self, mail: OutgoingEmail) -> None:
        """Time was up in the middle of a mail; whoever looks need not wait for its lease."""
        now = self._clock()
        if getattr(self._connection, "may_have_left", True):
            again = now + wait_before(attempt=1, seed=mail.message_id)
            said = _("The worker was stopped while sending.")
            self.tally[MailState.UNCERTAIN] += leases.doubt(mail, again=again, said=said)
        else:
            leases.give_back([mail], now=now)
        # What it would have to say goodbye to does not listen.
        self._connection = None

    def _mark(self, mails: Sequence[OutgoingEmail], state: MailState) -> None:
        if not mails:
            return
        now = self._clock()
        with transaction.atomic():
            ours = leases.sent(mails, state, at=now)
            if state == MailState.SENT:
                receipts.accepted(mails=[mail for mail in mails if mail.pk in ours], at=now)
        self.tally[state] += len(ours)
        for mail in mails:
            if mail.pk in ours:
                self._log(mail, state)

    def _open(self) -> BaseEmailBackend:
        if self._connection is None:
            self._connection = get_connection()
            self._connection.open()
        return self._connection

    def _failed(self, mail: OutgoingEmail, answer: Answer) -> None:
        now = self._clock()
        # What a mail server says may name the recipient, and stands on the letter's page.
        logger.warning(
            "letter_not_sent", **_named(mail), verdict=str(answer.verdict), status=answer.status
        )
        if answer.verdict in (Verdict.SERVER_AWAY, Verdict.UNKNOWN):
            self._failures += 1
            self.close()
        if answer.verdict is Verdict.UNKNOWN:
            again = now + wait_before(attempt=1, seed=mail.message_id)
            self.tally[MailState.UNCERTAIN] += leases.doubt(mail, again=again, said=answer.text)
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
        ours = leases.settle(mail, state, **changed)
        self.tally[state] += ours
        if ours and state is not MailState.QUEUED:
            self._log(mail, state)
        return bool(ours)

    def _log(self, mail: OutgoingEmail, state: MailState) -> None:
        logger.info("letter_settled", **_named(mail), state=str(state), attempt=mail.attempts)


def _worded(
    mails: Sequence[OutgoingEmail], *, keys_kept: bool
) -> tuple[dict[int, Rendered], dict[int, Exception]]:
    """Put into words what is not yet: what is kept of each, and what kept some from it.

    The mails say afterwards what their readers are sent. A key stands nowhere but in the letter;
    where letters are captured, this is the mailbox, and ``keys_kept``.
    """
    words: dict[int, Rendered] = {}
    faults: dict[int, Exception] = {}
    for mail in mails:
        is_key = mail_kind(mail.kind).is_key and not keys_kept
        if mail.subject and not is_key:
            continue
        try:
            sent = render(mail=mail, for_its_reader=True)
            words[mail.pk] = render(mail=mail) if is_key else sent
        except Exception as error:
            faults[mail.pk] = error
            continue
        mail.subject, mail.text, mail.html = sent.subject, sent.text, sent.html
    return words, faults


def _named(mail: OutgoingEmail) -> dict[str, Any]:
    """A letter as logs name it."""
    return {"letter": mail.pk, "kind": mail.kind, "about": mail.about}


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


class _Message(EmailMultiAlternatives):
    def message(self, **options: Any) -> Any:
        """With a boundary that is in no text, since it is drawn out of 2¹²⁸.

        Otherwise the standard library would look through every text for the one it draws, with a
        pattern compiled for that.
        """
        built = super().message(**options)
        built.set_boundary(f"=_{token_hex(16)}")
        return built


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
    built = _Message(
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
                dedupe_key=f"mail-failed:{mail.pk}",
                readers=tuple(
                    leads or people.filter(role=Role.ADMIN).values_list("pk", flat=True)[:50]
                ),
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
