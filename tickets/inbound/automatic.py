"""Telling mail that machines send (RFC 3834) from mail that people write. Pure.

Automatic mail is filed on its ticket, but never answered, reopens nothing and stops no clock.
"""

from __future__ import annotations

import re

from tickets.inbound.parsed import ParsedMail
from tickets.inbound.sender import Mailbox

_LISTS = ("list-id", "list-unsubscribe", "list-post", "list-help", "list-owner", "list-archive",
          "list-subscribe")  # fmt: skip
_ROBOTS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "autoresponder"})
_ANSWERING_MACHINES = ("x-autoreply", "x-autorespond", "x-autoreply-from")
_OUT_OF_OFFICE = re.compile(
    r"^\s*(?:"
    r"automatic reply\b|auto(?:matic)?[- ]?(?:reply|response)\b|autoreply\b|out of (?:the )?office\b"
    r"|automatische antwort\b|abwesenheitsnotiz\b|abwesenheits(?:assistent|agent|meldung)\b"
    r"|abwesend\b|réponse automatique\b|respuesta automática\b|risposta automatica\b"
    r"|automatisch antwoord\b|automatyczna odpowiedź\b|resposta automática\b"
    r")",
    re.IGNORECASE,
)


def why_automatic(mail: ParsedMail, *, envelope_from: str | None, sender: Mailbox | None) -> str:
    """Say by what a mail is known to be automatic, or give an empty string.

    ``envelope_from`` is empty for the null return path and None where nobody knows it.
    """
    return (
        _by_envelope(mail, envelope_from)
        or _by_header(mail)
        or _by_list(mail)
        or _by_form(mail, sender)
    )


def _by_envelope(mail: ParsedMail, envelope_from: str | None) -> str:
    if envelope_from is None and "return-path" in mail.headers:
        envelope_from = mail.header("return-path")
    if envelope_from is None:
        return ""
    bare = envelope_from.strip().strip("<>").strip().lower()
    if not bare or bare.partition("@")[0] == "mailer-daemon":
        return "empty envelope sender"
    return ""


def _by_header(mail: ParsedMail) -> str:
    submitted = _word(mail.header("auto-submitted"))
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"[:60]
    if mail.report is not None or _word(mail.header("content-type")) == "multipart/report":
        return "a report"
    precedence = _word(mail.header("precedence"))
    if precedence in ("bulk", "list", "junk"):
        return f"Precedence: {precedence}"
    suppressed = _word(mail.header("x-auto-response-suppress"))
    if suppressed and suppressed != "none":
        return "X-Auto-Response-Suppress"
    if "x-helpdesk-loop" in mail.headers:
        return "a helpdesk's own automatic mail"
    return ""


def _by_list(mail: ParsedMail) -> str:
    return next((f"a list ({name})" for name in _LISTS if name in mail.headers), "")


def _by_form(mail: ParsedMail, sender: Mailbox | None) -> str:
    if any(name in mail.headers for name in _ANSWERING_MACHINES):
        return "an answering machine"
    if any("autoresponder" in value.lower() for value in mail.headers.get("delivered-to", ())):
        return "an answering machine"
    if _OUT_OF_OFFICE.match(mail.subject):
        return "an out-of-office note"
    if sender is not None and sender.address.partition("@")[0].lower() in _ROBOTS:
        return "sent by a mail server"
    return ""


def _word(value: str) -> str:
    """A field's first word, without parameters and comments."""
    return value.partition(";")[0].partition("(")[0].strip().lower()
