"""Files: what came with a message, or belongs to a lesson, is there as it came, and nothing is there
that nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import chain, islice
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import SAMPLE, Check, Look, Noun, Row, Severity
from tickets.models import Attachment
from training.models import LessonVideo

FOLDERS = ("attachments", "lessons")
SIZED = 50 * SAMPLE
"""Files whose size is compared, unless the check is deep: those of the newest attachments."""

READ = 200 * 2**20
"""Bytes that are read to compare checksums, unless the check is deep."""

WALKED = 200_000
"""Files that are looked for in the database, unless the check is deep."""

AT_ONCE = 5000
YOUNG = timedelta(hours=1)
"""A file is written before the transaction commits that names it."""


def _missing(look: Look) -> Iterator[Row]:
    """Attachments whose file is not there, or is of another size."""
    seen: dict[str, int | None] = {}
    for pk, name, size, _digest, ticket in _newest(look, SIZED):
        if name not in seen:
            if len(seen) > AT_ONCE:
                seen.clear()
            try:
                seen[name] = default_storage.size(name)
            except FileNotFoundError:
                seen[name] = None
        if seen[name] != size:
            yield Row(str(pk), ticket)


def _altered(look: Look) -> Iterator[Row]:
    """Attachments whose file has another checksum than when it came."""
    left = READ
    known: dict[str, bytes] = {}
    for pk, name, size, digest, ticket in _newest(look, SAMPLE):
        if not look.deep and (left := left - size) < 0:
            return
        if name not in known:
            if len(known) > AT_ONCE:
                known.clear()
            try:
                known[name] = _digest_of(name)
            except FileNotFoundError:
                continue  # the other check says so
        if known[name] != bytes(digest):
            yield Row(str(pk), ticket)


def _unplayable(look: Look) -> Iterator[Row]:
    """Videos of lessons whose file is not there, or is not as it was added."""
    left = READ
    rows = LessonVideo.objects.order_by("-pk").values_list("pk", "file", "size", "sha256")
    for pk, name, size, digest in rows.iterator(chunk_size=2000):
        try:
            is_whole = default_storage.size(name) == size
            left -= size
            # They are large: of those that are not read, the size has to do.
            if is_whole and (look.deep or left >= 0):
                is_whole = _digest_of(name) == bytes(digest)
        except FileNotFoundError:
            is_whole = False
        if not is_whole:
            yield Row(str(pk))


def _orphaned(look: Look) -> Iterator[Row]:
    """Files that no attachment and no lesson names, and that nobody is just about to."""
    every = chain.from_iterable(map(_walk, FOLDERS))
    files = every if look.deep else islice(every, WALKED)
    while part := list(islice(files, AT_ONCE)):
        named = {
            name
            for model in (Attachment, LessonVideo)
            for name in model._default_manager.filter(file__in=part).values_list("file", flat=True)
        }
        for name in part:
            if name not in named and _is_old(name, look):
                yield Row(name)


def _is_old(name: str, look: Look) -> bool:
    try:
        return default_storage.get_modified_time(name) < look.now - YOUNG
    except FileNotFoundError:
        return False


def _newest(look: Look, most: int) -> Iterable[tuple[int, str, int, Any, int]]:
    rows = Attachment.objects.order_by("-pk").values_list(
        "pk", "file", "size", "sha256", "message__ticket"
    )
    return (rows if look.deep else rows[:most]).iterator(chunk_size=2000)


def _digest_of(name: str) -> bytes:
    digest = sha256()
    with default_storage.open(name) as file:
        for chunk in file.chunks():
            digest.update(chunk)
    return digest.digest()


def _walk(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        yield f"{folder}/{name}"
    for each in folders:
        yield from _walk(f"{folder}/{each}")


CHECKS = (
    Check(
        name="file-there",
        promise=_("Every file that came with a message is there, in full."),
        counts=_("Attachments, of the newest, whose file is missing or has another size."),
        severity=Severity.NOW,
        noun=Noun.ATTACHMENT,
        find=_missing,
    ),
    Check(
        name="file-unchanged",
        promise=_("A file is kept byte for byte as it came."),
        counts=_("Attachments, some of the newest, whose file has another checksum."),
        severity=Severity.NOW,
        noun=Noun.ATTACHMENT,
        find=_altered,
    ),
    Check(
        name="lesson-there",
        promise=_("The video of a lesson is there, as it was added."),
        counts=_("Videos whose file is missing or has another size or, of the newest, checksum."),
        severity=Severity.TODAY,
        noun=Noun.VIDEO,
        find=_unplayable,
    ),
    Check(
        name="file-named",
        promise=_("Nothing is kept that nobody can see or erase."),
        counts=_("Files older than an hour that no attachment and no lesson names."),
        severity=Severity.NOTICE,
        noun=Noun.FILE,
        find=_orphaned,
    ),
)
