"""Lists of tickets: views, filters as they stand in an address, and pages by keyset."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from staff.models import User
from tickets.models import Snooze, Ticket
from tickets.models.ticket import Status, TicketQuerySet

PAGE = 50
MANY = 1000
"""Counts go no further than this: nobody works a list by its thousands."""

LONGEST = 200
"""Characters of a filter that is text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]{1,15}")


class View(models.TextChoices):
    """A list that everybody has."""

    NEEDS_REPLY = "needs_reply", _("Needs a reply")
    MINE = "mine", _("Mine")
    UNASSIGNED = "unassigned", _("Unassigned")
    WAITING = "waiting", _("Waiting on customer")
    ON_HOLD = "on_hold", _("On hold")
    ESCALATED = "escalated", _("Escalated")
    SNOOZED = "snoozed", _("Snoozed")
    ALL_OPEN = "all_open", _("All open")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tickets a list holds; ``assignee`` 0 is nobody, ``unreadable`` what was left out."""

    view: View = View.NEEDS_REPLY
    team: int | None = None
    assignee: int | None = None
    priority: int | None = None
    plan: str = ""
    category: str = ""
    org: str = ""
    tag: str = ""
    words: str = ""
    unreadable: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether anything but the view is chosen."""
        return any(value not in (None, "") for name, value in self._set() if name != "view")

    def params(self) -> dict[str, str]:
        """The address's parameters; what is as on the plain desk is left out."""
        plain = Filters()
        return {
            _PARAMETER.get(name, name): str(value)
            for name, value in self._set()
            if value not in (None, "") and value != getattr(plain, name)
        }

    def _set(self) -> list[tuple[str, Any]]:
        return [
            (each.name, getattr(self, each.name))
            for each in fields(self)
            if each.name != "unreadable"
        ]


_PARAMETER = {"words": "q"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: after the ticket that is due at ``due_at`` and has this id."""

    due_at: datetime | None
    ticket_id: int

    def encode(self) -> str:
        """``1764072000000000.1042`` (microseconds since 1970), or ``n.1042`` for no due time."""
        if self.due_at is None:
            return f"n.{self.ticket_id}"
        return f"{(self.due_at - _EPOCH) // timedelta(microseconds=1)}.{self.ticket_id}"

    @classmethod
    def decode(cls, text: str) -> Cursor | None:
        """Read what ``encode`` wrote; None for anything else."""
        due, dot, number = text.partition(".")
        if not dot or not _NUMBER.fullmatch(number):
            return None
        if due == "n":
            return cls(None, int(number))
        if not re.fullmatch(r"[0-9]{1,16}", due):
            return None
        try:
            return cls(_EPOCH + timedelta(microseconds=int(due)), int(number))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Page:
    tickets: list[Ticket]
    #: Where the next page begins; None on the last.
    next: Cursor | None


def read_filters(asked: Mapping[str, str]) -> Filters:
    """Read filters from an address; what cannot be read is left out and named."""
    read: dict[str, Any] = {}
    unreadable = []
    for name, reads in _READERS.items():
        text = asked.get(_PARAMETER.get(name, name), "").strip()
        if not text:
            continue
        value = reads(text)
        if value is None:
            unreadable.append(name)
        else:
            read[name] = value
    return Filters(**read, unreadable=tuple(unreadable))


def page(*, user: User, filters: Filters, after: Cursor | None = None) -> Page:
    """A page of what this person may see: what is due first stands first. One query.

    Only who asks is read along: what is configured is known to whoever shows the tickets.
    """
    tickets = _within(_filtered(user, filters), filters.view, user)
    if after is not None:
        tickets = tickets.filter(_behind(after))
    found = list(
        tickets.select_related("requester", "organization")
        .annotate(
            snoozed_until=Subquery(
                Snooze.objects.open().filter(ticket=OuterRef("pk")).values("until")[:1]
            )
        )
        .order_by(models.F("sla_due_at").asc(nulls_last=True), "pk")[: PAGE + 1]
    )
    shown = found[:PAGE]
    last = shown[-1] if len(found) > PAGE else None
    return Page(shown, Cursor(last.sla_due_at, last.pk) if last is not None else None)


def counts(*, user: User, filters: Filters) -> dict[View, int]:
    """How many tickets each view holds under the other filters, up to ``MANY``. One query."""
    held = _filtered(user, filters).aggregate(
        **{view.value: Count("pk", filter=_holds(view, user)) for view in View}
    )
    return {view: min(held[view.value], MANY) for view in View}


def _filtered(user: User, filters: Filters) -> TicketQuerySet:
    tickets = Ticket.objects.visible_to(user).unfinished()
    if filters.team is not None:
        tickets = tickets.filter(team=filters.team)
    if filters.assignee is not None:
        tickets = tickets.filter(assignee=filters.assignee or None)
    if filters.priority is not None:
        tickets = tickets.filter(priority=filters.priority)
    if filters.plan:
        tickets = tickets.filter(organization__plan__slug=filters.plan)
    if filters.category:
        tickets = tickets.filter(category__slug=filters.category)
    if filters.org:
        tickets = tickets.filter(organization__customer_id__iexact=filters.org)
    if filters.tag:
        tickets = tickets.filter(tags__contains=[filters.tag])
    if filters.words:
        tickets = tickets.filter(_says(filters.words))
    return tickets


def _within(tickets: TicketQuerySet, view: View, user: User) -> TicketQuerySet:
    return tickets.filter(_holds(view, user))


def _holds(view: View, user: User) -> Q:
    match view:
        case View.MINE:
            return Q(assignee=user) & ~_snoozed()
        case View.NEEDS_REPLY:
            return Q(waiting_since__isnull=False) & ~_snoozed()
        case View.UNASSIGNED:
            return Q(assignee__isnull=True)
        case View.WAITING:
            return Q(status=Status.WAITING)
        case View.ON_HOLD:
            return Q(status=Status.ON_HOLD)
        case View.ESCALATED:
            return Q(held=True)
        case View.SNOOZED:
            return _snoozed()
        case View.ALL_OPEN:
            return Q(pk__isnull=False)


def _snoozed() -> Q:
    """Hidden for now; no correlation, so that a count reads those few rows once."""
    return Q(pk__in=Snooze.objects.open().values("ticket"))


def _says(words: str) -> Q:
    """Every word in the subject, or in the customer's name; or the ticket's own reference."""
    said = Q()
    for word in words.split()[:10]:
        said &= (
            Q(subject__icontains=word)
            | Q(organization__name__icontains=word)
            | Q(requester__name__icontains=word)
            | Q(requester__email__icontains=word)
        )
    number = Ticket.number_in(words)
    return said | Q(pk=number) if number is not None else said


def _behind(after: Cursor) -> Q:
    if after.due_at is None:
        return Q(sla_due_at__isnull=True, pk__gt=after.ticket_id)
    return (
        Q(sla_due_at__isnull=True)
        | Q(sla_due_at__gt=after.due_at)
        | Q(sla_due_at=after.due_at, pk__gt=after.ticket_id)
    )


def _read_view(text: str) -> View | None:
    return View(text) if text in View.values else None


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and _NUMBER.fullmatch(text) else None


def _read_priority(text: str) -> int | None:
    return int(text) if text in ("1", "2", "3", "4") else None


def _read_text(text: str) -> str | None:
    return text if len(text) <= LONGEST and text.isprintable() else None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "view": _read_view,
    "team": _read_number,
    "assignee": _read_number,
    "priority": _read_priority,
    "plan": _read_text,
    "category": _read_text,
    "org": _read_text,
    "tag": _read_text,
    "words": _read_text,
}
