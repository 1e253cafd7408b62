"""Letters out, one process: rendered, handed over and marked, against the bare SMTP library."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import QuerySet
from django.test.utils import override_settings

from bench import figures
from bench.desk import Desk
from bench.figures import Figure
from notifications import delivery
from notifications.models import MailState, OutgoingEmail
from notifications.rendering import render

ROOT = Path(__file__).resolve().parent.parent.parent
BATCH, RUNS = 200, 5


def measure(desk: Desk) -> Iterator[Figure]:
    batch = desk.runs(BATCH)
    kinds = ("escalated", "received", "reply")
    wanted = list(
        OutgoingEmail.objects.filter(state=MailState.SENT, kind__in=kinds)
        .order_by("-pk")
        .values_list("pk", flat=True)[: batch * RUNS]
    )
    runs = [wanted[start : start + batch] for start in range(0, len(wanted), batch)]
    OutgoingEmail.objects.filter(next_attempt_at__isnull=False).update(
        state=MailState.WITHDRAWN, next_attempt_at=None, withdrawn_at=desk.as_of
    )
    with _sink() as port, _sent_to(port):
        messages = [_worded(letter) for letter in _letters(runs[0])]
        finished = [(message.to[0], _bytes(message)) for message in messages]
        # By turns, so that whatever else this machine does falls on all three.
        turns = [(_bare(port, finished), _built(messages), _ours(part, desk)) for part in runs]
    bare, built, ours = ([turn[number] for turn in turns] for number in range(3))
    for name, rates in (
        ("SMTP alone, finished bytes", bare),
        ("SMTP library, messages built and sent", built),
        ("letters out", ours),
    ):
        yield figures.of(name, desk.size, rates, "a second", better="higher")
    for name, rates in (("SMTP alone", bare), ("the SMTP library", built)):
        ratio = figures.quantile(sorted(ours), 0.5) / figures.quantile(sorted(rates), 0.5)
        yield figures.of(
            f"letters out against {name}", desk.size, [ratio], "times", better="higher"
        )


def _letters(letters: list[int]) -> QuerySet[OutgoingEmail]:
    return OutgoingEmail.objects.filter(pk__in=letters).select_related("template")


def _worded(letter: OutgoingEmail) -> EmailMultiAlternatives:
    """As somebody would send it with the library alone."""
    rendered = render(mail=letter)
    letter.subject, letter.text, letter.html = rendered.subject, rendered.text, rendered.html
    ours = delivery.message(letter)
    plain = EmailMultiAlternatives(
        subject=ours.subject,
        body=ours.body,
        from_email=ours.from_email,
        to=ours.to,
        reply_to=ours.reply_to,
        headers=ours.extra_headers,
    )
    plain.attach_alternative(letter.html, "text/html")
    return plain


def _bytes(message: EmailMultiAlternatives) -> bytes:
    """As Django's own backend hands it over."""
    return message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # its stubs


def _bare(port: int, finished: list[tuple[str, bytes]]) -> float:
    """Handing over bytes that are there, on one connection: what the server and the wire allow."""
    with smtplib.SMTP("127.0.0.1", port) as connection:
        connection.noop()
        began = time.perf_counter()
        for address, message in finished:
            connection.sendmail("support@brightquay.example", [address], message)
        return len(finished) / (time.perf_counter() - began)


def _built(messages: list[EmailMultiAlternatives]) -> float:
    """Django's own backend on one kept-open connection, with texts that are there."""
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend")
    connection.open()
    began = time.perf_counter()
    for message in messages:
        connection.send_messages([message])
    took = time.perf_counter() - began
    connection.close()
    return len(messages) / took


def _ours(letters: list[int], desk: Desk) -> float:
    """The mail worker: claimed, rendered, noted, handed over, marked."""
    _queue(letters, desk)
    began = time.perf_counter()
    tally = delivery.send_due(clock=lambda: desk.as_of)
    took = time.perf_counter() - began
    assert tally[MailState.SENT] == len(letters), tally
    return len(letters) / took


def _queue(letters: list[int], desk: Desk) -> None:
    OutgoingEmail.objects.filter(pk__in=letters).update(
        state=MailState.QUEUED,
        next_attempt_at=desk.as_of,
        queued_at=desk.as_of,
        sent_at=None,
        begun_at=None,
        attempts=0,
        subject="",
    )


@contextmanager
def _sent_to(port: int) -> Iterator[None]:
    with override_settings(
        EMAIL_BACKEND="notifications.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        HELPDESK_CAPTURE_MAIL=False,
    ):
        yield


@contextmanager
def _sink() -> Iterator[int]:
    """A mail server in a process of its own that takes everything and keeps nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sink"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=10)
