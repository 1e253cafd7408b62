"""Backup and restore at the command line: what is in an archive, and what is refused."""

from __future__ import annotations

import io
import json
import resource
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import FileField
from django.test import override_settings
from pytest_django import Settings

from helpdesk import __version__
from helpdesk.backup import archive, manifest, tools
from helpdesk.backup.archive import Damaged, Writer, walk
from tests.house import House
from tests.processes import ROOT, eventually
from tests.servers import Servers
from tickets.attachments import keep
from tickets.models import Attachment, Message
from training.models import LessonVideo

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


# The archive


def written(*, parts: bytes = b"the dump " * 40, files: int = 3, tail: bytes = b"") -> bytes:
    """A small archive of no database."""
    out = io.BytesIO()
    writer = Writer(out, at=NOW)
    writer.add_database(io.BytesIO(parts))
    for number in range(files):
        content = f"file {number} ".encode() * 200
        writer.copy(f"files/attachments/{number:02}", io.BytesIO(content), size=len(content))
    writer.finish({"made_at": NOW.isoformat()})
    return out.getvalue() + tail


def members(whole: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        return tar.getmembers()


class Seen:
    """Keeps what an archive shows."""

    def __init__(self) -> None:
        self.dump = b""
        self.files: dict[str, bytes] = {}

    def database(self, part: bytes) -> None:
        self.dump += part

    def file(self, name: str, content: Iterator[bytes]) -> None:
        self.files[name] = b"".join(content)


def test_an_archive_gives_back_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PART", 100)
    monkeypatch.setattr(archive, "SUMMED", 2)
    seen = Seen()
    told = walk(io.BytesIO(written()), seen)
    assert told == {"format": 1, "made_at": NOW.isoformat()}
    assert seen.dump == b"the dump " * 40
    assert list(seen.files) == [f"attachments/{number:02}" for number in range(3)]
    assert seen.files["attachments/01"] == b"file 1 " * 200


def test_a_bit_that_is_another_is_found_wherever_it_is() -> None:
    whole = written()
    assert walk(io.BytesIO(whole))
    end = len(whole.rstrip(b"\0")) + 1
    step = 37
    for at in [*range(0, end, step), end, len(whole) - 1]:
        other = bytearray(whole)
        other[at] ^= 1 << (at % 8)
        with pytest.raises(Damaged):
            walk(io.BytesIO(other))


def test_a_damaged_member_is_named() -> None:
    whole = written()
    for member in members(whole):
        if member.name in ("SHA256", "manifest.json") or member.name.startswith("sums/"):
            continue
        other = bytearray(whole)
        other[member.offset_data + 5] ^= 1
        with pytest.raises(Damaged, match=member.name):
            walk(io.BytesIO(other))


def test_an_archive_that_was_cut_off_is_none_wherever_it_was() -> None:
    whole = written()
    end = len(whole.rstrip(b"\0"))
    for length in [0, *range(1, end, 211), end - 1]:
        with pytest.raises(Damaged):
            walk(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 10240, b"%PDF-1.7\n" * 400, b"\x1f\x8b\x08" + b"x" * 2000],
    ids=["empty", "zeros", "a document", "gzip"],
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(Damaged):
        walk(io.BytesIO(content))


def test_a_tar_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("etc/passwd"))
    with pytest.raises(Damaged, match=r"no backup of a helpdesk.*etc/passwd"):
        walk(io.BytesIO(out.getvalue()))


def forged(
    *,
    of: bytes = b"",
    drop: str = "",
    change: Callable[[tarfile.TarInfo], None] | None = None,
    manifest: Callable[[dict[str, Any]], None] | None = None,
) -> bytes:
    """An archive without some member, or with one that was changed, its sums made to fit."""
    out = io.BytesIO()
    sink = archive._Sink(out)
    lines: list[str] = []
    with (
        tarfile.open(fileobj=io.BytesIO(of or written())) as old,
        tarfile.open(fileobj=cast("Any", sink), mode="w") as new,
    ):
        for member in old.getmembers():
            content = old.extractfile(member)
            data = content.read() if content else b""
            if drop and member.name.startswith(drop):
                continue
            if member.name == "files/attachments/01" and change:
                change(member)
                data = data[: member.size]
            if member.name.startswith("sums/"):
                data = "".join(lines).encode()
                member.size = len(data)
            if member.name == "manifest.json" and manifest:
                told = json.loads(data)
                manifest(told)
                data = json.dumps(told).encode()
                member.size = len(data)
            if member.name == "SHA256":
                data = f"{sink.sum()}\n".encode()
            if member.isreg():
                lines.append(archive._line(sha256(data).hexdigest(), member.name))
            new.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _named(name: str) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.name = name

    return change


def _typed(kind: bytes, target: str = "") -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, target, 0

    return change


def test_what_is_forged_to_fit_is_read_where_nothing_is_changed() -> None:
    assert walk(io.BytesIO(forged()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_named("files/../../etc/cron.d/x"), "leads elsewhere"),
        (_named("files//etc/x"), "leads elsewhere"),
        (_named("files/a/.ssh"), "leads elsewhere"),
        (_named("files/a\nb"), "leads elsewhere"),
        (_named("/etc/passwd"), "none of a backup"),
        (_named("files/attachments/00"), "twice"),
        (_named("database/00001"), "behind the files"),
        (_typed(tarfile.SYMTYPE, "/etc"), "no plain file"),
        (_typed(tarfile.LNKTYPE, "/etc/passwd"), "no plain file"),
        (_typed(tarfile.CHRTYPE), "no plain file"),
        (_typed(tarfile.FIFOTYPE), "no plain file"),
        (_typed(tarfile.DIRTYPE), "no plain file"),
    ],
)
def test_a_member_that_would_do_harm_is_refused(
    change: Callable[[tarfile.TarInfo], None], said: str
) -> None:
    with pytest.raises(Damaged, match=said):
        walk(io.BytesIO(forged(change=change)))


@pytest.mark.parametrize("name", ["manifest.json", "SHA256", "sums/", "HELPDESK-BACKUP"])
def test_an_archive_without_one_of_its_ends_is_refused(name: str) -> None:
    with pytest.raises(Damaged):
        walk(io.BytesIO(forged(drop=name)))


def test_every_file_that_a_row_can_name_is_in_a_backup() -> None:
    found = [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    ]
    named = {(Attachment, "file"), (LessonVideo, "file")}
    assert set(found) == named, "helpdesk/backup/making.py has to name it"


# The commands


class Machine:
    """A database and a folder of one's own, with the keys that every installation here has."""

    def __init__(self, folder: Path, url: str, servers: Servers) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.url = url.replace("postgres://", "postgresql://", 1)
        self.environment = {
            **servers.environment,
            "DATABASE_URL": url,
            "HELPDESK_DATA_DIR": str(folder),
        }

    def manage(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stderr=subprocess.PIPE,
            timeout=120,
            **{"stdout": subprocess.PIPE, **options},
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as asking:
            asking.autocommit = True
            cursor = asking.cursor()
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []

    def is_bare(self) -> bool:
        """Whether there is no table and no file."""
        tables = self.ask("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
        return not tables and not [*self.files.rglob("*")]


@pytest.fixture
def here(transactional_db: None, servers: Servers, tmp_path: Path) -> Machine:
    """The installation on the test's own database, with tickets, files and letters."""
    url = urlsplit(servers.database_url)._replace(path=f"/{connection.settings_dict['NAME']}")
    machine = Machine(tmp_path / "here", urlunsplit(url), servers)
    machine.files.mkdir(parents=True)
    house = House()
    with override_settings(MEDIA_ROOT=machine.files):
        for number in range(3):
            ticket = house.ticket(f"Case {number}")
            message = Message.objects.filter(ticket=ticket).latest("pk")
            keep(message=message, files=[_File(f"log of case {number} ".encode() * 99)])
    house.escalate(ticket)
    return machine


@pytest.fixture
def there(servers: Servers, tmp_path: Path) -> Iterator[Machine]:
    """An empty installation beside it."""
    name = f"there_{tmp_path.name}".lower()
    made = urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))
    server = Machine(tmp_path, servers.database_url, servers)
    server.ask(f'CREATE DATABASE "{name}"')
    yield Machine(tmp_path / "there", made, servers)
    server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass(frozen=True)
class _File:
    data: bytes
    name: str = "case.log"
    content_type: str = "text/plain"
    content_id: str = ""


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What a command that did not do it said."""
    assert done.returncode != 0, done.stdout
    return done.stderr.decode()


@pytest.mark.slow
def test_a_backup_is_whole_or_not_there(here: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / ".helpdesk-left.part").touch()
    for old in ("20250101T000000Z", "20250102T000000Z"):
        (folder / f"helpdesk-{old}.tar").touch()
    (folder / "helpdesk-holiday.tar").touch()
    [lost, *_rest] = Attachment.objects.order_by("pk")
    (here.files / str(lost.file.name)).unlink()

    done = here.manage("backup", str(folder), "--keep", "2")

    assert done.returncode == 0, done.stderr
    assert f"{lost.file.name}: is not there" in done.stderr.decode()
    [mine] = [path for path in folder.iterdir() if path.stat().st_size]
    assert {path.name for path in folder.iterdir()} == {
        *("helpdesk-20250102T000000Z.tar", "helpdesk-holiday.tar", mine.name)
    }
    assert mine.stat().st_mode & 0o777 == 0o600
    with mine.open("rb") as file:
        told = walk(file)
    assert (told["counts"]["tickets"], told["files"]["count"]) == (3, 2)
    assert "only-for-tests" not in mine.read_bytes().decode("latin-1"), "no key is in it"
    assert mine.name in said(here.manage("backup", str(mine))), "nothing is written over"

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    before = sorted(folder.iterdir())
    full = here.manage("backup", str(folder), preexec_fn=little_room)
    assert "no room" in said(full)
    assert sorted(folder.iterdir()) == before
    with Path("/dev/full").open("wb") as out:
        assert "no room" in said(here.manage("backup", "-", stdout=out))


@pytest.mark.slow
def test_a_backup_is_restored_into_an_empty_installation_and_nowhere_else(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    whole = here.manage("backup", "-").stdout
    path = tmp_path / "backup.tar"

    # What is not whole, or does not fit, is refused before anything is touched.
    for damaged in (_flipped(whole, "database/00000"), whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert "nothing was touched" in said(there.manage("restore", str(path)))
        assert there.is_bare()
    # A table short of what was promised is found when all but the commit is done.
    path.write_bytes(_promising(whole, tickets=4))
    assert "tickets_ticket has 3 rows, and the backup had 4" in said(
        there.manage("restore", str(path))
    )
    assert there.is_bare()

    path.write_bytes(whole)
    done = there.manage("restore", str(path))
    assert done.returncode == 0, done.stderr
    assert b"warning" not in done.stderr, "the keys are the same"
    assert there.ask("SELECT count(*) FROM tickets_ticket") == [(3,)]
    names = {path.relative_to(there.files) for path in there.files.rglob("*") if path.is_file()}
    assert names == {Path(str(each.file.name)) for each in Attachment.objects.all()}
    assert there.ask("SELECT cause, ended_at FROM notifications_outboxpause") == [("restore", None)]
    assert there.ask("SELECT DISTINCT state FROM notifications_outgoingemail") == [("uncertain",)]
    [(token,)] = there.ask("SELECT token FROM staff_edition")
    assert [(token,)] != here.ask("SELECT token FROM staff_edition")

    # There is something now; it is named, and left alone.
    refused = said(there.manage("restore", str(path)))
    assert "tickets_ticket (3 rows)" in refused
    assert "files in" in refused
    assert there.ask("SELECT count(*) FROM tickets_ticket") == [(3,)]

    # Made, migrated and set up, and never used: killed halfway, it is as before; then it is done.
    _as_set_up(there)
    shutil.rmtree(there.files)
    with closing(psycopg2.connect(there.url)) as busy:
        busy.cursor().execute("LOCK TABLE tickets_ticket")
        halfway = subprocess.Popen(
            [sys.executable, "manage.py", "restore", str(path)],
            cwd=ROOT,
            env=there.environment,
            stdout=subprocess.DEVNULL,
        )
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted"
        eventually(lambda: there.ask(waits), what="a restore that waits")
        halfway.kill()
        halfway.wait()
    assert there.ask("SELECT count(*) FROM tickets_ticket") == [(0,)]
    done = there.manage("restore", str(path))
    assert done.returncode == 0, done.stderr
    assert there.ask("SELECT count(*) FROM tickets_ticket") == [(3,)]
    assert [each.name for each in there.files.iterdir()] == ["attachments"]


def test_what_a_newer_release_or_another_key_means_is_said(settings: Settings) -> None:
    told: dict[str, Any] = {
        "format": 1,
        "release": __version__,
        "migrations": [["tickets", "0001_initial"]],
        "postgresql": 18,
        "keys": manifest.keys(),
        "settings": manifest.told_settings(),
    }
    manifest.check(told, server=18)
    assert list(manifest.warnings(told)) == []
    for newer, why in (
        ({"format": 2}, "newer"),
        ({"release": "99.0"}, r"release 99\.0"),
        ({"migrations": [["tickets", "9999_wings"]]}, r"tickets\.9999_wings"),
        ({"postgresql": 19}, "PostgreSQL 19"),
    ):
        with pytest.raises(manifest.Unfit, match=why):
            manifest.check(told | newer, server=18)
    settings.SECRET_KEY = "another"
    settings.HELPDESK_MAIL_KEYS = [("k2", "new"), ("k1", "another")]
    settings.HELPDESK_MAIL_DOMAIN = "elsewhere.example"
    assert [warning.split()[0] for warning in manifest.warnings(told)] == [
        *("SECRET_KEY", "The", "HELPDESK_MAIL_DOMAIN"),
    ]


def test_tools_that_are_older_than_the_server_are_refused_with_what_to_install() -> None:
    with pytest.raises(tools.NoTools, match="postgresql-client-99"):
        tools.find(at_least=99)


def _flipped(whole: bytes, name: str) -> bytes:
    [member] = [each for each in members(whole) if each.name == name]
    other = bytearray(whole)
    other[member.offset_data + member.size // 2] ^= 4
    return bytes(other)


def _promising(whole: bytes, **counts: int) -> bytes:
    """The archive with other counts in its manifest, sealed anew."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["counts"] |= counts

    return forged(of=whole, manifest=change)


def _as_set_up(machine: Machine) -> None:
    """As ``migrate`` and ``setup`` leave a database, without their minute."""
    kept = ("django_migrations", "django_content_type", "auth_permission", "staff_edition")
    tables = machine.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = ", ".join(name for (name,) in tables if name not in kept)
    machine.ask(f"TRUNCATE {names}")
    assert machine.manage("setup").returncode == 0
