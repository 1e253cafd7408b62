"""Files that come in a body: as base64, as many and as large as a visitor may send."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from rest_framework import serializers

from desk.api.fields import Line, Shape, Text
from desk.api.problems import invalid
from tickets.inbound.decoding import safe_name
from tickets.inbound.reader import limits

#: Besides the files of a body, its texts.
AROUND = 1_000_000


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as ``tickets.attachments`` keeps it."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


def largest_body() -> int:
    """Bytes of a body with files: base64 makes four of three."""
    return limits().raw * 4 // 3 + AROUND


class FileShape(Shape):
    """A file, in base64 (RFC 4648, section 4)."""

    name = Line(max_length=255)
    content_type = Line(max_length=120, default="application/octet-stream")
    #: A name of the framework's, too.
    data = Text(max_length=60_000_000, trim_whitespace=False)  # type: ignore[assignment]

    def validate_data(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError(_("This is no base64."), code="base64") from None


class FilesField(serializers.ListField):
    """The files of a body; as a list of their own kind they stand in the schema."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=FileShape(), required=False, max_length=limits().parts, **options)


def sent_files(sent: Sequence[dict[str, Any]]) -> list[SentFile]:
    """The files as they are kept. Raises where together they are too large."""
    if sum(len(each["data"]) for each in sent) > limits().raw:
        raise invalid(
            "attachments",
            _("Together these files are larger than %(size)s.")
            % {"size": filesizeformat(limits().raw)},
            code="too_large",
        )
    return [
        SentFile(
            name=safe_name(each["name"], otherwise=f"attachment-{number}"),
            content_type=each["content_type"],
            data=each["data"],
        )
        for number, each in enumerate(sent, start=1)
    ]
