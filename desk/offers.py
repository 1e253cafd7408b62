"""The receiver's inbox: what is offered to this person or their teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from desk.ticketpage import package_of
from escalation.models import Escalation, Handoff
from escalation.models.escalation import State
from staff.models import User

PAGE = 25


@dataclass(frozen=True, slots=True)
class Offers:
    """A page of offers, the one that is open, and what this person has accepted."""

    offers: Sequence[Handoff]
    chosen: Handoff | None
    package: Mapping[str, Any]
    older: int | None
    owned: Sequence[Escalation]


def offered_to(user: User) -> QuerySet[Handoff]:
    """Pending offers this person may answer: managers any, for they stand above all teams."""
    pending = Handoff.objects.pending()
    if not user.sees_every_team:
        pending = pending.addressed_to(user)
    return pending.select_related(
        "to_team__tier",
        "to_user",
        "offered_by",
        "escalation__ticket__organization__plan",
        "escalation__ticket__requester",
        "escalation__ticket__category",
        "escalation__ticket__assignee",
        "clock",
    )


def read_offers(*, user: User, chosen: int | None, page: int) -> Offers:
    """Read a page of at most ``PAGE`` offers, in a fixed number of queries."""
    start = (page - 1) * PAGE
    rows = list(offered_to(user).order_by("accept_by", "pk")[start : start + PAGE + 1])
    offers = rows[:PAGE]
    open_one = next((offer for offer in offers if offer.pk == chosen), None)
    if open_one is None and chosen is not None:
        open_one = offered_to(user).filter(pk=chosen).first()
    if open_one is None and offers:
        open_one = offers[0]
    return Offers(
        offers=offers,
        chosen=open_one,
        package=package_of(open_one) if open_one is not None else {},
        older=page + 1 if len(rows) > PAGE else None,
        owned=list(
            Escalation.objects.filter(owner=user, state=State.ACCEPTED)
            .select_related("ticket__organization", "ticket__requester")
            .order_by("accepted_at", "pk")[:PAGE]
        ),
    )
