"""Loads what every test needs before any test module is imported."""

pytest_plugins = ["tests.services", "tests.house", "tests.processes"]
