"""The archive: a plain tar that tells of any byte in it that is not as it was written.

Its members, in this order::

    HELPDESK-BACKUP     what this is, for whoever finds it, and how to restore it by hand
    database/00000 …    pg_dump's custom format, cut into parts: ``cat database/*`` is the dump
    files/…             the files that rows name, as they are
    sums/00000 …        after so many members, their SHA-256 as ``sha256sum -c`` reads them
    manifest.json       of which release, when, how much
    SHA256              of every byte before this member

Parts, since tar wants a size before the content, and a dump that is streamed has none yet. Nothing
here holds more than a part in memory, however large the archive is.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, Protocol, cast

#: Of the archive's make; a reader refuses a higher one.
FORMAT = 1
HEAD, MANIFEST, SEAL = "HELPDESK-BACKUP", "manifest.json", "SHA256"
DATABASE, FILES, SUMS = "database/", "files/", "sums/"
#: Bytes of the dump in one member.
PART = 8 * 1024 * 1024
#: Members whose sums stand together.
SUMMED = 10_000
#: Of a member that is held in memory: a part, sums, the manifest.
_LARGEST = 16 * 1024 * 1024
_BLOCK = 1024 * 1024
_NUMBERED = re.compile(r"(?:database|sums)/[0-9]{5,9}")

_HEAD_TEXT = """\
This is a backup of a helpdesk (format {format}): all that customers wrote is in it, unencrypted.

    manage.py restore --check FILE    says whether it is whole
    manage.py restore FILE            into an empty installation

By hand, in an empty folder:

    tar -xf FILE && cat sums/* | sha256sum --check --quiet
    cat database/* | pg_restore --no-owner --dbname=...
    # files/ is what belongs into HELPDESK_DATA_DIR/files
    # then, before any worker is started: manage.py outbox pause
"""


class Damaged(Exception):
    """The archive is not as it was written, or is none; the message says what and where."""


class Visitor(Protocol):
    """Whoever is shown what is in an archive, while it is verified."""

    def database(self, part: bytes) -> None: ...
    def file(self, name: str, content: Iterator[bytes]) -> None: ...


class _Sink:
    """Where the archive is written to; keeps the sum of all that was."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._sum = hashlib.sha256()
        self._at = 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._sum.update(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def sum(self) -> str:
        return self._sum.hexdigest()


class Writer:
    """Writes an archive's members in their order; ``finish`` makes it whole."""

    def __init__(self, out: IO[bytes], *, at: datetime) -> None:
        self._sink = _Sink(out)
        # Closed by finish(), or never finished. typeshed wants more of files than tarfile does.
        self._tar: Any = tarfile.open(  # noqa: SIM115
            fileobj=cast("Any", self._sink), mode="w", format=tarfile.PAX_FORMAT
        )
        self._mtime = int(at.timestamp())
        self._lines: list[str] = []
        self._sums = 0
        self._parts = 0
        self.add(HEAD, _HEAD_TEXT.format(format=FORMAT).encode())

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._sink.tell()

    def add(self, name: str, data: bytes) -> None:
        self.copy(name, io.BytesIO(data), size=len(data))

    def add_database(self, dump: IO[bytes]) -> int:
        """Write a dump until it ends; tells its bytes."""
        total = 0
        while data := dump.read(PART):
            self.add(f"{DATABASE}{self._parts:05}", data)
            self._parts += 1
            total += len(data)
        return total

    def copy(self, name: str, source: IO[bytes], *, size: int, mtime: float | None = None) -> str:
        """Write so many bytes of a source; gives their SHA-256.

        Raises ``EOFError`` where it has fewer: the archive is spoilt then.
        """
        member = _member(name, size, self._mtime if mtime is None else int(mtime))
        reading = _Summing(source, size)
        self._tar.addfile(member, reading)
        self._tar.members.clear()  # else it remembers every one of them
        self._lines.append(_line(reading.sum.hexdigest(), name))
        if len(self._lines) >= SUMMED:
            self._write_sums()
        return reading.sum.hexdigest()

    def finish(self, manifest: dict[str, Any]) -> str:
        """Close the archive; gives the sum that seals it."""
        if self._lines:
            self._write_sums()
        told = json.dumps({"format": FORMAT, **manifest}, indent=1, ensure_ascii=False)
        self._plain(MANIFEST, told.encode())
        seal = self._sink.sum()
        self._plain(SEAL, f"{seal}\n".encode())
        self._tar.close()
        return seal

    def _write_sums(self) -> None:
        self._plain(f"{SUMS}{self._sums:05}", "".join(self._lines).encode())
        self._lines.clear()
        self._sums += 1

    def _plain(self, name: str, data: bytes) -> None:
        self._tar.addfile(_member(name, len(data), self._mtime), io.BytesIO(data))
        self._tar.members.clear()


class _Summing:
    """A source that is read to the end of what was announced, and summed meanwhile."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._left = size
        self.sum = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, self._left))
        if not data and self._left:
            raise EOFError
        self._left -= len(data)
        self.sum.update(data)
        return data


def walk(source: IO[bytes], visitor: Visitor | None = None) -> dict[str, Any]:
    """Read an archive from its beginning to its last byte; gives its manifest.

    Shows the visitor every part and file on the way, before it is known that the rest is whole.
    Raises ``Damaged``.
    """
    return _Walk(source, visitor).whole()


class _Source:
    """A file that is read forward, and summed up to where it was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self._summed = 0
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        at = self._file.tell()
        self.sum_up_to(at)
        data = self._file.read(size)
        if at + len(data) > self._summed:
            self._sum.update(data[self._summed - at :])
            self._summed = at + len(data)
        return data

    def seek(self, at: int, whence: int = 0) -> int:
        return self._file.seek(at, whence)

    def tell(self) -> int:
        return self._file.tell()

    def sum_up_to(self, end: int) -> str:
        """The sum of all before a place that is not behind what was read."""
        back = self._file.tell()
        self._file.seek(self._summed)
        while self._summed < end and (data := self._file.read(min(_BLOCK, end - self._summed))):
            self._sum.update(data)
            self._summed += len(data)
        self._file.seek(back)
        return self._sum.hexdigest()


class _Walk:
    def __init__(self, source: IO[bytes], visitor: Visitor | None) -> None:
        self._source = _Source(source)
        self._visitor = visitor
        self._lines: list[str] = []
        self._sums = self._parts = 0
        self._last_file = ""
        self._manifest: dict[str, Any] | None = None

    def whole(self) -> dict[str, Any]:
        try:
            with tarfile.open(fileobj=cast("Any", self._source), mode="r:") as tar:
                return self._members(tar)
        except tarfile.TarError as error:
            raise Damaged(
                f"It is not a tar archive, or damaged before byte {self._source.tell()}: {error}."
            ) from None
        except (UnicodeDecodeError, ValueError, OverflowError, RecursionError) as error:
            raise Damaged(f"It is damaged before byte {self._source.tell()}: {error}.") from None

    def _members(self, tar: Any) -> dict[str, Any]:
        first = True
        while True:
            before = self._source.sum_up_to(tar.offset)
            begins = tar.offset
            member = tar.next()
            if member is None:
                raise Damaged(f"At byte {begins} stands no further member: damaged, or truncated.")
            tar.members.clear()
            self._fitting(member, first=first)
            first = False
            content = self._content(tar, member)
            if member.name == SEAL:
                return self._sealed(b"".join(content), before, member)
            if member.name == MANIFEST:
                self._manifest = self._read_manifest(b"".join(content))
            elif member.name.startswith(SUMS):
                self._compare(member.name, b"".join(content))
            else:
                self._show(member.name, content)

    def _fitting(self, member: tarfile.TarInfo, *, first: bool) -> None:
        """Refuse whatever we never write: links, devices, folders, names that lead elsewhere."""
        name = member.name
        if first != (name == HEAD):
            raise Damaged(
                f"It is no backup of a helpdesk: it begins with {name!r}."
                if first
                else f"Member {name!r} stands where it does not belong."
            )
        if member.type != tarfile.REGTYPE or member.issparse():
            raise Damaged(f"Member {name!r} is no plain file.")
        if member.size > _LARGEST and not name.startswith(FILES):
            raise Damaged(f"Member {name!r} is larger than any.")
        if self._manifest is not None and name != SEAL:
            raise Damaged(f"Member {name!r} stands behind the manifest.")
        if name.startswith(FILES):
            if not is_safe(name.removeprefix(FILES)):
                raise Damaged(f"Member {name!r} has a name that leads elsewhere.")
            if name <= self._last_file:
                raise Damaged(f"Member {name!r} stands twice, or where it does not belong.")
            self._last_file = name
        elif name.startswith((DATABASE, SUMS)):
            number = self._parts if name.startswith(DATABASE) else self._sums
            if not _NUMBERED.fullmatch(name) or int(name.partition("/")[2]) != number:
                raise Damaged(f"Member {name!r} stands where it does not belong.")
            if name.startswith(DATABASE) and self._last_file:
                raise Damaged(f"Member {name!r} stands behind the files.")
        elif name not in (HEAD, MANIFEST, SEAL):
            raise Damaged(f"Member {name!r} is none of a backup.")

    def _content(self, tar: Any, member: tarfile.TarInfo) -> Iterator[bytes]:
        opened = tar.extractfile(member)
        left = member.size
        total = hashlib.sha256()
        while left:
            data = opened.read(min(_BLOCK, left))
            if not data:
                raise Damaged(f"It ends within member {member.name!r}: truncated.")
            left -= len(data)
            total.update(data)
            yield data
        self._lines.append(_line(total.hexdigest(), member.name))

    def _show(self, name: str, content: Iterator[bytes]) -> None:
        if name.startswith(DATABASE):
            self._parts += 1
            part = b"".join(content)
            if self._visitor is not None:
                self._visitor.database(part)
        elif name.startswith(FILES) and self._visitor is not None:
            self._visitor.file(name.removeprefix(FILES), content)
        for _data in content:
            pass

    def _compare(self, name: str, said: bytes) -> None:
        """Hold what was read since the last sums against what these say."""
        self._sums += 1
        self._lines.pop()  # these sums' own
        lines = said.decode().splitlines(keepends=True)
        for found, line in zip(self._lines, lines, strict=False):
            if found != line:
                raise Damaged(
                    f"Member {found[66:].rstrip()!r} is not what {name} says of it: damaged."
                )
        if len(self._lines) != len(lines):
            raise Damaged(
                f"{name} speaks of {len(lines)} members, and {len(self._lines)} are there."
            )
        self._lines.clear()

    def _read_manifest(self, said: bytes) -> dict[str, Any]:
        self._lines.pop()
        if self._lines:
            raise Damaged(f"The sums of {len(self._lines)} members are missing.")
        manifest = json.loads(said)
        if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
            raise Damaged("The manifest is none.")
        return manifest

    def _sealed(self, said: bytes, found: str, member: tarfile.TarInfo) -> dict[str, Any]:
        if self._manifest is None:
            raise Damaged("The manifest is missing.")
        if said != f"{found}\n".encode():
            raise Damaged(
                "The sum over all of it differs: the manifest, or what stands between the members,"
                " was altered."
            )
        # The seal is not over itself: its head is as we write it, and nothing but zeros follows.
        head = _member(SEAL, member.size, int(member.mtime)).tobuf(tarfile.PAX_FORMAT)
        self._source.seek(member.offset_data - len(head))
        if self._source.read(len(head)) != head:
            raise Damaged("The head of its last member was altered.")
        self._source.seek(member.offset_data + member.size)
        while data := self._source.read(_BLOCK):
            if data.strip(b"\0"):
                raise Damaged("Something stands behind its end.")
        return self._manifest


def is_safe(name: str) -> bool:
    """Whether a file's name stays below the folder it is put into."""
    parts = name.split("/")
    return (
        bool(name)
        and name.isprintable()
        and "\\" not in name
        and not any(part in ("", ".", "..") or part.startswith(".") for part in parts)
    )


def _member(name: str, size: int, mtime: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, mtime
    return member


def _line(total: str, name: str) -> str:
    return f"{total}  {name}\n"
