"""A real SMTP server that behaves as it is told, well or badly."""

from __future__ import annotations

import socket
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.processes import free_port

DROP = "drop the connection"


class MailServer:
    """Takes every mail in, unless told otherwise.

    ``to_rcpt`` answers a recipient, ``to_data`` a message; ``DROP`` ends the connection where the
    answer would come, with the message kept. ``before_answer`` runs when a message is here and
    nobody has been told so yet.
    """

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.connections = 0
        self.to_rcpt: Callable[[str], str] = lambda _address: "250 OK"
        self.to_data: Callable[[int], str] = lambda _number: "250 OK"
        self.before_answer: Callable[[EmailMessage], None] = lambda _message: None
        self.port = free_port()

    async def handle_EHLO(  # noqa: N802  # aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return answers

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.to_rcpt(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message: Any = message_from_bytes(content, policy=policy.default)
        self.received.append(message)
        self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos)))
        self.before_answer(message)
        answer = self.to_data(len(self.received))
        if answer == DROP:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
            return "250 nobody hears this"
        return answer

    @property
    def message_ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.received]


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    # The controller looked whether it is up.
    server.connections = 0
    try:
        yield server
    finally:
        controller.stop()


@contextmanager
def mute() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]
