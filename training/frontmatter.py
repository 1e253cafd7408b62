"""What stands above a course's text: read strictly, every fault at its line; or written otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _

from staff.strictyaml import StrictLoader
from training.course import Front
from training.courseerrors import CourseError, CourseErrors

LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_KEY: Final = 40


@dataclass(frozen=True, slots=True)
class Above:
    """The front matter of a text, the line each key stands at, and the line after it, from 0."""

    front: Front
    where: Mapping[str, int]
    end: int


def read_above(lines: Sequence[str]) -> Above:
    """Read what stands above a text; raises ``CourseErrors`` with every fault of it."""
    end = _end(lines)
    if end is None:
        message = _("It begins with front matter between two lines of ---.")
        raise CourseErrors([CourseError(1, message)])
    # An empty line in place of the ---, so that lines are counted as in the whole text.
    root, body = _parsed("\n".join(["", *lines[1:end]]))
    where = {
        str(key.value): key.start_mark.line
        for key, _value in root.value
        if isinstance(key, yaml.ScalarNode)
    }
    return Above(_read(body, where), where, end + 1)


def with_front(text: str, values: Mapping[str, str]) -> str:
    """The text with these values, as they stand in YAML, in place of its own.

    What it does not say yet is said at the end of its front matter; all the rest is left as it was.
    Raises ``ValueError`` where there is no front matter to write in.
    """
    lines = text.splitlines(keepends=True)
    end = _end(lines)
    if end is None:
        raise ValueError("There is no front matter.")
    opening, front, rest = lines[0], "".join(lines[1:end]), "".join(lines[end:])
    try:
        root = StrictLoader(front).get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("The front matter is not YAML.") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("The front matter is no mapping.")
    missing = dict(values)
    for key, value in reversed(root.value):
        if not isinstance(key, yaml.ScalarNode) or key.value not in missing:
            continue
        first, last = value.start_mark.index, value.end_mark.index
        # A text of several lines ends with the line after it.
        after = "\n" if front[first:last].endswith("\n") else ""
        front = f"{front[:first]}{missing.pop(key.value)}{after}{front[last:]}"
    front += "".join(f"{key}: {value}\n" for key, value in missing.items())
    return f"{opening}{front}{rest}"


def _end(lines: Sequence[str]) -> int | None:
    """The second line of ---, where the first one of all is one, too."""
    # Some editors put a byte order mark before the first.
    marks = [
        place
        for place, line in enumerate(lines)
        if line.removeprefix("\ufeff" if not place else "").rstrip() == "---"
    ]
    return marks[1] if len(marks) > 1 and marks[0] == 0 else None


def _parsed(source: str) -> tuple[yaml.MappingNode, dict[Any, Any]]:
    try:
        loader = StrictLoader(source)
        root = loader.get_single_node()
        body = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise CourseErrors([CourseError(line, str(error.problem))]) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        message = _("The front matter is not YAML: %s") % error
        raise CourseErrors([CourseError(0, message)]) from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(body, dict):
        message = _("The front matter must be a mapping, such as “title: …”.")
        raise CourseErrors([CourseError(1, message)])
    return root, body


def _read(body: Mapping[Any, Any], where: Mapping[str, int]) -> Front:
    errors: list[CourseError] = []
    for key in body:
        if key not in FRONT:
            known = ", ".join(FRONT)
            message = _("The front matter knows no “%(key)s”; it knows %(known)s.")
            line = where.get(str(key), 0) + 1
            errors.append(CourseError(line, message % {"key": key, "known": known}))
    values: dict[str, Any] = {}
    for key, (read, default) in FRONT.items():
        if key not in body:
            if default is _NEEDED:
                errors.append(CourseError(1, _("The front matter lacks “%s”.") % key))
            values[key] = default
            continue
        try:
            values[key] = read(body[key])
        except ValueError as error:
            errors.append(CourseError(where[key] + 1, f"{key}: {error}"))
    if errors:
        raise CourseErrors(errors)
    front = Front(**values)
    if front.review_by <= front.effective:
        message = _("review_by: comes before it is in force.")
        raise CourseErrors([CourseError(where["review_by"] + 1, message)])
    return front


_NEEDED: Final = object()
#: No procedure is called so: these are pages beside those of the procedures.
TAKEN: Final = frozenset({"people", "procedures"})


def _line_of(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(_("must be a text."))
        if len(value) > most:
            raise ValueError(_("is longer than %d characters.") % most)
        return value.strip()

    return read


def _key(value: object) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value) or len(value) > LONGEST_KEY:
        raise ValueError(_("must be small letters, digits and hyphens."))
    return value


def _slug(value: object) -> str:
    slug = _key(value)
    if slug in TAKEN:
        raise ValueError(_("is the address of another page."))
    return slug


def _keys(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(_("must be a list, such as [gather, notify]."))
    return tuple(_key(each) for each in value)


def _language(value: object) -> str:
    if not isinstance(value, str) or not LANGUAGE.fullmatch(value):
        raise ValueError(_("must be a language, such as “en”."))
    return value


def _day(value: object) -> date:
    # A moment would be a date, too.
    if type(value) is not date:
        raise ValueError(_("must be a day, such as 2026-12-01."))
    return value


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            message = _("must be a whole number from %(least)d to %(most)d.")
            raise ValueError(message % {"least": least, "most": most})
        return value

    return read


def _days(value: object) -> int | None:
    return None if value is None else _whole(1, 3_650)(value)


#: What may stand above the text: how it is read, and what is meant where it is left out.
FRONT: Final[dict[str, tuple[Callable[[object], Any], object]]] = {
    "procedure": (_slug, _NEEDED),
    "language": (_language, _NEEDED),
    "title": (_line_of(120), _NEEDED),
    "summary": (_line_of(400), _NEEDED),
    "effective": (_day, _NEEDED),
    "review_by": (_day, _NEEDED),
    "change": (_line_of(1_000), _NEEDED),
    "changed": (_keys, ()),
    "pass_mark": (_whole(1, 100), 80),
    "draw": (_whole(1, 100), _NEEDED),
    "attempts": (_whole(1, 50), 3),
    "pause_minutes": (_whole(0, 10_080), 15),
    "valid_days": (_days, None),
}
