"""What is wrong with a course's text, and at which line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True, order=True)
class CourseError:
    """A fault; ``line`` counts from 1, and is 0 for what concerns the whole text."""

    line: int
    message: str

    def __str__(self) -> str:
        if not self.line:
            return self.message
        return _("line %(line)d: %(message)s") % {"line": self.line, "message": self.message}


class CourseErrors(ValueError):
    """All the faults of a text at once, one a line."""

    def __init__(self, errors: Iterable[CourseError]) -> None:
        self.errors = tuple(sorted(errors))
        super().__init__("\n".join(map(str, self.errors)))
