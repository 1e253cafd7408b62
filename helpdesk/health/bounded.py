"""Questions whose answer is waited for only so long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Bounded(Generic[T]):
    """Asks something that may hang, in a thread of its own, and never twice at once.

    No timeout of a library holds for everything that hangs: a name that does not resolve, a server
    that is stopped, a network that swallows what is sent, a disk that is mounted from elsewhere.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._asked: Future[T] | None = None

    def begin(self) -> Future[T]:
        """Ask, or join whoever still waits for the answer to the last time."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # A daemon: what hangs keeps no worker from ending.
                Thread(target=self._answer, args=(self._asked,), daemon=True).start()
            return self._asked

    def _answer(self, asked: Future[T]) -> None:
        try:
            asked.set_result(self._ask())
        except BaseException as error:  # whoever waits is told
            asked.set_exception(error)
