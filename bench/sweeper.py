"""One process of the engine, for ``bench/subjects/engine.py``: warm, it waits for the word to go."""

from __future__ import annotations

import sys
from datetime import datetime

import django


def main(as_of: datetime) -> None:
    django.setup()
    from escalation import review
    from escalation.cases import load
    from notifications import openingtime

    # What a process loads and reads once, it has.
    openingtime.begin()
    load(tickets=[], now=as_of)
    print("ready", flush=True)
    sys.stdin.readline()
    print(review.sweep(clock=lambda: as_of), flush=True)


if __name__ == "__main__":
    main(datetime.fromisoformat(sys.argv[1]))
