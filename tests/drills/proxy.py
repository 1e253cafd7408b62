"""The reverse proxy in front of the web servers, and those who come through it.

It keeps connections open, as proxies do, and passes every request on exactly once. Only where a
web server's port refuses the connection, so that nothing has been sent, the next one is asked.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from select import select
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.drills.production import ADDRESS
from tests.pages.desk import Markup

HOST = urlsplit(ADDRESS).netloc
PATIENCE = 60.0


class BadGateway(Exception):
    """No web server answered: what a proxy shows as 502."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Upstream(http.client.HTTPConnection):
    """A kept-open connection to a web server, that is never opened anew behind our back."""

    auto_open = 0


@dataclass
class Proxy:
    """Passes requests on to the web servers that are in rotation, by turns."""

    ports: list[int]
    refused: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    _turn: int = 0
    _idle: dict[int, list[_Upstream]] = field(default_factory=dict)
    _busy: Counter[int] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Raises ``BadGateway``."""
        tried: list[int] = []
        while True:
            with self._taken(tried) as port:
                if port is None:
                    raise BadGateway(f"{method} {path}: nobody is in rotation")
                try:
                    upstream = self._connected(port)
                except ConnectionRefusedError:
                    self.refused += 1
                    tried.append(port)
                    continue
                try:
                    return self._passed_on(upstream, port, method, path, body, headers)
                except (OSError, http.client.HTTPException) as error:
                    upstream.close()
                    raise BadGateway(f"{method} {path} at {port}: {error!r}") from error

    def drain(self, port: int) -> None:
        """Send nothing more to a web server; returns when nothing is on its way there."""
        with self._changed:
            self.ports = [other for other in self.ports if other != port]
            for upstream in self._idle.pop(port, []):
                upstream.close()
            assert self._changed.wait_for(lambda: not self._busy[port], timeout=PATIENCE)

    def back(self, port: int) -> None:
        with self._changed:
            self.ports = [*self.ports, port]

    @contextmanager
    def _taken(self, tried: list[int]) -> Iterator[int | None]:
        """The web server whose turn it is, while something is on its way there."""
        with self._changed:
            left = [port for port in self.ports if port not in tried]
            self._turn += 1
            port = left[self._turn % len(left)] if left else None
            if port is not None:
                self._busy[port] += 1
        try:
            yield port
        finally:
            with self._changed:
                if port is not None:
                    self._busy[port] -= 1
                self._changed.notify_all()

    def _connected(self, port: int) -> _Upstream:
        with self._changed:
            idle = self._idle.get(port, [])
            while idle:
                upstream = idle.pop()
                # Readable where nothing was asked: the web server has closed it.
                if not select([upstream.sock], [], [], 0)[0]:
                    return upstream
                upstream.close()
        upstream = _Upstream("127.0.0.1", port, timeout=PATIENCE)
        upstream.connect()
        return upstream

    def _passed_on(
        self,
        upstream: _Upstream,
        port: int,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        added = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        upstream.request(method, path, body, {**headers, **added})
        response = upstream.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        with self._changed:
            self.answers[answer.status] += 1
            if port in self.ports and upstream.sock is not None:
                self._idle.setdefault(port, []).append(upstream)
            else:
                upstream.close()
        return answer


class Browser:
    """Somebody with cookies, who follows redirects and sends the forms they were shown."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._cookies: SimpleCookie = SimpleCookie()
        self._token = ""

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **fields: Any) -> Answer:
        data = urlencode({"csrfmiddlewaretoken": self._token, **fields}, doseq=True).encode()
        return self._ask("POST", path, data)

    def sign_in(self, email: str, password: str) -> Answer:
        self.get("/accounts/login/")
        return self.post("/accounts/login/", login=email, password=password)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {
            "Cookie": "; ".join(f"{name}={one.value}" for name, one in self._cookies.items()),
            "Referer": f"{ADDRESS}/",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self._proxy.ask(method, path, body, headers)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            assert "; Secure" in cookie or "; Max-Age=0;" in cookie, cookie
            self._cookies.load(cookie)
        if answer.status in (301, 302, 303):
            return self._ask("GET", answer.headers["Location"].removeprefix(ADDRESS))
        for tag, attributes in Markup(answer.text).elements:
            if tag == "input" and attributes.get("name") == "csrfmiddlewaretoken":
                self._token = attributes["value"]
        return answer


class Program:
    """A program with a token."""

    def __init__(self, proxy: Proxy, token: str) -> None:
        self._proxy = proxy
        self._token = token

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self._ask("POST", path, json.dumps(body).encode(), **headers)

    def patch(self, path: str, body: object) -> Answer:
        return self._ask("PATCH", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self._token}", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        return self._proxy.ask(method, f"/api/v1{path}", body, sent)
