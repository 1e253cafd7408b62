"""Videos for lessons: what has the beginning of one is one to us."""

from __future__ import annotations

from datetime import datetime

from django.core.files.base import ContentFile

from staff.models import User
from tests.house import after
from training import drafting, lessonvideos, versions
from training.frontmatter import with_front
from training.models import LessonVideo, ProcedureVersion

WEBM = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm" + bytes(range(256)) * 8
)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 8
CAPTIONS = b"""WEBVTT

NOTE recorded in the office

1
00:00.000 --> 00:02.500 align:start
<v Anna>First we assess.

00:02.500 --> 01:00:04.000
Then we gather, search &amp; ask.
"""


def draft(version: ProcedureVersion, **front: str) -> ProcedureVersion:
    """The draft that follows a version."""
    texts = {
        language: with_front(text, {"change": f"As done after {version.number}.", **front})
        for language, text in drafting.next_texts(version, today=after().date()).items()
    }
    made = versions.write(texts=texts, by=None, now=after(minutes=5))
    assert made is not None
    return made


def film(
    version: ProcedureVersion, by: User, *, now: datetime, language: str = "en", data: bytes = WEBM
) -> LessonVideo:
    """Add a video to a draft."""
    return lessonvideos.add(
        version_id=version.pk,
        language=language,
        file=ContentFile(data),
        captions=CAPTIONS,
        by=by,
        now=now,
    )
