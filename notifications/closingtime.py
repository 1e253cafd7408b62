"""Whether this worker was asked to end.

A worker that is stopped lets its children finish what they have in hand, and does not tell them.
So work that goes on from piece to piece asks here between two of them, and leaves the rest to
whoever comes next.
"""

from __future__ import annotations

import mmap

#: One byte that a process shares with all that it forks.
_said = mmap.mmap(-1, 1)


def say() -> None:
    """Ask everything that this process and its children do to come to an end."""
    _said[0] = 1


def said() -> bool:
    """Whether to begin nothing more."""
    return _said[0] != 0
