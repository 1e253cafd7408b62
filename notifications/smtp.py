"""Django's SMTP backend, which also tells when it is unknown whether a message was accepted."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp


class AnswerLost(Exception):
    """The whole message was handed over, and the connection ended before the server answered.

    It may or may not have been accepted (RFC 5321, 4.5.3.2.6 and 6.1).
    """


class _Watched:
    """Notes, over ``smtplib``, that the text of a message has begun to leave."""

    handing_over = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.handing_over = True
        answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]
        self.handing_over = False
        return answer

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        self.handing_over = False
        answer: tuple[int, bytes] = super().mail(sender, options)  # type: ignore[misc]
        return answer


class _WatchedSMTP(_Watched, smtplib.SMTP):
    pass


class _WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """SMTP submission; use it wherever ``EMAIL_BACKEND`` would name Django's."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _WatchedSMTPS if self.use_ssl else _WatchedSMTP

    @property
    def may_have_left(self) -> bool:
        """Whether the text of a message has begun to leave and nobody has answered."""
        return bool(getattr(self.connection, "handing_over", False))

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        try:
            return super().send_messages(email_messages) or 0
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            answered = isinstance(
                error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused
            )
            if not answered and self.may_have_left:
                raise AnswerLost(str(error) or type(error).__name__) from error
            raise
