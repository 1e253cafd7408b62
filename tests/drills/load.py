"""People and programs at work while something is done to the helpdesk."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from tests.drills.production import Host
from tests.drills.proxy import Answer, Browser, Program

MAIL = """From: Dana Reyes <dana@norvik.example>
To: support@help.example
Subject: Where is our invoice {number}?
Message-ID: <question-{number}@norvik.example>
Date: Tue, 24 Nov 2026 10:12:00 +0100
Content-Type: text/plain; charset=utf-8

Invoice {number} has not arrived. What is wrong with it?
"""


class Load:
    """Goes on until it is left, everybody at their own pace, and notes whatever went wrong."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        #: References of tickets that were answered for, by programs and by mail.
        self.opened: list[str] = []
        self.mailed: list[str] = []
        #: Requests that were made.
        self.requests = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def by_programs(self, programs: list[Program], *, pause: float) -> None:
        """Each opens urgent tickets, one after the other, and assesses them."""
        for number, program in enumerate(programs):
            self._add(partial(self._open, program, number), pause)

    def by_readers(self, readers: list[Browser], *, email: str, pause: float) -> None:
        """Each looks at the list of tickets and at one of them, signed in."""
        for reader in readers:
            self._add(partial(self._read, reader, email), pause)

    def by_mail(self, host: Host, *, pause: float) -> None:
        """A mail server calls the command for one mail after the other."""
        self._add(partial(self._mail, host), pause)

    def _add(self, act: Callable[[int], None], pause: float) -> None:
        def go_on() -> None:
            turn = 0
            while not self._over.wait(pause):
                turn += 1
                try:
                    act(turn)
                except Exception as error:  # whatever it was, somebody was let down
                    self.failures.append(repr(error))

        self._threads.append(threading.Thread(target=go_on))

    def _open(self, program: Program, number: int, turn: int) -> None:
        name = f"{number}-{turn}"
        made = program.post(
            "/tickets/",
            {
                "requester": {"email": f"caller-{name}@norvik.example", "name": f"Caller {name}"},
                "subject": f"POST /v2/invoices returns 502, case {name}",
                "text": "Every call fails since 09:10. Our key is key_4f2a91.",
            },
            **{"Idempotency-Key": f"case {name}"},
        )
        if not self._expect(made, 201):
            return
        ticket = made.json
        with self._lock:
            self.opened.append(ticket["reference"])
        assessed = program.patch(
            f"/tickets/{ticket['reference']}/",
            {"version": ticket["version"], "impact": 1, "urgency": 1},
        )
        self._expect(assessed, 200)

    def _read(self, reader: Browser, email: str, _turn: int) -> None:
        listed = reader.get("/desk/")
        if self._expect(listed, 200) and email not in listed.text:
            self.failures.append("signed out")
        if self.opened:
            self._expect(reader.get(f"/tickets/{self.opened[-1]}/"), 200)

    def _mail(self, host: Host, turn: int) -> None:
        raw = MAIL.format(number=turn).encode()
        outcome = json.loads(host.manage("ingest_email", stdin=raw))
        if outcome["outcome"] != "created":
            self.failures.append(str(outcome))
            return
        self.mailed.append(outcome["ticket"])

    def _expect(self, answer: Answer, status: int) -> bool:
        with self._lock:
            self.requests += 1
        if answer.status == status:
            return True
        self.failures.append(f"{answer.status} {answer.text[:500]}")
        return False
