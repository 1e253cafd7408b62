"""A mail's bytes to what can be judged and shown. Pure; runs in the child process."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email import policy
from email.message import Message

from tickets.inbound.decoding import (
    body_text,
    decode_bytes,
    header_bytes,
    header_text,
    one_line,
    safe_name,
    unfolded,
)
from tickets.inbound.limits import Limits
from tickets.inbound.parsed import ParsedAttachment, ParsedMail, Report
from tickets.inbound.quoting import split_quoted
from tickets.inbound.sanitising import to_text

_JUDGED_FIELDS = (
    "from sender reply-to return-path authentication-results in-reply-to references "
    "auto-submitted precedence x-auto-response-suppress x-autoreply x-autorespond "
    "x-autoreply-from x-helpdesk-loop x-loop delivered-to content-type content-language "
    "accept-language"
)
#: The fields that ``sender``, ``threading`` and ``automatic`` ask for.
JUDGED = frozenset(_JUDGED_FIELDS.split())
_SENT_TO = frozenset({"to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to"})
_PER_FIELD = 20
_BODY_TYPES = ("text/plain", "text/html")
_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,128}@[^\s<>,;:\"()\[\]@]{1,253}")
_MESSAGE_ID = re.compile(r"^message-id:\s{0,4}(<[^<>\s]{1,400}>)", re.IGNORECASE | re.MULTILINE)
_REPORTED = re.compile(
    r"^(action|status|final-recipient):[ \t]{0,10}([^\r\n]{1,300})", re.IGNORECASE | re.MULTILINE
)


class Unreadable(Exception):
    """These bytes are no mail that we read; the text says why, for staff."""


def parse(raw: bytes, *, limits: Limits) -> ParsedMail:
    """Read a mail. Raises ``Unreadable``; whatever else it raises is a mistake of ours."""
    _check(raw, limits)
    try:
        message = email.message_from_bytes(raw, policy=policy.compat32)
        return _Reading(limits).mail(message)
    except RecursionError:
        raise Unreadable(f"Its parts are nested deeper than {limits.mime_depth}.") from None
    except MemoryError:
        raise Unreadable("Reading it takes too much memory.") from None


def _check(raw: bytes, limits: Limits) -> None:
    if len(raw) > limits.raw:
        raise Unreadable(f"It has {len(raw)} bytes; up to {limits.raw} are read.")
    if not raw.strip():
        raise Unreadable("It is empty.")
    end = _END_OF_HEADERS.search(raw, 0, limits.headers + 4)
    if (end.start() if end else len(raw)) > limits.headers:
        raise Unreadable(f"Its header has more than {limits.headers} bytes.")
    start = raw
    if start.startswith(b"From "):
        start = start.partition(b"\n")[2]
    if not _FIELD.match(start):
        raise Unreadable("It does not begin with a header field.")


class _Reading:
    """One mail being read: what was found, and what was left out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._plain: list[str] = []
        self._html: list[str] = []
        self._attachments: list[ParsedAttachment] = []
        self._notes: list[str] = []

    def mail(self, message: Message) -> ParsedMail:
        headers = self._headers(message)
        report = _report(message)
        for part in self._parts(message):
            self._take(part)
        text = body_text("\n\n".join(self._plain))
        if not text:
            text = body_text("\n\n".join(self._text_of(html) for html in self._html))
        if self._notes and not text and not self._attachments:
            raise Unreadable(" ".join(self._notes))
        text = self._cut(text)
        new, quoted = split_quoted(text, seconds=self._limits.quoting)
        return ParsedMail(
            headers=headers,
            message_id=unfolded(str(_first(message, "message-id")))[:500],
            subject=header_text(_first(message, "subject"))[:300],
            recipients=self._recipients(message),
            text=new,
            quoted=quoted,
            has_html=bool(self._html),
            attachments=tuple(self._attachments),
            report=report,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def html(self, message: Message) -> str:
        """The HTML as it came, decoded; empty where there is none."""
        for part in self._parts(message):
            if _is_body(part) and part.get_content_type() == "text/html":
                self._take(part)
        return "\n".join(self._html)

    def _headers(self, message: Message) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            name = name.lower()
            if name in JUDGED or name.startswith("list-"):
                values = found.setdefault(name, [])
                if len(values) < _PER_FIELD and len(found) <= 60:
                    values.append(unfolded(str(value)))
        return {name: tuple(values) for name, values in found.items() if values}

    def _recipients(self, message: Message) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for name, value in message.raw_items():
            if name.lower() not in _SENT_TO:
                continue
            text = decode_bytes(header_bytes(str(value)), None)
            for address in _ADDRESS.findall(text):
                found.setdefault(one_line(address))
                if len(found) > self._limits.recipients:
                    found.popitem()
                    self._notes.append(
                        f"Only the first {self._limits.recipients} recipients were looked at."
                    )
                    return tuple(found)
        return tuple(found)

    def _parts(self, message: Message) -> Iterator[Message]:
        """The parts that hold something, in order, within the limits."""
        waiting = [(message, 1)]
        seen = 0
        while waiting:
            part, depth = waiting.pop()
            seen += 1
            if seen > self._limits.parts:
                self._notes.append(f"Only the first {self._limits.parts} parts were taken.")
                return
            inner = part.get_payload() if part.get_content_maintype() == "multipart" else None
            if not isinstance(inner, list):
                yield part
            elif depth >= self._limits.mime_depth:
                self._notes.append(f"Parts nested deeper than {depth} were left out.")
            else:
                waiting += [
                    (each, depth + 1) for each in reversed(inner) if isinstance(each, Message)
                ]

    def _take(self, part: Message) -> None:
        content_type = part.get_content_type()
        if part.get_content_maintype() == "message" and isinstance(part.get_payload(), list):
            self._take_inner_message(part)
            return
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if not _is_body(part):
            if data or _file_name(part):
                self._attach(part, data)
            return
        text = decode_bytes(data, _charset(part))
        if content_type == "text/html":
            room = self._limits.html - sum(map(len, self._html))
            if len(text) > room:
                self._notes.append(f"HTML beyond {self._limits.html} characters was cut.")
            self._html.append(text[:room])
        else:
            self._plain.append(text)

    def _take_inner_message(self, part: Message) -> None:
        """A mail within the mail, or a report, as a file; it is not looked into."""
        inner = part.get_payload()
        try:
            data = b"\n".join(each.as_bytes() for each in inner if isinstance(each, Message))
        except (ValueError, LookupError, TypeError, KeyError, AttributeError):
            self._notes.append("A mail within the mail could not be taken out.")
            return
        self._attach(part, data)

    def _attach(self, part: Message, data: bytes) -> None:
        number = len(self._attachments) + 1
        content_type = part.get_content_type()
        ending = ".eml" if content_type == "message/rfc822" else ""
        self._attachments.append(
            ParsedAttachment(
                name=safe_name(_file_name(part), otherwise=f"attachment-{number}{ending}"),
                content_type=one_line(content_type)[:120],
                content_id=unfolded(_first(part, "content-id")).strip("<>")[:255],
                data=data,
            )
        )

    def _text_of(self, html: str) -> str:
        return to_text(html, depth=self._limits.html_depth)

    def _cut(self, text: str) -> str:
        if len(text) <= self._limits.text:
            return text
        self._notes.append(f"Text beyond {self._limits.text} characters was cut.")
        return text[: self._limits.text]


def html_of(raw: bytes, *, limits: Limits) -> str:
    """The HTML of a mail as its sender wrote it. Raises ``Unreadable``."""
    _check(raw, limits)
    try:
        return _Reading(limits).html(email.message_from_bytes(raw, policy=policy.compat32))
    except RecursionError:
        raise Unreadable(f"Its parts are nested deeper than {limits.mime_depth}.") from None


def _is_body(part: Message) -> bool:
    """Whether a part is what the sender wrote, and not a file."""
    if part.get_content_maintype() == "multipart":
        return True  # it says so, and has no parts: a broken mail, but there is text
    if part.get_content_type() not in _BODY_TYPES:
        return False
    disposition = str(_first(part, "content-disposition")).lstrip().lower()
    return not disposition.startswith("attachment") and not _file_name(part)


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename("")
    except (ValueError, LookupError, TypeError, KeyError, AttributeError):
        return "attachment"  # it has a name that cannot be read
    return header_text(str(name)) if name else ""


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (ValueError, LookupError, TypeError, KeyError, AttributeError):
        return None


def _first(message: Message, name: str) -> str:
    for found, value in message.raw_items():
        if found.lower() == name:
            return str(value)
    return ""


def _report(message: Message) -> Report | None:
    """What a delivery status notification (RFC 3464) says, where the mail is one."""
    if message.get_content_type() != "multipart/report":
        return None
    inner = message.get_payload()
    said: dict[str, str] = {}
    returned: list[str] = []
    for part in inner[:10] if isinstance(inner, list) else []:
        if not isinstance(part, Message):
            continue
        kind = part.get_content_type()
        try:
            text = part.as_bytes()[:64_000].decode("latin-1")
        except (ValueError, LookupError, TypeError, KeyError, AttributeError):
            continue
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            for name, value in _REPORTED.findall(text):
                said.setdefault(name.lower(), one_line(value))
        elif kind in (
            "message/rfc822",
            "message/rfc822-headers",
            "text/rfc822-headers",
            "message/global",
            "message/global-headers",
        ):
            returned += _MESSAGE_ID.findall(text)
    return Report(
        action=said.get("action", "").lower()[:20],
        status=said.get("status", "").partition(" ")[0][:20],
        recipient=said.get("final-recipient", "").rpartition(";")[2].strip()[:254],
        message_ids=tuple(returned[:10]),
    )
