"""What addresses of escalations have in common: finding them, and reading them whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework.response import Response

from desk.api.problems import not_found
from desk.api.ticketview import TicketView, in_sight
from escalation import cases, paths
from escalation.models import Escalation, Handoff, Step
from escalation.models.escalation import State
from escalation.paths import PathEntry
from staff.models import User


def shown(rows: QuerySet[Escalation]) -> QuerySet[Escalation]:
    """Escalations with all that is told of them, and the newest hand-off of each; two queries."""
    newest = (
        Handoff.objects.select_related("to_team__tier", "to_user")
        .order_by("escalation_id", "-number")
        .distinct("escalation_id")
    )
    return rows.select_related("owner", "opened_by", "ended_by").prefetch_related(
        Prefetch("handoffs", newest, to_attr="newest")
    )


def whole(rows: QuerySet[Escalation]) -> QuerySet[Escalation]:
    """As ``shown``, with every hand-off, the newest one last, and the steps that fired."""
    handoffs = (
        Handoff.objects.select_related(
            "from_team__tier", "to_team__tier", "to_user", "offered_by", "outcome_by"
        )
        .prefetch_related(
            Prefetch("steps", Step.objects.select_related("user", "team").order_by("number"))
        )
        .order_by("number")
    )
    return rows.select_related(
        "owner", "opened_by", "ended_by", "ticket__team", "ticket__organization__plan"
    ).prefetch_related(Prefetch("handoffs", handoffs, to_attr="newest"))


def in_sight_of_user(user: User) -> QuerySet[Escalation]:
    """The escalations of the tickets this person may see."""
    return Escalation.objects.filter(ticket__in=in_sight(user).values("pk"))


class EscalationView(TicketView):
    """An address of one escalation."""

    tag: ClassVar[str] = "Escalations"

    def find_escalation(self, pk: int) -> Escalation:
        """The escalation, if the token's person may see its ticket."""
        found = in_sight_of_user(self.user).filter(pk=pk).first()
        if found is None:
            raise not_found()
        return found

    def tell(self, pk: int, *, location: str = "") -> Response:
        """The escalation whole, as it is now."""
        escalation = whole(Escalation.objects.all()).get(pk=pk)
        handoffs: list[Any] = escalation.newest  # type: ignore[attr-defined]
        upcoming = self._upcoming(escalation)
        for handoff in handoffs:
            handoff.steps_shown = _steps(handoff, upcoming if handoff is handoffs[-1] else {})
        return self.answer(escalation, location=location)

    def _upcoming(self, escalation: Escalation) -> Mapping[int, PathEntry]:
        """The steps to come, by number, while nobody has accepted."""
        if escalation.state != State.OFFERED:
            return {}
        [case] = cases.load(tickets=[escalation.ticket], now=self.now)
        [held] = [each for each in case.open_escalations if each.pk == escalation.pk]
        entries = paths.entries(case=case, handoff=case.current(held))
        return {entry.number: entry for entry in entries if not entry.fired}


def _steps(handoff: Handoff, upcoming: Mapping[int, PathEntry]) -> list[dict[str, Any]]:
    fired = {step.number: step for step in handoff.steps.all()}
    steps = []
    for number, definition in enumerate(handoff.path, start=1):
        done, to_come = fired.get(number), upcoming.get(number)
        asked = done or to_come
        steps.append(
            {
                "number": number,
                "action": definition["action"],
                "after": definition["after"],
                "fired_at": done.fired_at if done else None,
                "due_at": to_come.at if to_come else None,
                "user": asked.user if asked else None,
                "team": asked.team.slug if asked and asked.team else None,
            }
        )
    return steps
