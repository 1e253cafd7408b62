"""Loads what every test needs before any test module is imported."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone, translation

pytest_plugins = [
    "tests.servers",
    "tests.emptying",
    "tests.house",
    "tests.processes",
    "tests.runtime.composed",
]

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
WITHOUT_BROWSER = (
    "Chromium is not installed (apt install chromium): the browser tests are left out."
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests out that need a browser where there is none, and begin with the long ones."""
    left_out = [item for item in items if item.get_closest_marker("browser") and not CHROMIUM]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items[:] = long_ones_first(
        items, workers=getattr(config, "workerinput", {}).get("workercount", 1)
    )


def long_ones_first(items: list[pytest.Item], *, workers: int) -> list[pytest.Item]:
    """Each worker's run of tests with its share of the long ones in front.

    ``--dist worksteal`` gives every worker an equal run of the list, and an idle one takes from the
    end of another's: what is left for the end must be short. Tests of a folder stay together, for
    what they share is made once for each worker that has some of them.
    """
    folders: dict[Path, list[pytest.Item]] = {}
    short = []
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("browser"):
            folders.setdefault(item.path.parent, []).append(item)
        else:
            short.append(item)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        room = (len(items) - len(ordered)) // (workers - worker)
        run = [item for folder in list(folders.values())[worker::workers] for item in folder]
        few = max(0, room - len(run))
        ordered += run + short[:few]
        short = short[few:]
    return ordered


@pytest.fixture(autouse=True)
def in_nobodys_language() -> Iterator[None]:
    """A page speaks its reader's language and zone; what was set for it stays set in its thread."""
    yield
    translation.deactivate()
    timezone.deactivate()


def pytest_configure() -> None:
    """Look for no garbage while what is there until the end is being loaded."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what is loaded."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_report_header() -> str:
    return f"browser: {CHROMIUM}" if CHROMIUM else WITHOUT_BROWSER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(WITHOUT_BROWSER, yellow=True)
