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
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from django.conf import settings

from tickets.inbound.child import LENGTH
from tickets.inbound.limits import Limits, limits_from
from tickets.inbound.parsed import ParsedMail, from_json
from tickets.inbound.parsing import Unreadable

_ROOT = Path(__file__).resolve().parents[2]
_CHUNK = 1 << 20

T = TypeVar("T")
#: What the child says of a mail, and the attachments' data.
Answer = tuple[dict[str, Any], list[bytes]]


def limits() -> Limits:
    """The limits of this installation: ``HELPDESK_MAIL_LIMITS`` over the defaults."""
    return limits_from(getattr(settings, "HELPDESK_MAIL_LIMITS", {}))


def read_mail(raw: bytes) -> ParsedMail:
    """Read a mail. Raises ``Unreadable``, within the deadline."""
    return _mail(*_ask({"want": "mail"}, raw))


def read_in_turn(raws: Sequence[bytes]) -> Generator[ParsedMail | Unreadable, None, None]:
    """Read mails one after another: while one is worked on, the child reads the next.

    Close it, should you not come to its end.
    """
    for answered in _ahead.ask_in_turn({"want": "mail"}, raws, limits()):
        try:
            yield answered if isinstance(answered, Unreadable) else _mail(*answered)
        except Unreadable as error:
            yield error


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


def _ask(request: dict[str, Any], raw: bytes) -> Answer:
    with closing(_process.ask_in_turn(request, [raw], limits())) as answers:
        answered = next(answers)
    if isinstance(answered, Unreadable):
        raise answered
    return answered


def _mail(answer: dict[str, Any], blobs: list[bytes]) -> ParsedMail:
    try:
        return from_json(answer["mail"], blobs)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("Reading it gave an answer that makes no sense.") from error


class _Late(Exception):
    pass


class _Gone(Exception):
    pass


class _Process:
    """The child of this process; one mail at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        #: It owes an answer.
        self._asked = False
        self._owner = 0
        self._limits: Limits | None = None

    def ask_in_turn(
        self, request: dict[str, Any], raws: Sequence[bytes], limits: Limits
    ) -> Generator[Answer | Unreadable, None, None]:
        """Answer for each, the next one being read already; one caller at a time."""
        with self._lock:
            try:
                fault = self._put(request, raws[0], limits) if raws else None
                for following in [*raws[1:], None][: len(raws)]:
                    answered = fault or self._get(limits)
                    if following is not None:
                        fault = self._put(request, following, limits)
                    yield answered
            finally:
                if self._asked:
                    self._end()  # half an answer may be in the pipe, or one that nobody wants

    def _put(self, request: dict[str, Any], raw: bytes, limits: Limits) -> Unreadable | None:
        if len(raw) > limits.raw:
            return Unreadable(f"It has {len(raw)} bytes; up to {limits.raw} are read.")

        def put() -> None:
            child = self._ready(limits)
            self._asked = True
            _put(child, request, raw, time.monotonic() + limits.deadline)

        return self._within(limits, put)

    def _get(self, limits: Limits) -> Answer | Unreadable:
        assert self._child is not None  # it was asked
        until = time.monotonic() + limits.deadline
        answered = self._within(limits, partial(_get, self._child, until))
        self._asked = False
        if isinstance(answered, tuple) and "unreadable" in answered[0]:
            return Unreadable(str(answered[0]["unreadable"]))
        return answered

    def _within(self, limits: Limits, do: Callable[[], T]) -> T | Unreadable:
        """Do something with the child, which ends where that takes too long."""
        try:
            return do()
        except _Late:
            self._end()
            return Unreadable(f"Reading it takes more than {limits.deadline:g} s.")
        except (_Gone, OSError):
            self._end()
            return Unreadable("The process that read it ended.")

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
        child, self._child, self._asked = self._child, None, False
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


_process = _Process()
#: Another for whole heaps of mail, so that nobody who opens a page waits for their end.
_ahead = _Process()
atexit.register(_process.close)
atexit.register(_ahead.close)


def _await_start(child: subprocess.Popen[bytes]) -> None:
    """Wait for a trivial answer, so that starting on a busy machine costs no mail its time."""
    until = time.monotonic() + 30.0
    _put(child, {"want": "mail"}, b"", until)
    _get(child, until)


def _put(child: subprocess.Popen[bytes], request: dict[str, Any], raw: bytes, until: float) -> None:
    assert child.stdin is not None  # both are pipes, see Popen
    head = json.dumps(request).encode()
    _write(child.stdin, LENGTH.pack(len(head)) + head + LENGTH.pack(len(raw)), until)
    _write(child.stdin, raw, until)


def _get(child: subprocess.Popen[bytes], until: float) -> Answer:
    assert child.stdout is not None
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
