"""What is wrong with a policy, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleError:
    """One fault: ``where`` is a path into the policy such as ``rules[0].when.all[1].value``."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class PolicyErrors(ValueError):
    """All the faults of a policy at once, one a line."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        # Half a surrogate pair in what was refused could not be shown on a page.
        self.errors = tuple(
            RuleError(_shown(error.where), _shown(error.message)) for error in errors
        )
        super().__init__("\n".join(str(error) for error in self.errors))


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Faults:
    """Collects faults while a policy is read, so that its author hears of all of them."""

    def __init__(self) -> None:
        self.errors: list[RuleError] = []

    def add(self, where: str, message: str) -> None:
        self.errors.append(RuleError(where, message))

    def stop(self) -> None:
        """Raise ``PolicyErrors`` if there were any."""
        if self.errors:
            raise PolicyErrors(self.errors)
