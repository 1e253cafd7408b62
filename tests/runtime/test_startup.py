"""Starting under adverse circumstances: it works, or says in one sentence what to do."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psutil
import psycopg2
import pytest

from helpdesk.supervisor import Account, reaches
from tests.processes import ROOT, Visitor, eventually, free_port
from tests.runtime.launching import (
    FIRST_START,
    Start,
    environment,
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
    made = Path(mkdtemp(prefix="hdt-start-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    for line in left_of(made):  # a test failed; leave nothing for the next one
        if line.split()[0].isdigit():
            os.kill(int(line.split()[0]), signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A data folder with a path of 165 characters; whoever comes first makes its database."""
    top = Path(mkdtemp(prefix="hdt-deep-", dir="/tmp"))
    top.chmod(0o755)
    left = 165 - len(str(top)) - 1
    deep = top / f"{'x' * (left // 2)}/{'y' * (left - left // 2 - 1)}"
    deep.mkdir(parents=True)
    yield deep
    shutil.rmtree(top, ignore_errors=True)


@pytest.fixture
def deep(cluster: Path) -> Path:
    """The same, found idle."""
    nothing_is_left_of(cluster)
    for log in cluster.glob("up-*.log"):
        log.unlink()
    return cluster


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The only line a failed start prints."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    return sentence


# --- Folders


def test_a_folder_with_a_path_of_165_characters_is_as_good_as_any(deep: Path) -> None:
    assert len(str(deep)) == 165
    started = Start(deep, port=free_port())
    assert "email" in Visitor(started.url).get("/accounts/login/")
    assert started.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(deep)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a second account")
def test_as_root_under_a_closed_parent_it_starts_and_says_where_the_data_is(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "data"
    inside.mkdir()

    started = Start(inside, port=free_port())
    place = Path((inside / "embedded/place").read_text().strip())
    try:
        assert [line for line in started.said if str(place) in line]
        assert "email" in Visitor(started.url).get("/accounts/login/")
        assert started.ends_by(signal.SIGTERM) == 0
        nothing_is_left_of(inside)
        assert closed.stat().st_mode & 0o777 == 0o700, "nobody's rights were changed"
    finally:
        shutil.rmtree(place)


def ordinary_user() -> Account | None:
    """Somebody who may write only where everybody may; None where we are somebody like that."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    user = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for needed in (ROOT, Path(sys.prefix)):
        if not reaches(user, needed):
            pytest.skip(f"{user.name} cannot reach {needed}")
    return user


def run(
    *command: str | Path, cwd: Path, env: dict[str, str], user: Account | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=FIRST_START,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param({}, id="embedded servers"),
        pytest.param({"DATABASE_URL": "postgres://h/d", "REDIS_URL": "redis://h"}, id="others"),
    ],
)
def test_a_folder_one_may_only_read_is_a_sentence_that_says_what_to_choose(
    folder: Path, servers: dict[str, str]
) -> None:
    user = ordinary_user()
    python, more = python_for(user, folder) if user else (sys.executable, {})
    closed = folder / "data"
    closed.mkdir(mode=0o555)
    told = environment(closed, PORT=str(free_port()), **more, **servers)
    sentence = one_sentence(run(python, "manage.py", "up", cwd=ROOT, env=told, user=user))
    assert str(closed) in sentence
    assert "HELPDESK_DATA_DIR" in sentence


# --- Installing


@pytest.fixture
def checkout(folder: Path) -> Path:
    """What make needs of the repository, nothing installed."""
    made = folder / "helpdesk"
    (made / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", made)
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, made)
    for name in ("local.txt", "dev.txt"):
        shutil.copy(ROOT / "requirements" / name, made / "requirements")
    return made


def make(
    checkout: Path,
    *arguments: str,
    python: str = sys.executable,
    user: Account | None = None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    nowhere = "http://127.0.0.1:9/"  # the discard port: nobody listens
    told = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        "LANG": "C.UTF-8",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": nowhere,
        "PIP_RETRIES": "0",
        "npm_config_registry": nowhere,
        "npm_config_fetch_retries": "0",
        **more,
    }
    return run("make", f"PYTHON={python}", *arguments, cwd=checkout, env=told, user=user)


def said_by_make(done: subprocess.CompletedProcess[str]) -> str:
    """The last thing said before make itself says that it failed."""
    assert done.returncode != 0, done.stdout
    return [line for line in done.stderr.splitlines() if not line.startswith("make")][-1]


def test_an_unreachable_package_index_is_named_and_a_second_try_goes_on(checkout: Path) -> None:
    sentence = said_by_make(make(checkout, "setup"))
    assert "reaches its package index" in sentence
    assert "run make again" in sentence
    assert not (checkout / ".venv/.stamp-local").exists()

    # It can be reached again, which for want of a network is: nothing is asked of it.
    (checkout / "requirements/local.txt").write_text("# nothing\n")
    done = make(checkout, ".venv/.stamp-local")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def with_python(checkout: Path) -> Path:
    """The same, with the Python packages installed: npm's turn is next."""
    (checkout / ".venv").mkdir()
    (checkout / ".venv/bin").symlink_to(ROOT / ".venv/bin")
    for stamp in (".stamp-venv", ".stamp-local", ".stamp-dev"):
        (checkout / ".venv" / stamp).touch()
    return checkout


@pytest.mark.parametrize("target", ["setup", "setup-dev"])
def test_an_unreachable_npm_registry_is_named_and_a_second_try_goes_on(
    with_python: Path, target: str
) -> None:
    sentence = said_by_make(make(with_python, target))
    assert "reaches its npm registry" in sentence
    assert not list(with_python.glob("node_modules/.stamp*"))

    _ask_npm_for_nothing(with_python)
    done = make(with_python, target)
    assert done.returncode == 0, done.stderr


def test_what_only_tests_need_of_npm_is_not_installed_to_run(with_python: Path) -> None:
    _ask_npm_for_nothing(with_python)
    installed = with_python / "node_modules"

    def installs(target: str) -> bool:
        done = make(with_python, target)
        assert done.returncode == 0, done.stderr
        return "installing" in done.stdout

    assert installs("setup")
    assert (installed / "pages").exists()
    assert not (installed / "checks").exists()
    assert installs("setup-dev")
    assert (installed / "checks").exists()
    assert not installs("setup"), "what is there for tests is enough to run"
    assert not installs("setup-dev")
    assert (installed / "checks").exists()


def _ask_npm_for_nothing(checkout: Path) -> None:
    """Two packages that lie in the checkout: one for pages, one for checks."""
    made = {"name": "helpdesk", "dependencies": {"pages": "file:pages"}}
    made["devDependencies"] = {"checks": "file:checks"}
    locked: dict[str, object] = {"": made}
    for name, dev in (("pages", {}), ("checks", {"dev": True})):
        (checkout / name).mkdir()
        (checkout / name / "package.json").write_text(json.dumps({"name": name}))
        locked |= {name: dev, f"node_modules/{name}": {"resolved": name, "link": True, **dev}}
    lock = {"name": "helpdesk", "lockfileVersion": 3, "packages": locked}
    (checkout / "package.json").write_text(json.dumps(made))
    (checkout / "package-lock.json").write_text(json.dumps(lock))
    (checkout / "node_modules").mkdir(exist_ok=True)


def test_two_makes_at_once_install_one_after_the_other(checkout: Path) -> None:
    (checkout / "requirements/local.txt").write_text("# nothing\n")
    (checkout / ".venv").mkdir()
    shutil.copy(ROOT / "Makefile", checkout)
    done: list[subprocess.CompletedProcess[str]] = []
    # Neither reaches npm's registry, but the first has made .venv when the second begins.
    both = [
        threading.Thread(target=lambda: done.append(make(checkout, "setup"))) for _one in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    installed = sum("installing Python packages" in one.stdout for one in done)
    assert installed == 1, [one.stderr for one in done]


# --- A checkout that an ordinary user may only read


@contextlib.contextmanager
def only_readable(checkout: Path) -> Iterator[None]:
    folders = [checkout, *(each for each in checkout.rglob("*") if each.is_dir())]
    for each in folders:
        each.chmod(0o555)
    yield
    for each in folders:
        each.chmod(0o755)


def one_sentence_of_make(done: subprocess.CompletedProcess[str]) -> str:
    """The only line of a failed make that is not make's own."""
    assert done.returncode != 0, done.stdout
    said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    [sentence] = [line for line in said if not line.startswith("make")]
    return sentence


def test_in_a_checkout_one_may_only_read_nothing_is_installed_and_a_sentence_says_so(
    checkout: Path,
) -> None:
    user = ordinary_user()
    python, more = python_for(user, checkout.parent) if user else (sys.executable, {})
    with only_readable(checkout):
        sentence = one_sentence_of_make(make(checkout, "run", python=python, user=user, **more))
    assert f"{checkout} cannot be written; copy it to a folder of your own" in sentence


def test_installed_and_only_readable_it_names_the_setting_for_the_data_and_what_is_not_up_to_date(
    checkout: Path,
) -> None:
    user = ordinary_user()
    python, more = python_for(user, checkout.parent) if user else (sys.executable, {})
    shutil.copy(ROOT / "manage.py", checkout)
    shutil.copytree(
        ROOT / "helpdesk", checkout / "helpdesk", ignore=shutil.ignore_patterns("__pycache__")
    )
    for place in (".venv/.stamp-venv", ".venv/.stamp-local", "node_modules/.stamp"):
        (checkout / place).parent.mkdir(exist_ok=True)
        (checkout / place).touch()
    more |= {"PORT": str(free_port())}

    def said() -> str:
        with only_readable(checkout):
            done = make(checkout, "run", f"PY={python}", python=python, user=user, **more)
        return one_sentence_of_make(done)

    sentence = said()
    assert f"{checkout}/var cannot be written" in sentence
    assert "HELPDESK_DATA_DIR" in sentence

    os.utime(checkout / "package-lock.json", (time.time() + 9, time.time() + 9))
    sentence = said()
    assert "copy it to a folder of your own" in sentence
    assert "have its owner run make setup" in sentence


# --- What was left by an earlier start


def _migrations(folder: Path) -> int:
    """How many have been applied; -1 while nobody can say."""
    state = folder / "embedded/state.json"
    try:
        sockets = json.loads(state.read_text())["sockets"]
        asking = psycopg2.connect(
            host=sockets, user="helpdesk", dbname="helpdesk", connect_timeout=2
        )
    except (OSError, ValueError, psycopg2.OperationalError):
        return -1
    try:
        with asking, asking.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            [found] = cursor.fetchone() or (0,)
            return int(found)
    except psycopg2.Error:
        return -1
    finally:
        asking.close()


def test_a_start_killed_while_it_migrates_is_completed_by_the_next(folder: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=environment(folder, PORT=str(free_port())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + FIRST_START
    while _migrations(folder) < 12 and time.monotonic() < until:
        time.sleep(0.01)
    started.kill()
    started.wait()
    done = manage(folder, "migrate", "--check")
    assert done.returncode == 1, "killed too late to prove anything"

    again = Start(folder, port=free_port())
    done = manage(folder, "migrate", "--check")
    assert done.returncode == 0, done.stdout
    assert "email" in Visitor(again.url).get("/accounts/login/")
    assert again.ends_by(signal.SIGTERM) == 0
    nothing_is_left_of(folder)


def test_when_the_supervisor_is_killed_the_servers_come_back_and_everything_ends_tidily(
    deep: Path,
) -> None:
    started = Start(deep, port=free_port())
    [supervisor] = [
        process
        for process in psutil.Process(started.process.pid).children()
        if "supervisor.py" in " ".join(process.cmdline())
    ]
    servers = supervisor.children(recursive=True)
    supervisor.kill()
    eventually(lambda: not any(server.is_running() for server in servers), what="their end")

    def page() -> bool:
        try:
            answer = urllib.request.urlopen(f"{started.url}/accounts/login/", timeout=10)  # noqa: S310
        except OSError:
            return False
        with answer:
            return b"email" in answer.read()

    eventually(page, what="the page again")
    assert started.process.poll() is None
    assert started.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(deep)

    again = Start(deep, port=started.port)
    assert again.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(deep)


# --- Two at once


def test_of_two_starts_at_once_on_one_port_one_is_ready_and_one_says_so(deep: Path) -> None:
    port = free_port()
    both: list[Start] = []

    def start() -> None:
        with contextlib.suppress(pytest.fail.Exception):
            both.append(Start(deep, port=port))

    threads = [threading.Thread(target=start) for _one in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [ready] = both
    logs = [log.read_text().splitlines() for log in deep.glob("up-*.log")]
    [refused_with] = [said for said in logs if said != ready.said]
    [sentence] = refused_with
    assert f"Port {port} is already taken" in sentence
    assert f"PORT={port + 1} make run" in sentence
    assert ready.ends_by(signal.SIGINT) == 0
    nothing_is_left_of(deep)


def test_two_starts_at_once_on_two_ports_share_the_data_whoever_ends_first(folder: Path) -> None:
    ports = [free_port(), free_port()]
    found: dict[int, Start] = {}

    def start(port: int) -> None:
        found[port] = Start(folder, port=port)

    threads = [threading.Thread(target=start, args=(port,)) for port in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, two = (found[port] for port in ports)
    assert sockets_of(folder).exists()

    assert one.ends_by(signal.SIGINT) == 0
    assert "email" in Visitor(two.url).get("/accounts/login/")
    assert two.ends_by(signal.SIGTERM) == 0
    nothing_is_left_of(folder)
