"""The web server's worker, which leaves nobody waiting at a door that does not open again."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """When it stops it takes in whoever has come, and closes the door at once.

    gunicorn's own stops taking in and closes last, after what is under way: whoever comes in
    between is connected by the kernel, sends a request, and is reset. Refused at once instead,
    they, or the proxy before us, can go to another web server, for nothing was sent.
    """

    sockets: list[Any]

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and self.alive)
        if self.alive:
            return
        doors, self.sockets = self.sockets, []
        for door in doors:
            waiting = -1
            while waiting != self.nr_conns:
                waiting = self.nr_conns
                self.accept(door)
            door.close()
