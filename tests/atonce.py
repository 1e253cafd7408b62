"""Several who do something in the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

R = TypeVar("R")


def at_once(*things: Callable[[], R]) -> list[R]:
    """Do things at the same moment, each on a connection of its own; gives what each of them gave.

    What one of them raises is raised once all have come to their end.
    """
    start = Barrier(len(things))

    def do(thing: Callable[[], R]) -> R:
        try:
            start.wait(timeout=30)
            return thing()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(do, things, timeout=90))
