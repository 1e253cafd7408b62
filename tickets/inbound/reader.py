"""Our side of the child process that reads mail.

A process of its own, since a hostile mail can stall or exhaust whoever reads it, and a plain
``subprocess``, since a Celery prefork worker may have no children of ``multiprocessing``. It is
kept for the next mail (a start takes 40 ms, a mail 1.5 ms) and killed when a mail takes too long.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from tickets.inbound.child import LENGTH
from tickets.inbound.limits import Limits, limits_from
from tickets.inbound.parsed import ParsedMail, from_json
from tickets.inbound.parsing import Unreadable

_ROOT = Path(__file__).resolve().parents[2]
_CHUNK = 1 << 20


def limits() -> Limits:
    """The limits of this installation: ``HELPDESK_MAIL_LIMITS`` over the defaults."""
    return limits_from(getattr(settings, "HELPDESK_MAIL_LIMITS", {}))


def read_mail(raw: bytes) -> ParsedMail:
    """Read a mail. Raises ``Unreadable``, within the deadline."""
    answer, blobs = _ask({"want": "mail"}, raw)
    try:
        return from_json(answer["mail"], blobs)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("Reading it gave an answer that makes no sense.") from error


def read_safe_html(
    raw: bytes, *, images: Mapping[str, str] | None = None, remote_images: bool = False
) -> str:
    """Give a mail's HTML made harmless, for a sandboxed frame; empty where it has none.

    ``images`` gives the address at which each Content-ID is shown. Raises ``Unreadable``, also
    for HTML that cannot be made harmless in time: show the text then.
    """
    request = {"want": "html", "images": dict(images or {}), "remote_images": remote_images}
    html = _ask(request, raw)[0].get("html")
    if not isinstance(html, str):
        raise Unreadable("Reading it gave an answer that makes no sense.")
    return html


def _ask(request: dict[str, Any], raw: bytes) -> tuple[dict[str, Any], list[bytes]]:
    answer, blobs = _process.ask(request, raw, limits())
    if "unreadable" in answer:
        raise Unreadable(str(answer["unreadable"]))
    return answer, blobs


class _Late(Exception):
    pass


class _Gone(Exception):
    pass


class _Process:
    """The child of this process; one mail at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._limits: Limits | None = None

    def ask(
        self, request: dict[str, Any], raw: bytes, limits: Limits
    ) -> tuple[dict[str, Any], list[bytes]]:
        if len(raw) > limits.raw:
            raise Unreadable(f"It has {len(raw)} bytes; up to {limits.raw} are read.")
        with self._lock:
            try:
                child = self._ready(limits)
                return _exchange(child, request, raw, time.monotonic() + limits.deadline)
            except _Late:
                self._end()
                raise Unreadable(f"Reading it takes more than {limits.deadline:g} s.") from None
            except (_Gone, OSError):
                self._end()
                raise Unreadable("The process that read it ended.") from None
            except BaseException:
                self._end()  # half an answer may be in the pipe
                raise

    def close(self) -> None:
        """End the child, if it is ours and not that of the process we were forked from."""
        if self._owner == os.getpid():
            self._end()

    def _ready(self, limits: Limits) -> subprocess.Popen[bytes]:
        child = self._child
        if child is not None and self._owner == os.getpid() and child.poll() is None:
            if limits == self._limits:
                return child
            self._end()
        child = subprocess.Popen(
            [sys.executable, "-E", "-s", "-m", "tickets.inbound.child", json.dumps(asdict(limits))],
            cwd=_ROOT,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._child, self._owner, self._limits = child, os.getpid(), limits
        _await_start(child)
        return child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


_process = _Process()
atexit.register(_process.close)


def _await_start(child: subprocess.Popen[bytes]) -> None:
    """Wait for a trivial answer, so that starting on a busy machine costs no mail its time."""
    _exchange(child, {"want": "mail"}, b"", time.monotonic() + 30.0)


def _exchange(
    child: subprocess.Popen[bytes], request: dict[str, Any], raw: bytes, until: float
) -> tuple[dict[str, Any], list[bytes]]:
    assert child.stdin is not None  # both are pipes, see Popen
    assert child.stdout is not None
    head = json.dumps(request).encode()
    _write(child.stdin, LENGTH.pack(len(head)) + head + LENGTH.pack(len(raw)), until)
    _write(child.stdin, raw, until)
    answer = json.loads(_read_frame(child.stdout, until))
    if not isinstance(answer, dict):
        raise _Gone
    mail = answer.get("mail")
    announced = len(mail["attachments"]) if mail else 0
    return answer, [_read_frame(child.stdout, until) for _number in range(announced)]


def _write(pipe: IO[bytes], data: bytes, until: float) -> None:
    """Write all of it; the child reads a whole request before it answers, so nobody waits twice."""
    os.set_blocking(pipe.fileno(), False)
    view = memoryview(data)
    while view:
        _wait(pipe, selectors.EVENT_WRITE, until)
        view = view[os.write(pipe.fileno(), view[:_CHUNK]) :]


def _read_frame(pipe: IO[bytes], until: float) -> bytes:
    (length,) = LENGTH.unpack(_read(pipe, LENGTH.size, until))
    return _read(pipe, length, until)


def _read(pipe: IO[bytes], length: int, until: float) -> bytes:
    pieces: list[bytes] = []
    while length:
        _wait(pipe, selectors.EVENT_READ, until)
        piece = os.read(pipe.fileno(), min(length, _CHUNK))
        if not piece:
            raise _Gone
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _wait(pipe: IO[bytes], event: int, until: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, until - time.monotonic())):
            raise _Late
