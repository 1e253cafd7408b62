"""What reading a mail gives: plain values that cross from the child process as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedAttachment:
    """A file in a mail. The name is safe to show and to offer, not to store under."""

    name: str
    content_type: str
    #: Without its angle brackets; empty where nothing in the HTML refers to the file.
    content_id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A delivery status notification (RFC 3464): what became of a letter of ours."""

    #: ``failed``, ``delayed``, ``delivered``, ``relayed``, ``expanded``, or empty.
    action: str
    #: An enhanced status code (RFC 3463) such as ``5.1.1``, or empty.
    status: str
    recipient: str
    #: Message-IDs found in the part that returns the letter.
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    """A mail as far as it could be read."""

    #: The header fields that are judged, by name in lower case, top-most first, unfolded.
    headers: Mapping[str, tuple[str, ...]]
    message_id: str
    subject: str
    #: Bare addresses in To, Cc and the delivery headers.
    recipients: tuple[str, ...]
    text: str
    quoted: str
    has_html: bool
    attachments: tuple[ParsedAttachment, ...] = ()
    report: Report | None = None
    #: What was left out, in words for staff; the raw mail still has it.
    notes: tuple[str, ...] = field(default=())

    def header(self, name: str) -> str:
        """The top-most field of this name, or an empty string."""
        values = self.headers.get(name, ())
        return values[0] if values else ""


def to_json(mail: ParsedMail) -> dict[str, Any]:
    """Everything but the attachments' data, which travels beside it."""
    values: dict[str, Any] = {
        name: getattr(mail, name)
        for name in ParsedMail.__slots__
        if name not in ("attachments", "report")
    }
    values["attachments"] = [
        [each.name, each.content_type, each.content_id] for each in mail.attachments
    ]
    values["report"] = asdict(mail.report) if mail.report else None
    return values


def from_json(values: Mapping[str, Any], data: list[bytes]) -> ParsedMail:
    """The other way round. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
    report = values["report"]
    return ParsedMail(
        headers={str(name): tuple(map(str, found)) for name, found in values["headers"].items()},
        message_id=str(values["message_id"]),
        subject=str(values["subject"]),
        recipients=tuple(map(str, values["recipients"])),
        text=str(values["text"]),
        quoted=str(values["quoted"]),
        has_html=bool(values["has_html"]),
        attachments=tuple(
            ParsedAttachment(
                name=str(name), content_type=str(content_type), content_id=str(cid), data=blob
            )
            for (name, content_type, cid), blob in zip(values["attachments"], data, strict=True)
        ),
        report=report
        and Report(
            action=str(report["action"]),
            status=str(report["status"]),
            recipient=str(report["recipient"]),
            message_ids=tuple(map(str, report["message_ids"])),
        ),
        notes=tuple(map(str, values["notes"])),
    )
