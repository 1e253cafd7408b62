"""The embedded PostgreSQL and Redis: shared by whoever needs them, gone when nobody does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg2
import pytest

from helpdesk.embedded import Hold, wanted
from tests.processes import ROOT, eventually
from tests.runtime.launching import environment, left_of, manage, nothing_is_left_of, sockets_of

#: Says which server it worked on, and stays until it is told to end.
ASK = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_postmaster_start_time()")
    print(cursor.fetchone()[0].isoformat(), flush=True)
import sys
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A data folder with a database in it, made once; nothing runs."""
    made = Path(mkdtemp(prefix="hdt-emb-", dir="/tmp"))
    made.chmod(0o755)
    Hold(made, durable=False).release()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def folder(cluster: Path) -> Iterator[Path]:
    """The same, found idle and left idle."""
    nothing_is_left_of(cluster)
    yield cluster
    assert left_of(cluster) == [], "a test of the embedded servers left something behind"


class Asking:
    """A command at work on the servers of a folder."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK],
            cwd=ROOT,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def server(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0


def test_a_command_starts_the_servers_and_leaves_them_as_it_found_them(folder: Path) -> None:
    done = manage(folder, "shell", "--no-imports", "-c", ASK)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20")
    nothing_is_left_of(folder)

    hold = Hold(folder, durable=False)
    try:
        again = manage(folder, "shell", "--no-imports", "-c", ASK)
        assert again.stdout != done.stdout, "another life of the servers"
        assert manage(folder, "shell", "--no-imports", "-c", ASK).stdout == again.stdout
        with psycopg2.connect(hold.database_url):
            pass
    finally:
        hold.release()
    nothing_is_left_of(folder)


def test_two_commands_at_once_share_the_servers_whoever_ends_first(folder: Path) -> None:
    one, two = Asking(folder), Asking(folder)
    server = one.server
    assert server.startswith("20")
    assert two.server == server

    one.end()
    three = Asking(folder)
    assert three.server == server
    two.end()
    three.end()
    nothing_is_left_of(folder)


def test_a_killed_command_is_counted_out(folder: Path) -> None:
    asking = Asking(folder)
    assert asking.server
    asking.process.kill()
    asking.process.wait()
    nothing_is_left_of(folder, seconds=30)


def test_a_terminated_command_waits_for_the_servers_it_alone_was_using(folder: Path) -> None:
    asking = Asking(folder)
    assert asking.server
    asking.process.terminate()
    asking.process.communicate(timeout=60)
    nothing_is_left_of(folder)


def test_servers_whose_supervisor_is_killed_come_back_where_they_were(folder: Path) -> None:
    hold = Hold(folder, durable=False)
    try:
        sockets = hold.sockets
        [supervisor] = [
            process
            for process in psutil.Process().children()
            if "supervisor.py" in " ".join(process.cmdline())
            and str(folder) in process.cmdline()[-1]
        ]
        servers = supervisor.children(recursive=True)
        supervisor.kill()
        eventually(lambda: not any(server.is_running() for server in servers), what="their end")
        hold.renew()
        assert sockets_of(folder) == sockets
        with psycopg2.connect(hold.database_url):
            pass
    finally:
        hold.release()
    nothing_is_left_of(folder)


def test_a_database_that_crashed_is_started_again_with_what_was_committed(folder: Path) -> None:
    hold = Hold(folder)
    try:
        with psycopg2.connect(hold.database_url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('escalation')")
        connection.close()
        postmaster = int((folder / "embedded/postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)

        def answer() -> str:
            try:
                again = psycopg2.connect(hold.database_url)
            except psycopg2.OperationalError:
                return ""
            with again.cursor() as cursor:
                cursor.execute("SELECT word FROM kept")
                found = cursor.fetchall()
            again.close()
            return str(found[0][0])

        assert eventually(answer, what="the database") == "escalation"
    finally:
        hold.release()
    nothing_is_left_of(folder)


def test_holds_taken_and_let_go_at_once_never_meet_servers_that_are_stopping(folder: Path) -> None:
    faults: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _time in range(3):
                hold = Hold(folder, durable=False)
                psycopg2.connect(hold.database_url).close()
                hold.release()
        except Exception as fault:
            faults.append(fault)

    crowd = [threading.Thread(target=come_and_go) for _one in range(3)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert faults == []
    nothing_is_left_of(folder)


def test_a_folder_that_cannot_be_made_is_a_sentence_and_no_traceback() -> None:
    done = manage(Path("/proc/helpdesk"), "migrate", "--check")
    assert done.returncode == 1
    [sentence] = done.stderr.splitlines()
    assert "HELPDESK_DATA_DIR" in sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a second account")
def test_as_root_a_folder_closed_to_the_database_moves_it_and_says_where(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = manage(closed, "shell", "--no-imports", "-c", ASK)
    place = Path((closed / "embedded/place").read_text().strip())
    try:
        assert done.returncode == 0, done.stderr
        assert str(place) in done.stderr
        assert (place / "postgres/PG_VERSION").read_text().strip() == "18"
        assert closed.stat().st_mode & 0o777 == 0o700
        again = manage(closed, "shell", "--no-imports", "-c", ASK)
        assert again.returncode == 0
        assert (closed / "embedded/place").read_text().strip() == str(place)
        nothing_is_left_of(closed)
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["manage.py", "migrate"], True),
        (["manage.py", "migrate", "--help"], False),
        (["manage.py", "help"], False),
        (["manage.py"], False),
        (["manage.py", "collectstatic"], False),
    ],
)
def test_only_commands_that_use_the_servers_start_them(
    arguments: list[str], needed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert wanted(arguments) is needed


def test_configured_servers_and_production_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not wanted(["manage.py", "migrate"]), "both addresses are set"
    monkeypatch.delenv("REDIS_URL")
    assert wanted(["manage.py", "migrate"])
    monkeypatch.setenv("HELPDESK_ENV", "production")
    assert not wanted(["manage.py", "migrate"])
