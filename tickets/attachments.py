"""Files that came with a message: kept under names of our own, never under the sender's."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol
from uuid import uuid4

from django.core.files.base import ContentFile

from tickets.models import Attachment, Message


class IncomingFile(Protocol):
    """A file as a door hands it over; its name is safe to show, not to store under."""

    @property
    def name(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def content_id(self) -> str: ...
    @property
    def data(self) -> bytes: ...


def keep(*, message: Message, files: Sequence[IncomingFile]) -> list[Attachment]:
    """Store files and hang them on their message."""
    return Attachment.objects.bulk_create(
        Attachment(
            message=message,
            name=each.name[:255],
            content_type=each.content_type[:120],
            content_id=each.content_id[:255],
            size=len(each.data),
            sha256=sha256(each.data).digest(),
            file=ContentFile(each.data, name=uuid4().hex),
        )
        for each in files
    )
