"""What an error while sending means for the mail: again later, never, or nobody knows."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zlib import crc32

from notifications.plaintext import one_line
from notifications.smtp import AnswerLost

#: A mail that nobody took in so long is given up (RFC 5321, 4.5.4.1, asks for four to five days;
#: what we write is about hours).
GIVE_UP_AFTER = timedelta(hours=75)
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
#: When our own mail server is away, it is away for all: waiting long would only delay them.
_LONGEST_WAIT_FOR_SERVER = timedelta(minutes=5)
_STATUS = re.compile(r"([245]\d\d)(?:[ -]+([245]\.\d{1,3}\.\d{1,3}))?\b")


class Verdict(StrEnum):
    LATER = "later"
    SERVER_AWAY = "server away"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Answer:
    verdict: Verdict
    text: str

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463) in a server's answer, else its reply code."""
        found = _STATUS.match(self.text)
        return (found[2] or found[1]) if found is not None else ""


def read_answer(error: Exception) -> Answer:
    """Read an error raised while a mail was built or sent.

    A refusal of the recipient or the message with a 5xx reply is final for that address. A refusal
    of ourselves (sign-in, sender, greeting) says nothing about the address, so it is tried again.
    """
    text = one_line(f"{type(error).__name__}: {error}", limit=500)
    if isinstance(error, AnswerLost):
        return Answer(verdict=Verdict.UNKNOWN, text=text)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, refusal = next(iter(error.recipients.values()), (0, b""))
        return _by_code(code, refusal)
    if isinstance(error, smtplib.SMTPDataError):
        return _by_code(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Answer(verdict=Verdict.NEVER, text=text)
    if isinstance(error, smtplib.SMTPResponseException):
        said = _decoded(error.smtp_error)
        return Answer(verdict=Verdict.SERVER_AWAY, text=f"{error.smtp_code} {said}".strip())
    if isinstance(error, OSError):  # refused, timed out, reset, unknown host; smtplib's own too
        return Answer(verdict=Verdict.SERVER_AWAY, text=text)
    status = getattr(error, "status_code", None)  # anymail: the provider's HTTP answer
    if status in (400, 422) or type(error).__name__ == "AnymailRecipientsRefused":
        return Answer(verdict=Verdict.NEVER, text=text)
    if isinstance(error, ValueError | TypeError | LookupError | AssertionError):
        # It could not be built: a header, address or text that no attempt will change.
        return Answer(verdict=Verdict.NEVER, text=text)
    return Answer(verdict=Verdict.LATER, text=text)


def wait_before(*, attempt: int, seed: str, verdict: Verdict = Verdict.LATER) -> timedelta:
    """How long to wait after so many attempts: doubling, at most an hour, spread by a fifth.

    The spread is taken from ``seed``, so that a wave of mails that failed together does not come
    back together, and the same mail waits equally long in every run.
    """
    longest = _LONGEST_WAIT_FOR_SERVER if verdict is Verdict.SERVER_AWAY else _LONGEST_WAIT
    wait: timedelta = min(_FIRST_WAIT * 2 ** min(max(attempt, 1) - 1, 20), longest)
    spread = crc32(f"{seed}:{attempt}".encode()) / 0xFFFFFFFF
    return wait * (0.8 + 0.4 * spread)


def _by_code(code: int, said: bytes | str) -> Answer:
    text = one_line(f"{code} {_decoded(said)}", limit=500)
    if code == 421:  # RFC 5321, 3.8: the server is closing the connection
        return Answer(verdict=Verdict.SERVER_AWAY, text=text)
    return Answer(verdict=Verdict.NEVER if 500 <= code < 600 else Verdict.LATER, text=text)


def _decoded(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
