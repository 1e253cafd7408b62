"""Workers are told to end while they hang at a mail server: they are gone, and no letter is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.utils import timezone

from notifications.models import OutgoingEmail
from tests.drills.afterwards import all_letters_out, do_not_wait
from tests.drills.cast import ready
from tests.drills.production import Production
from tests.processes import eventually

pytestmark = pytest.mark.slow


class Tarpit:
    """A mail server that takes eight seconds for every answer, and for a message for ever."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.asked = threading.Semaphore(0)
        #: Set once a message is here whole.
        self.has_message = threading.Event()
        self._closing = threading.Event()
        self._listener = listener
        self._number = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._number += 1
                threading.Thread(
                    target=self._serve, args=(connection, self._number == 1), daemon=True
                ).start()

    def _serve(self, connection: socket.socket, hurries: bool) -> None:
        """The first connection gets as far as a message, quickly; the others get nowhere."""
        with connection, suppress(OSError):
            self._say(connection, "220 at your service", hurries)
            for answer in ("250 hello", "250 sender", "250 recipient", "354 go ahead"):
                connection.recv(4096)
                self.asked.release()
                self._say(connection, answer, hurries)
            text = b""
            while not text.endswith(b"\r\n.\r\n"):
                text += connection.recv(65536)
            self.has_message.set()
            self._closing.wait()

    def _say(self, connection: socket.socket, answer: str, hurries: bool) -> None:
        if not hurries:
            self._closing.wait(8)
        connection.sendall(f"{answer}\r\n".encode())


@contextmanager
def tarpit() -> Iterator[Tarpit]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Tarpit(listener)
        try:
            yield server
        finally:
            server.close()


def test_workers_that_hang_are_gone_in_half_a_minute_and_their_letters_are_sent_or_in_doubt(
    production: Production,
) -> None:
    house = ready()
    for number in range(60):
        house.ticket(now=timezone.now(), by=house.contact(f"Caller{number} Reyes", house.norvik))
    with tarpit() as slow:
        host = production.host()
        usual = production.settings
        host.settings = {
            **usual,
            "EMAIL_URL": f"smtp://127.0.0.1:{slow.port}",
            "EMAIL_TIMEOUT": "60",
        }
        host.start("engine", "mail", "beat")
        host.all_ready("engine", "mail")
        eventually(slow.has_message.is_set, what="a message nobody answers")
        eventually(lambda: slow.asked.acquire(blocking=False), what="another child that waits")
        eventually(lambda: slow.asked.acquire(blocking=False), what="another child that waits")

        host.stop(*host.running)

        # Nobody holds a letter any more: of one it is not known, of all others it is.
        assert not OutgoingEmail.objects.filter(state="sending").exists()
        doubtful = OutgoingEmail.objects.get(state="uncertain")
        assert doubtful.leases_lost == 1
        assert "stopped" in doubtful.last_error
        others = OutgoingEmail.objects.exclude(pk=doubtful.pk)
        assert set(others.values_list("state", "leases_lost")) <= {("queued", 0), ("withdrawn", 0)}

    # With a server that answers, all of them arrive.
    host.settings = usual
    host.start("engine", "mail", "beat")

    def told() -> bool:
        do_not_wait()
        return all_letters_out()

    eventually(told, what="every letter")
    ids = [str(letter["Message-ID"]) for letter in production.mailbox.letters]
    assert len(ids) == len(set(ids))
    assert doubtful.message_id in ids
