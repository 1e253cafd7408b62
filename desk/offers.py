"""The receiver's inbox: what is offered to this person or their teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from escalation.models import Escalation, Handoff
from escalation.models.escalation import State
from staff.models import User
from tickets.models import Attachment, Message

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
    return pending if user.sees_every_team else pending.addressed_to(user)


def read_offers(*, user: User, chosen: int | None, page: int) -> Offers:
    """Read a page of at most ``PAGE`` offers, in a fixed number of queries."""
    start = (page - 1) * PAGE
    waiting = offered_to(user)
    # Which they are is found among all that wait; only those shown are read, without what they carry.
    found = list(
        waiting.order_by("accept_by", "pk").values_list("pk", flat=True)[start : start + PAGE + 1]
    )
    offers = list(_rows(found[:PAGE]).defer("package", "path").order_by("accept_by", "pk"))
    if chosen is None or (chosen not in found and not waiting.filter(pk=chosen).exists()):
        chosen = found[0] if found else None
    open_one = _rows([chosen]).select_related("offered_by", "from_team").first() if chosen else None
    return Offers(
        offers=offers,
        chosen=open_one,
        package=package_of(open_one) if open_one is not None else {},
        older=page + 1 if len(found) > PAGE else None,
        owned=list(
            Escalation.objects.filter(owner=user, state=State.ACCEPTED)
            .select_related("ticket__organization", "ticket__requester")
            .order_by("accepted_at", "pk")[:PAGE]
        ),
    )


def _rows(ids: Sequence[int]) -> QuerySet[Handoff]:
    return Handoff.objects.filter(pk__in=ids).select_related(
        "to_team", "to_user", "escalation__ticket__organization__plan"
    )


def package_of(handoff: Handoff) -> Mapping[str, Any]:
    """A hand-off's package with the messages it names, for the one screen of the receiver."""
    package: dict[str, Any] = dict(handoff.package)
    ids = [pk for pk in package.get("messages", []) if isinstance(pk, int)][-20:]
    package["shown_messages"] = list(
        Message.objects.filter(pk__in=ids)
        .select_related("contact", "user")
        .order_by("created_at", "pk")
    )
    package["shown_attachments"] = list(
        Attachment.objects.filter(
            pk__in=[pk for pk in package.get("attachments", []) if isinstance(pk, int)][-50:]
        ).order_by("pk")
    )
    return package
