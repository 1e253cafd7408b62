"""`manage.py up`, started as a person starts it: what it says, where it listens, how it ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_server
from tempfile import mkdtemp

import psutil
import pytest

from helpdesk.supervisor import Account, reaches
from tests.processes import ROOT, Visitor, crowd, free_port
from tests.runtime.launching import (
    Start,
    left_of,
    manage,
    nothing_is_left_of,
    python_for,
    sockets_of,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder that the account of the database can reach."""
    made = Path(mkdtemp(prefix="hdt-up-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    for line in left_of(made):  # a test failed; leave nothing for the next one
        if line.split()[0].isdigit():
            os.kill(int(line.split()[0]), signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


def test_it_is_ready_on_its_port_alone_and_ends_without_a_trace_however_it_is_stopped(
    folder: Path,
) -> None:
    port = free_port()

    # The first start loads the demo and says how to get in.
    first = Start(folder, port=port, more={"HELPDESK_DEMO": "1"})
    said = first.said[first.said.index(f"ready: {first.url}") :]
    sign_ins = [line.split() for line in said if line.startswith("sign-in: ")]
    assert [role for _word, role, _email, _password in sign_ins] == [
        *("admin", "lead", "agent", "receiver")
    ]
    [portal] = [line.removeprefix("portal: ") for line in said if line.startswith("portal: ")]
    assert portal.startswith(first.url)
    _word, _role, email, password = sign_ins[2]
    assert email in Visitor(first.url).sign_in(email, password)
    dana = Visitor(first.url)
    dana.get(portal)
    assert "HD-1042" in dana.post(portal)
    assert first.listening() == {("127.0.0.1", port)}
    sockets = sockets_of(folder)
    assert first.ends_by(signal.SIGTERM) == 0
    nothing_is_left_of(folder)
    assert not sockets.exists()
    assert "Traceback" not in "\n".join(first.said)

    # Ctrl-C.
    second = Start(folder, port=port, more={"HELPDESK_DEMO": "1"})
    assert "loading the demo" not in second.said
    assert second.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(folder)
    assert "Traceback" not in "\n".join(second.said)

    # Killed, it takes everything with it, and the next start does not mind.
    third = Start(folder, port=port)
    assert not [line for line in third.said if line.startswith(("sign-in:", "portal:"))]
    third.ends_by(signal.SIGKILL)
    nothing_is_left_of(folder, seconds=40)

    # So it does when the make that started it is killed.
    fourth = Start(folder, port=port, wrapped=True)
    assert len(psutil.Process(fourth.process.pid).children(recursive=True)) > 8
    fourth.ends_by(signal.SIGKILL)
    nothing_is_left_of(folder, seconds=40)

    # A second start is quick, on a machine that has a core for it.
    assert min(second.took, third.took, fourth.took) < 10 * crowd()


def test_a_taken_port_is_one_clear_sentence_and_leaves_nothing_running(folder: Path) -> None:
    with closing(create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        done = manage(folder, "up", PORT=str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert f"Port {port} is already taken" in sentence
    assert f"PORT={port + 1} make run" in sentence
    nothing_is_left_of(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: all others run as an ordinary user")
def test_an_ordinary_user_starts_it_in_a_folder_of_their_own(folder: Path) -> None:
    entry = pwd.getpwnam("nobody")
    user = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for needed in (ROOT, Path(sys.prefix)):
        if not reaches(user, needed):
            pytest.skip(f"{user.name} cannot reach {needed}")
    ours = ROOT.stat()
    assert ours.st_uid != user.uid, "they may only read the checkout"
    assert not ours.st_mode & 0o002
    python, more = python_for(user, folder)
    os.chown(folder, user.uid, user.gid)

    started = Start(folder, port=free_port(), user=user, python=python, more=more)
    me = psutil.Process(started.process.pid)
    owners = {process.username() for process in [me, *me.children(recursive=True)]}
    assert owners == {user.name}
    assert started.listening() == {("127.0.0.1", started.port)}
    assert (folder / "embedded/postgres").stat().st_uid == user.uid
    assert started.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(folder)
