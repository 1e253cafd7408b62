"""What a check is: a promise in one sentence, and the rows that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import TextChoices
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

MOST = 1000
"""Rows that break one promise are counted no further."""

SHOWN = 20
"""Rows that are named."""

NEWEST = 250_000
"""Of a table that only grows, a check that is not deep reads so many of the newest rows."""

SAMPLE = 300
"""What has to be worked out anew, one by one, is worked out for so many."""

BUSY = timedelta(seconds=30)
"""What a loaded machine may add to two intervals; as long as a sweep goes on at a stretch."""

RACE = timedelta(seconds=60)
"""Two who act on one ticket at once wait for each other no longer than a task or page may take."""


class Severity(TextChoices):
    """How soon somebody has to look at what is found."""

    NOW = "now", _("at once")
    TODAY = "today", _("today")
    NOTICE = "notice", _("when there is time")


class Noun(StrEnum):
    """What a row that breaks a promise is; the words of the JSON."""

    TICKET = "ticket"
    INBOUND = "inbound mail"
    LETTER = "letter"
    NOTICE = "notice"
    RECEIPT = "delivery event"
    ESCALATION = "escalation"
    HANDOFF = "hand-off"
    DECISION = "decision"
    PROMISE = "promise"
    CLOCK = "clock"
    FOLLOW_UP = "follow-up"
    SNOOZE = "snooze"
    RELOOK = "relook"
    ATTACHMENT = "attachment"
    VIDEO = "video"
    FILE = "file"
    WEBHOOK = "webhook"
    DELIVERY = "webhook delivery"
    ATTEMPT = "attempt"
    COMPLETION = "completion"
    ENROLLMENT = "enrolment"
    KEY = "key"
    DATABASE = "in the database"


@dataclass(frozen=True, slots=True)
class Row:
    """Something that breaks a promise: its id (or name), and the ticket it hangs on."""

    id: str
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One self-check: everything in it is asked as of ``now``, of one picture of the database."""

    now: datetime
    deep: bool = False

    @property
    def late(self) -> datetime:
        """What was due by then, a living engine has done: two intervals, and what load may add."""
        return self.now - 2 * timedelta(seconds=settings.HELPDESK_ENGINE_INTERVAL) - BUSY

    @property
    def settled(self) -> datetime:
        """What is to be looked at before this is just being changed, and not judged."""
        return self.now + RACE

    @property
    def sample(self) -> int | None:
        """How many to work out anew; None for all."""
        return None if self.deep else SAMPLE

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What a query may name."""
        return {
            "now": self.now,
            "late": self.late,
            "settled": self.settled,
            "race": RACE,
            "newest": 2**62 if self.deep else NEWEST,
            "sample": self.sample,
            "seed": self.now.toordinal(),
        }


Find = Callable[[Look], Iterable[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A promise that can be counted: 0, or ``find`` names the rows that break it."""

    name: str
    promise: LazyText
    #: What is looked at, and what is named.
    counts: LazyText
    severity: Severity
    noun: Noun
    find: Find
    #: It reads whole tables or files, and is made only when asked for.
    only_deep: bool = False

    @property
    def runbook(self) -> str:
        """Where it stands what to do."""
        return f"docs/runbooks/selfcheck.md#{self.name}"


def query(statement: str) -> Find:
    """A check that is one query: it selects the id of each row, and what it hangs on.

    That is a ticket's number, ``about`` as letters have it (``ticket:1042``), or null. It may name
    ``Look.parameters`` as ``%(now)s``.
    """

    bounded = f"SELECT * FROM ({statement}) AS found LIMIT {MOST + 1}"  # noqa: S608  # ours

    def find(look: Look) -> Iterator[Row]:
        with connection.cursor() as cursor:
            cursor.execute(bounded, look.parameters)
            for pk, ticket in cursor.fetchall():
                yield Row(str(pk), _number(ticket))

    return find


def _number(about: int | str | None) -> int | None:
    if not isinstance(about, str):
        return about
    kind, _colon, number = about.partition(":")
    return int(number) if kind == "ticket" and number.isdecimal() else None
