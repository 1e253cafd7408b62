"""The places the rail leads to, for one person, and what waits behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from escalation.models import Handoff
from notifications.models import OutboxPause
from staff.models import User

#: A badge counts no further.
MANY = 99


@dataclass(frozen=True, slots=True)
class Place:
    """One link of the rail. ``prefixes`` are the addresses at which it is where one is."""

    name: str
    label: LazyText
    icon: str
    prefixes: tuple[str, ...]
    here: bool = False
    count: int = 0

    @property
    def url(self) -> str:
        return self.prefixes[0]


DESK = Place("desk", _("Desk"), "inbox", ("/desk/", "/tickets/"))
SEARCH = Place("search", _("Search"), "search", ("/search/",))
OFFERS = Place("offers", _("Offers"), "arrow-bar-to-up", ("/offers/",))
ESCALATIONS = Place("escalations", _("Escalations"), "layout-kanban", ("/escalations/",))
MAIL = Place("mail", _("Mail"), "mail", ("/mail/",))
TRAINING = Place("training", _("Training"), "school", ("/training/",))
CONFIGURATION = Place("configuration", _("Configuration"), "settings", ("/admin/",))


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    #: The number beside each place that has one, by the place's name.
    counts: dict[str, int]
    pause: OutboxPause | None


def frame(user: User) -> Frame:
    """The offers that this person, or a team of theirs, has not answered, counted no further than
    ``MANY``; and whether the outbox is paused. One query, since every page asks it.
    """
    sql, values = _question(user.pk)
    [row] = OutboxPause.objects.raw(sql, values)
    return Frame({OFFERS.name: getattr(row, "offers", 0)}, row if row.pk else None)


@lru_cache(maxsize=1024)
def _question(user_id: int) -> tuple[str, tuple[Any, ...]]:
    """What ``frame`` asks: to write it down takes three times as long as to answer it."""
    offers = Handoff.objects.pending().addressed_to(User(pk=user_id)).order_by().values("pk")
    sql, values = offers[:MANY].query.sql_with_params()
    question = (
        f"SELECT offers.n AS offers, pause.* FROM (SELECT count(*) AS n FROM ({sql}) AS waiting)"  # noqa: S608  # a queryset's own
        " AS offers LEFT JOIN notifications_outboxpause AS pause ON pause.ended_at IS NULL"
    )
    return question, values


def counts(user: User) -> dict[str, int]:
    """The number beside each place that has one, by the place's name."""
    return frame(user).counts


def places(user: User, path: str, waiting: Mapping[str, int]) -> Iterator[Place]:
    """The places open to this person; ``path`` tells which one they are at."""
    for place in (DESK, SEARCH, OFFERS, ESCALATIONS, MAIL, TRAINING, CONFIGURATION):
        if (place is ESCALATIONS and not user.is_lead) or (
            place is CONFIGURATION and not user.is_staff
        ):
            continue
        yield Place(
            place.name,
            place.label,
            place.icon,
            place.prefixes,
            here=path.startswith(place.prefixes),
            count=waiting.get(place.name, 0),
        )


def home(user: User) -> Place:
    """Where this person's work is: a lead's at the board, a receiver's at the offers."""
    if user.is_staff:
        return DESK
    if user.is_lead:
        return ESCALATIONS
    if user.teams.filter(tier__number__gte=2).exists():
        return OFFERS
    return DESK
