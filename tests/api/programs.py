"""Asking the API as a program does: with a token, in JSON, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from staff import apitokens
from staff.apitokens import Scope
from staff.models import User
from tests.api.conformity import must_conform

ROOT = "/api/v1"


class Program:
    """A program that acts for somebody with one of their tokens."""

    def __init__(self, user: User, scopes: Iterable[str] = Scope.values) -> None:
        now = timezone.now()
        self.token, self.raw = apitokens.make(
            user=user,
            name="A program",
            scopes=scopes,
            expires_at=now + timedelta(days=30),
            now=now,
        )
        self._come()

    @classmethod
    def with_token(cls, raw: str) -> Program:
        """Another program with a token that is known, in a thread of its own."""
        program = cls.__new__(cls)
        program.raw = raw
        program._come()
        return program

    def _come(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {"Authorization": f"Bearer {self.raw}"}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        sent = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        address = path if path.startswith(("/api", "http")) else f"{ROOT}{path}"
        response = self.client.generic(
            method,
            address,
            sent,
            content_type=content_type,
            headers={**self.headers, **(headers or {})},
        )
        answer = Answer(response)
        if method in ("GET", "POST", "PUT", "PATCH") and response.status_code < 500:
            must_conform(
                method, urlsplit(address).path, answer.status, answer.content_type, answer.raw
            )
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("PATCH", path, body, **options)


class Answer:
    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.content_type = response.headers.get("Content-Type", "")
        self.raw = b"".join(response) if response.streaming else response.content

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.body["results"]
        return rows

    @property
    def faults(self) -> dict[str, str]:
        """The fields that are at fault, with the code of each."""
        return {each["field"]: each["code"] for each in self.body.get("errors", ())}

    @property
    def slug(self) -> str:
        """The kind of problem."""
        return str(self.body["type"]).rpartition("#")[2]

    def __repr__(self) -> str:
        return f"{self.status} {self.raw[:1500]!r}"


def queries(work: Any) -> list[str]:
    """The SQL that a request takes, without savepoints."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))
    ]
