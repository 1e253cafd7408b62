"""`manage.py` as a person starts it: nothing configured but a folder and a port."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import pytest

from helpdesk.supervisor import Account, lock, reaches
from tests.processes import ROOT, eventually

#: A first start makes a cluster, all tables and the demo, and the machine may be busy.
FIRST_START = 180.0


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What a person's shell has; nothing of the test run's own services."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HELPDESK_DATA_DIR": str(folder),
        "HELPDESK_DEMO": "0",
        **more,
    }


def manage(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a management command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=FIRST_START,
    )


class Start:
    """One ``manage.py up``, from its start until nothing is left of it."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        user: Account | None = None,
        python: str = sys.executable,
        wrapped: bool = False,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``wrapped`` starts it tethered from a shell, as make does; ``process`` is the shell."""
        self.folder = folder
        self.port = port
        self._log = folder / f"up-{time.monotonic_ns()}.log"
        command = [python, "manage.py", "up"]
        if wrapped:
            command = ["sh", "-c", f"{python} manage.py up --tethered; true"]
        began = time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(folder, PORT=str(port), **more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own, for Ctrl-C reaches a terminal's whole foreground group.
                start_new_session=True,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        try:
            eventually(self._ready, what=f"a start in {folder}", seconds=FIRST_START)
        except BaseException:
            self.ends_by(signal.SIGKILL)
            raise
        #: Seconds until it said so.
        self.took = time.monotonic() - began

    @property
    def said(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail("It ended by itself:\n" + "\n".join(self.said))
        return f"ready: {self.url}" in self.said

    def listening(self) -> set[tuple[str, int]]:
        """Every internet address at which a process of it accepts or receives anything."""
        found: set[tuple[str, int]] = set()
        me = psutil.Process(self.process.pid)
        for process in [me, *me.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                found |= {
                    (connection.laddr.ip, connection.laddr.port)
                    for connection in process.net_connections(kind="inet")
                    if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)  # none: UDP
                }
        return found

    def ends_by(self, number: signal.Signals) -> int:
        """Send one signal; as a terminal does, SIGINT goes to the whole group."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)


def sockets_of(folder: Path) -> Path:
    """Where the servers of a data folder listen at present."""
    state: dict[str, str] = json.loads((folder / "embedded/state.json").read_text())
    return Path(state["sockets"])


def left_of(folder: Path) -> list[str]:
    """Processes that work for a data folder, and locks that anybody still holds in it."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            mine = process.environ().get("HELPDESK_DATA_DIR") == str(folder)
            if mine or str(folder) in " ".join(process.cmdline()):
                left.append(f"{process.pid} {' '.join(process.cmdline())}")
    for path in (folder / "embedded").glob("*.lock"):
        # PostgreSQL's and Redis' processes inherit one, whatever they call themselves.
        try:
            os.close(lock(path, fcntl.LOCK_EX, seconds=0))
        except TimeoutError:
            left.append(f"{path.name} is held")
    return left


def nothing_is_left_of(folder: Path, *, seconds: float = 0.0) -> None:
    until = time.monotonic() + seconds
    while (left := left_of(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == [], left
    assert not (folder / "embedded/state.json").exists()


def python_for(user: Account, folder: Path) -> tuple[str, dict[str, str]]:
    """An interpreter that a user can reach: a copy where ours stands in somebody's home."""
    ours = Path(sys.executable).resolve()
    if reaches(user, ours):
        return sys.executable, {}
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home, copy = Path(sys.base_prefix), folder / "python"
    (copy / "bin").mkdir(parents=True)
    shutil.copy(ours, copy / "bin" / name)
    left_out = shutil.ignore_patterns(
        *("site-packages", "test", "idlelib", "tkinter", "config-*", "__pycache__")
    )
    shutil.copytree(home / "lib" / name, copy / "lib" / name, ignore=left_out)
    for library in (home / "lib").glob("libpython*.so*"):
        shutil.copy(library, copy / "lib")
    return str(copy / "bin" / name), {
        "LD_LIBRARY_PATH": str(copy / "lib"),
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
