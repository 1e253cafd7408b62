"""The lesson as a video: its author adds it to a draft, and with the version it is never changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from staff.models import User
from staff.refusal import Refused
from training.captions import text_of
from training.holding import hold
from training.models import LessonVideo, ProcedureVersion, VersionState

_HEAD: Final = 64
_EBML: Final = b"\x1a\x45\xdf\xa3"
_WEBM: Final = b"\x42\x82\x84webm"


def add(
    *,
    version_id: int,
    language: str,
    file: File[Any],
    captions: bytes,
    by: User,
    now: datetime,
) -> LessonVideo:
    """Add a draft's video in one language, in place of the one there; raises ``Refused``.

    What it is follows from its first bytes, whatever its name says; without captions there is none.
    """
    if file.size > settings.HELPDESK_LESSON_VIDEO_SIZE:
        raise Refused(
            _("The video is larger than %(size)s.")
            % {"size": filesizeformat(settings.HELPDESK_LESSON_VIDEO_SIZE)},
            field="video",
        )
    mime = _mime(file)
    said = text_of(captions)
    digest = sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    # Before anything is locked: to write half a gigabyte takes its time.
    file.seek(0)
    name = default_storage.save(f"lessons/{now:%Y/%m}/{uuid4().hex}", file)
    try:
        with transaction.atomic():
            version = _draft(version_id)
            if language not in version.texts:
                raise Refused(_("The version is not written in this language."), field="language")
            _drop(version.videos.filter(language=language))
            return LessonVideo.objects.create(
                version=version,
                language=language,
                file=name,
                mime=mime,
                size=file.size,
                sha256=digest.digest(),
                captions=said,
                added_at=now,
                added_by=by,
            )
    except BaseException:
        default_storage.delete(name)
        raise


@transaction.atomic
def take_over(*, version_id: int, language: str, by: User, now: datetime) -> LessonVideo:
    """Use the video of the newest version before that has one in this language, for a draft, too."""
    version = _draft(version_id)
    found = before(version).filter(language=language).first()
    if found is None or language not in version.texts:
        raise Refused(_("No version before has a video in this language."), field="language")
    _drop(version.videos.filter(language=language))
    return LessonVideo.objects.create(
        version=version,
        language=language,
        file=found.file.name,
        mime=found.mime,
        size=found.size,
        sha256=bytes(found.sha256),
        captions=found.captions,
        added_at=now,
        added_by=by,
    )


@transaction.atomic
def remove(*, version_id: int, language: str) -> None:
    """Take the video in one language from a draft; its lesson is made of slides then."""
    _drop(_draft(version_id).videos.filter(language=language))


def forget(*, version: ProcedureVersion, but: Collection[str] = ()) -> None:
    """Let a draft's videos go, ``but`` those in these languages; within the transaction in which
    their texts go."""
    _drop(version.videos.exclude(language__in=but))


def before(version: ProcedureVersion) -> QuerySet[LessonVideo]:
    """The videos of the versions before this one, the newest first."""
    return LessonVideo.objects.filter(
        version__procedure=version.procedure_id, version__number__lt=version.number
    ).order_by("-version__number", "language")


def _draft(version_id: int) -> ProcedureVersion:
    version = hold(version_id)
    if version.state != VersionState.DRAFT:
        raise Refused(_("%(version)s is no draft.") % {"version": version})
    return version


def _mime(file: File[Any]) -> str:
    """What kind of video it is, by its container: MP4 (ISO/IEC 14496-12) or WebM (RFC 9559)."""
    file.seek(0)
    head = file.read(_HEAD)
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(_EBML) and _WEBM in head:
        return "video/webm"
    raise Refused(_("This is neither an MP4 nor a WebM video."), field="video")


def _drop(videos: QuerySet[LessonVideo]) -> None:
    for video in videos:
        name = str(video.file.name)
        video.delete()
        transaction.on_commit(partial(_erase, name))


def _erase(name: str) -> None:
    """Delete a file, unless another version uses it."""
    if not LessonVideo.objects.filter(file=name).exists():
        default_storage.delete(name)
