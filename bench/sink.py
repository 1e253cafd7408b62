"""A mail server that takes everything and keeps nothing; prints its port."""

from __future__ import annotations

from contextlib import closing
from socket import create_server
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink


def main() -> None:
    with closing(create_server(("127.0.0.1", 0))) as listener:
        port = int(listener.getsockname()[1])
    Controller(Sink(), hostname="127.0.0.1", port=port).start()
    print(port, flush=True)
    Event().wait()


if __name__ == "__main__":
    main()
