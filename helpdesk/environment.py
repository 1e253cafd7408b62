"""The environment, read against what is declared: every setting has a kind, and says what is wrong.

What a setting is stands in ``declared.py``; this module only knows how one is read. A value comes
from the variable itself or, where the declaration says so, from the file that ``NAME_FILE`` names
(as Docker and Kubernetes hand out secrets). Whatever cannot be read is gathered, so that whoever
sets things up hears of all of it at once. Values of secrets stand in no message.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
FILE = "_FILE"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\Z")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How a text is read. ``read`` raises ``ValueError`` for what is not ``a`` or ``an`` this."""

    words: str
    read: Callable[[str], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting: its name in the environment, and everything the reference says of it."""

    name: str
    kind: Kind[T]
    default: T
    meaning: str
    #: The default in words, where it is worked out.
    otherwise: str = ""
    #: Production does not start without it.
    required: bool = False
    #: It is shown nowhere, and may stand in a file.
    secret: bool = False
    #: It may stand in a file although it is no secret.
    by_file: bool = False
    section: str = ""

    @property
    def from_file(self) -> bool:
        return self.secret or self.by_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All variables whose names begin alike, handed on as they are."""

    prefix: str
    meaning: str
    section: str = ""


def text(value: str) -> str:
    return value


TEXT = Kind("text", text)
FOLDER = Kind("folder", Path)


def _yes_or_no(value: str) -> bool:
    lowered = value.lower()
    if lowered in ("1", "true", "yes", "on", "y", "ok"):
        return True
    if lowered in ("0", "false", "no", "off", "n"):
        return False
    raise ValueError


YES_OR_NO = Kind("1 or 0", _yes_or_no)


def whole(least: int, most: int | None = None) -> Kind[int]:
    """A whole number within bounds."""

    def read(value: str) -> int:
        number = int(value)
        if number < least or (most is not None and number > most):
            raise ValueError
        return number

    bounds = f"from {least} to {most}" if most is not None else f"{least} or more"
    return Kind(f"whole number, {bounds}", read)


def number(*, above: float, most: float) -> Kind[float]:
    """A number of seconds or the like, within bounds."""

    def read(value: str) -> float:
        found = float(value)
        if math.isnan(found) or found <= above or found > most:
            raise ValueError
        return found

    return Kind(f"number above {above:g}, at most {most:g}", read)


def one_of(*choices: str) -> Kind[str]:
    """One of a few words; they are read in any case, and given as written here."""
    known = {choice.lower(): choice for choice in choices}

    def read(value: str) -> str:
        if value.lower() not in known:
            raise ValueError
        return known[value.lower()]

    return Kind(" or ".join(f"`{choice}`" for choice in choices), read)


def matching(pattern: str, words: str) -> Kind[str]:
    """A text of a certain form."""
    form = re.compile(pattern)

    def read(value: str) -> str:
        if form.fullmatch(value) is None:
            raise ValueError
        return value

    return Kind(words, read)


def listed(item: Kind[T]) -> Kind[list[T]]:
    """Values with commas between."""

    def read(value: str) -> list[T]:
        return [item.read(each.strip()) for each in value.split(",") if each.strip()]

    return Kind(f"{item.words}; several with commas between", read)


def pairs(between: str, item: Kind[T], *, words: str) -> Kind[dict[str, T]]:
    """``name=value`` with commas between, in their order."""

    def read(value: str) -> dict[str, T]:
        found: dict[str, T] = {}
        for each in filter(None, (part.strip() for part in value.split(","))):
            name, sign, rest = each.partition(between)
            if not (name.strip() and sign and rest.strip()):
                raise ValueError
            found[name.strip()] = item.read(rest.strip())
        return found

    return Kind(words, read)


def address(*schemes: str, host: bool = True, path: bool = True) -> Kind[str]:
    """A URL with one of these schemes; ``host`` and ``path`` say whether one must or may be there."""

    def read(value: str) -> str:
        url = urlsplit(value)
        _port = url.port  # raises for what is no port
        if url.scheme not in schemes or any(letter.isspace() for letter in value):
            raise ValueError
        if host and not (url.hostname or url.scheme == "unix"):
            raise ValueError
        if not path and (url.path.strip("/") or url.query or url.fragment or url.username):
            raise ValueError
        return value

    beginnings = " or ".join(f"`{scheme}://`" for scheme in schemes)
    return Kind(f"address that begins with {beginnings}", read)


def _domain(value: str) -> str:
    if _NAME.match(value) is None:
        raise ValueError
    return value.lower()


DOMAIN = Kind("domain name", _domain)


class Environment:
    """The values of all settings; ``problems`` is what is wrong with them, a line each."""

    def __init__(
        self,
        given: Mapping[str, str],
        *,
        settings: Sequence[Setting[Any]],
        families: Sequence[Family] = (),
    ) -> None:
        self.problems: list[str] = []
        #: The names of the settings that were given a value, good or bad.
        self.given: set[str] = set()
        self._values: dict[str, Any] = {}
        self._texts = given
        self._secret = [setting for setting in settings if setting.secret]
        for setting in settings:
            self._values[setting.name] = self._read(setting)
        self.families = {family.prefix: self._family(family) for family in families}

    def __getitem__(self, setting: Setting[T]) -> T:
        value: T = self._values[setting.name]
        return value

    def __contains__(self, setting: Setting[Any]) -> bool:
        return setting.name in self.given

    def require(self, settings: Collection[Setting[Any]]) -> None:
        """Count every one of these that was not given as a problem."""
        self.problems += [
            f"{each.name} must be set when HELPDESK_ENV is 'production'"
            f"{f' (or {each.name}{FILE})' if each.from_file else ''}: "
            + each.meaning.replace("`", "'")
            for each in settings
            if each not in self
        ]

    def insist(self) -> None:
        """Raise ``ImproperlyConfigured`` with every problem, unless there is none."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(self.problems))

    def secrets(self) -> set[str]:
        """Every value that is to stand in no log: of secrets, and the passwords in addresses."""
        found: set[str] = set()
        for each in self._secret:
            value = self._values[each.name]
            parts = value.values() if isinstance(value, dict) else value
            for part in [parts] if isinstance(parts, str) else parts:
                url = urlsplit(part) if "://" in part else None
                found |= (
                    {part} if url is None else {url.password or "", unquote(url.password or "")}
                )
        for family in self.families.values():
            found |= set(family.values())
        return found - {""}

    def _read(self, setting: Setting[T]) -> T:
        found = self._text(setting.name, from_file=setting.from_file)
        if found is None:
            return setting.default
        self.given.add(setting.name)
        try:
            return setting.kind.read(found)
        except ValueError:
            but = "" if setting.secret else f", not {found[:60]!r}"
            words = setting.kind.words.replace("`", "'")
            self.problems.append(f"{setting.name} must be: {words}{but}.")
            return setting.default

    def _family(self, family: Family) -> dict[str, str]:
        found = {}
        for name in self._texts:
            if name.startswith(family.prefix):
                own = name.removesuffix(FILE)
                value = self._text(own, from_file=True)
                if value is not None:
                    found[own.removeprefix(family.prefix)] = value
        return found

    def _text(self, name: str, *, from_file: bool) -> str | None:
        """What a variable or its file says; None where neither says anything."""
        # Compose hands on what is not set as nothing.
        value = self._texts.get(name) or None
        file = self._texts.get(name + FILE) if from_file else None
        if not file:
            return value
        if value is not None:
            self._complain(f"{name} and {name}{FILE} are both set; give one of them.")
            return value
        try:
            read = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            self._complain(f"{name}{FILE} names {file}, which cannot be read: {why}.")
        else:
            if read:
                return read
            self._complain(f"{name}{FILE} names {file}, which is empty.")
        # So that it is not said again that nothing was given.
        self.given.add(name)
        return None

    def _complain(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def is_given(given: Mapping[str, str], name: str) -> bool:
    """Whether a variable or its file is named, whatever it says."""
    return bool(given.get(name) or given.get(name + FILE))
