"""Loads what every test needs before any test module is imported."""

import os
import shutil

import pytest

pytest_plugins = ["tests.servers", "tests.house", "tests.processes", "tests.runtime.composed"]

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
WITHOUT_BROWSER = (
    "Chromium is not installed (apt install chromium): the browser tests are left out."
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests out that need a browser where there is none."""
    if CHROMIUM:
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_report_header() -> str:
    return f"browser: {CHROMIUM}" if CHROMIUM else WITHOUT_BROWSER


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(WITHOUT_BROWSER, yellow=True)
