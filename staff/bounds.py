"""Numbers that commands are told, and what is said of one that lies out of bounds."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

N = TypeVar("N", int, float)


def between(kind: Callable[[str], N], least: N, most: N) -> Callable[[str], N]:
    """An option's ``type`` for argparse: a number of this kind within these bounds, both included.

    What is no such number (``nan`` included) is refused in words, which argparse puts behind the
    option's name.
    """

    def read(text: str) -> N:
        try:
            number = kind(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{text!r} is no {_NAMES[kind]}") from error
        if not least <= number <= most:
            raise ArgumentTypeError(f"{text} is not between {least:,} and {most:,}")
        return number

    return read


_NAMES: dict[object, str] = {int: "whole number", float: "number"}
