"""What addresses of a ticket have in common: finding it, and holding it while it is changed."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework.response import Response

from desk.api.base import ApiView
from desk.api.problems import STALE, Problem, not_found
from desk.api.telling import shape
from desk.api.ticketshapes import TicketShape
from escalation.sight import in_sight_of
from staff.models import User
from tickets import locking
from tickets.errors import Stale
from tickets.models import Snooze, Ticket


def shown(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Tickets with all that is told of them, in one query."""
    return rows.select_related(
        "requester", "organization__plan", "team__tier", "assignee", "category"
    ).annotate(
        snoozed_until=Subquery(
            Snooze.objects.open().filter(ticket=OuterRef("pk")).values("until")[:1]
        )
    )


def in_sight(user: User) -> QuerySet[Ticket]:
    return in_sight_of(user)


class TicketView(ApiView):
    """An address of one ticket."""

    tag: ClassVar[str] = "Tickets"

    def find(self, number: int) -> Ticket:
        """The ticket, if the token's person may see it; one query."""
        found = shown(in_sight(self.user)).filter(pk=number).first()
        if found is None:
            raise not_found()
        return found

    def must_see(self, number: int) -> None:
        """As ``find`` where only its parts are needed."""
        if not in_sight(self.user).filter(pk=number).exists():
            raise not_found()

    def hold(self, number: int) -> Ticket:
        """Lock the ticket, as it was in the ``version`` that was sent, where one was."""
        self.must_see(number)
        ticket = locking.lock(number)
        version = self.sent.pop("version", None)
        if version is not None:
            try:
                locking.changed_since(ticket, version)
            except Stale as stale:
                raise Problem(
                    STALE,
                    str(stale),
                    sent=version,
                    current=ticket.version,
                    ticket=shape(TicketShape).to_representation(_again(number)),
                ) from stale
        return ticket

    def ticket_now(self, number: int) -> Response:
        """The ticket as it has become."""
        return self.answer(_again(number))


def _again(number: int) -> Ticket:
    return shown(Ticket.objects.all()).get(pk=number)
