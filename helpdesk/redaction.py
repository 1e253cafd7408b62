"""What must not stand in a log, taken out of it: a belt over what our own lines leave out anyway.

A line holds ids, states, counts and durations. Values under names that promise more (a subject, an
address, a token) are withheld; in all texts, mail addresses, what follows a question mark, user and
password in a URL, long random words and the installation's own secrets are struck out. An exception
is told by its class and where it happened; by its words only where those are the interpreter's or
the machine's, for others may quote a customer.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

WITHHELD = "[withheld]"
_STRUCK = "[…]"
#: Words of a name, for which its value is withheld.
_TELLING = frozenset(
    {
        *("password", "passwd", "secret", "secrets", "token", "tokens", "authorization", "cookie"),
        *("cookies", "csrf", "csrfmiddlewaretoken", "session", "sessionid", "credential"),
        *("credentials", "signature", "subject", "body", "text", "texts", "html", "content", "raw"),
        *("reason", "note", "address", "addresses", "email", "emails", "mailbox", "sender"),
        *(
            "recipient",
            "recipients",
            "query",
            "search",
            "url",
            "uri",
            "referer",
            "phone",
            "payload",
        ),
        *("args", "kwargs", "argsrepr", "kwargsrepr", "params", "filename"),
    }
)
_TELLING_WHOLE = frozenset(
    {"key", "api_key", "secret_key", "private_key", "name", "first_name", "last_name", "full_name"}
)
#: Ids that look random and are meant to be read.
_IDS = frozenset(
    {
        *("request_id", "task_id", "parent_task_id", "child_task_id", "timestamp", "logger"),
        *("level", "route", "exception", "ticket", "tickets", "kinds"),
    }
)
_PATTERNS = (
    # A mail address; a worker's name on a host without a domain is none.
    re.compile(r"[^\s@<>\"'(),:;=/]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"(?<=\?)[^\s'\"]+"),
    re.compile(r"\bhd_[\w-]+"),
    # A long word of letters and digits (a key in base32 or hex), or of mixed ones (base64url), but
    # never the five groups of a UUID.
    re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}\b"),
    re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{20,}(?![\w-])"),
)
#: Whose words are the interpreter's own, about code and not about data.
_ABOUT_CODE = (AttributeError, ImportError, NameError, NotImplementedError, TypeError)
#: Where what is raised speaks of how we are installed.
_ABOUT_THE_INSTALLATION = (
    *("django/apps/", "django/conf/", "django/contrib/staticfiles/", "django/template/loader.py"),
)
_LONGEST_CHAIN = 5
#: Places of libraries that are told, next to all of our own.
_LAST_FRAMES = 6
_BASE = f"{Path(__file__).resolve().parent.parent}/"
_LIBRARIES = "/site-packages/"


class Redaction:
    """Takes out of an event what no log may hold; ``secrets`` are struck out wherever they stand."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        known = sorted({each for each in secrets if len(each) >= 6}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: object, _method: str, event: Any) -> Any:
        error = _raised(event.pop("exc_info", None)) or _raised(event.pop("exception", None))
        if error is not None:
            # Its words, as Celery's lines have them besides.
            event.pop("error", None)
            event.pop("stack_info", None)
        found = {name: self._value(name, value) for name, value in event.items()}
        if error is not None:
            found["exception"] = self.described(error)
        return found

    def scrubbed(self, text: str) -> str:
        """A text without what the patterns know and without the installation's secrets."""
        if self._secrets is not None:
            text = self._secrets.sub(_STRUCK, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_STRUCK, text)
        return text

    def described(self, error: BaseException) -> list[dict[str, Any]]:
        """An exception and those that caused it, the outermost first: class, words, places."""
        found: list[dict[str, Any]] = []
        each: BaseException | None = error
        while each is not None and len(found) < _LONGEST_CHAIN:
            one: dict[str, Any] = {"type": f"{type(each).__module__}.{type(each).__qualname__}"}
            if said := self.said(each):
                one["said"] = said
            if places := _places(each.__traceback__):
                one["at"] = places
            found.append(one)
            each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        return found

    def said(self, error: BaseException) -> str:
        """The words of an exception, as far as they cannot be anybody's own; else nothing."""
        if (diagnosed := getattr(error, "diag", None)) is not None and diagnosed.sqlstate:
            # The message and its detail quote values, the names do not.
            parts = (diagnosed.sqlstate, diagnosed.table_name, diagnosed.constraint_name)
            return " ".join(filter(None, parts))
        if type(error).__module__ == "django.db.utils" and error.__cause__ is not None:
            return self.said(error.__cause__)
        if isinstance(error, OSError):
            return self.scrubbed(error.strerror or "")
        if (
            isinstance(error, _ABOUT_CODE)
            or _tells_of_a_server(error)
            or "".join(_places(error.__traceback__)[-1:]).startswith(_ABOUT_THE_INSTALLATION)
        ):
            return self.scrubbed(str(error))[:500]
        return ""

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, BaseException):
            return self._short(value)
        if name in _IDS:
            return value
        if _is_telling(name):
            return WITHHELD if value else value
        if isinstance(value, str):
            return self.scrubbed(value)
        if isinstance(value, Mapping):
            return {str(key): self._value(str(key), each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.scrubbed(str(value))

    def _short(self, error: BaseException) -> str:
        said = self.said(error)
        return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _is_telling(name: str) -> bool:
    lowered = name.lower()
    if lowered in _TELLING_WHOLE:
        return True
    return not _TELLING.isdisjoint(re.split(r"[^a-z0-9]+", lowered))


def _tells_of_a_server(error: BaseException) -> bool:
    """Whether it is what a client of PostgreSQL or Redis says of a server that is not there."""
    package, name = type(error).__module__.partition(".")[0], type(error).__name__
    return package in ("psycopg2", "redis", "kombu") and name in (
        *("OperationalError", "InterfaceError", "ConnectionError", "TimeoutError"),
    )


def _raised(value: Any) -> BaseException | None:
    if value is True:
        return sys.exc_info()[1]
    if isinstance(value, BaseException):
        return value
    if isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], BaseException):
        return value[1]
    return None


def _places(trace: TracebackType | None) -> list[str]:
    """Where it happened, the outermost first; lines of code and what variables held stay out."""
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(trace), lookup_lines=False, capture_locals=False
    )
    found = []
    for at, frame in enumerate(frames):
        path = frame.filename
        ours = path.startswith(_BASE) and _LIBRARIES not in path
        if ours or at >= len(frames) - _LAST_FRAMES:
            short = path.removeprefix(_BASE) if ours else path.rpartition(_LIBRARIES)[2]
            found.append(f"{short}:{frame.lineno} {frame.name}")
    return found
