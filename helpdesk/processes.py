"""The processes of an installation on one machine, run together by ``manage.py up``.

honcho starts them, joins their output and stops them together. Ours adds that a kill of any
parent takes its children along, and that SIGTERM goes to a process and not to its children, which
a Celery worker would lose in the middle of a task.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import honcho.manager
from honcho.compat import ProcessManager
from honcho.process import Popen, Process

from helpdesk.supervisor import tie_to_parent, tied

#: Seconds a process has to end after SIGTERM, before it is killed. Tasks are made for that.
honcho.manager.KILL_WAIT = 8


def commands(*, port: int, data_dir: Path, listener: int | None = None) -> dict[str, list[str]]:
    """What runs, by name. Node names carry the port, so that two sets on one Redis do not mix.

    ``listener`` is the descriptor of a socket that listens on the port already; ``Foreman`` passes
    it on.
    """
    python = [sys.executable, "-m"]
    worker = [*python, "celery", "--quiet", "-A", "helpdesk", "worker", "--loglevel", "WARNING"]
    worker += ["--without-gossip", "--without-mingle"]
    return {
        "web": [
            *python,
            *("gunicorn", "-c", "python:helpdesk.webserver", "helpdesk.wsgi"),
            *("--workers", "2", "--threads", "2", "--bind"),
            f"127.0.0.1:{port}" if listener is None else f"fd://{listener}",
            *("--graceful-timeout", "5", "--log-level", "warning"),
        ],
        "engine": [*worker, "-Q", "engine", "-n", f"engine-{port}@%h", "--concurrency", "1"],
        "mail": [*worker, "-Q", "mail,default", "-n", f"mail-{port}@%h", "--concurrency", "1"],
        # It waits for others most of the time: a thread does, and saves a child's memory.
        "webhooks": [
            *worker,
            *("-Q", "webhooks", "-n", f"webhooks-{port}@%h", "--pool", "threads"),
            *("--concurrency", "1"),
        ],
        "beat": [
            *python,
            *(
                "celery",
                "--quiet",
                "-A",
                "helpdesk",
                "beat",
                "--loglevel",
                "WARNING",
                "--pidfile",
                "",
            ),
            *("--schedule", str(data_dir / f"beat-schedule-{port}")),
        ],
    }


class _TiedProcess(Process):  # type: ignore[misc]  # honcho is untyped
    """A process that ends when its parent does, however that ends."""

    def __init__(self, *args: Any, passed: Sequence[int] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self._manager_pid = os.getpid()
        self._passed = passed

    def run(self, *args: Any, **options: Any) -> None:
        tie_to_parent(signal.SIGKILL, self._manager_pid)
        self._child_ctor = partial(
            Popen, shell=False, preexec_fn=tied(signal.SIGTERM), pass_fds=self._passed
        )
        super().run(*args, **options)


class _GentleProcessManager(ProcessManager):  # type: ignore[misc]  # honcho is untyped
    def terminate(self, pid: int) -> None:
        """Ask the process only; honcho would ask the whole group."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return


class Foreman(honcho.manager.Manager):  # type: ignore[misc]  # honcho is untyped
    """Runs the commands until a signal, or until one of them ends."""

    def __init__(
        self,
        named: Mapping[str, Sequence[str]],
        *,
        once_started: Callable[[], None],
        passed: Sequence[int] = (),
    ) -> None:
        """``passed`` are descriptors that the processes inherit."""
        super().__init__()
        self._process_ctor = partial(_TiedProcess, passed=passed)
        self._procmgr = _GentleProcessManager()
        #: Does ``once_started`` beside the loop.
        self.watcher = threading.Thread(target=once_started, daemon=True)
        for name, command in named.items():
            self.add_process(name, command)

    def _start(self) -> None:
        super()._start()
        # Only now: a thread does not survive honcho's forks, and may hold a lock while they happen.
        self.watcher.start()

    @property
    def stopped_by_signal(self) -> bool:
        """Whether a person or the system asked for the end."""
        return self.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def answers(url: str) -> bool:
    """Whether a web server answers at all; what it answers is for the person to see."""
    # Our own machine is not to be asked for by way of a proxy that the environment may name.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
