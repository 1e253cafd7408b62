"""What several workers count, added up.

Each counts in files of its own, in a folder of memory that belongs to gunicorn's arbiter; whichever
is asked for ``/metrics`` adds them up. What a worker that has ended counted goes to ``*_dead.db``, so
that sums never fall and files do not grow in number.

Read by the arbiter before anything else: neither Django nor prometheus_client may be imported here,
for the latter learns when it is first imported whether there are several processes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from helpdesk.supervisor import lock

#: Names the folder, for prometheus_client.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "helpdesk-metrics-"


def folder_of(arbiter: int) -> Path:
    """The folder of the arbiter with this process id, which is made where it is not there.

    Those of arbiters that were killed are removed. One that another arbiter has started for its
    succession has inherited that one's variable, and makes a folder of its own.
    """
    given = Path(os.environ.get(VARIABLE, ""))
    if given.name.startswith(f"{_PREFIX}{arbiter}-"):
        return given
    memory = Path("/dev/shm")  # noqa: S108  # mkdtemp makes it private
    base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    for left in base.glob(f"{_PREFIX}*-*"):
        if not Path("/proc", str(_arbiter_in(left))).exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{arbiter}-", dir=base))


def current() -> tuple[Path, int] | None:
    """The folder in use and the arbiter it belongs to; None in a process that counts alone."""
    given = os.environ.get(VARIABLE)
    return (Path(given), _arbiter_in(Path(given))) if given else None


def _arbiter_in(folder: Path) -> int:
    return int(folder.name.removeprefix(_PREFIX).partition("-")[0])


@contextmanager
def undisturbed(folder: Path, *, alone: bool) -> Iterator[None]:
    """Many may read at once; ``alone`` while one writes what belongs to others."""
    handle = lock(folder / "lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(handle)


def inherit(folder: Path, worker: int) -> None:
    """Keep what a worker that has ended counted, and forget what it was."""
    from prometheus_client.mmap_dict import MmapedDict
    from prometheus_client.multiprocess import mark_process_dead

    with undisturbed(folder, alone=True):
        mark_process_dead(worker, path=str(folder))
        for kind in ("counter", "histogram"):
            left = folder / f"{kind}_{worker}.db"
            if not left.exists():
                continue
            with closing(MmapedDict(str(folder / f"{kind}_dead.db"))) as total:
                for key, value, _at, _place in MmapedDict.read_all_values_from_file(str(left)):
                    total.write_value(key, total.read_value(key)[0] + value, 0.0)
            left.unlink()
