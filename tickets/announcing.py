"""What happened to tickets, told to webhooks: the facts that stand beside each happening.

Ids, values and the few facts a receiver would otherwise have to ask for; never what somebody
wrote but the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from notifications import webhooks
from notifications.webhooks import Happening, Words
from staff.models import Team, User
from tickets.models import Event, Ticket
from tickets.models.ticket import Status


def announce(*, events: Sequence[Event], now: datetime) -> None:
    """Queue these events for the webhooks that hear of them, in the caller's transaction.

    One query where no webhook does; six and an insert where one does.
    """
    listening = webhooks.listeners({event.kind for event in events})
    if not listening:
        return
    ids = {event.ticket_id for event in events}
    tickets = Ticket.objects.select_related("team__tier", "assignee", "organization").in_bulk(ids)
    book = _Book.of(events)
    webhooks.queue(
        happenings=[_happening(event, tickets[event.ticket_id], book) for event in events],
        webhooks=listening,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Book:
    """The names that events mention by id."""

    people: Mapping[int, str]
    teams: Mapping[int, str]

    @classmethod
    def of(cls, events: Iterable[Event]) -> _Book:
        people = {event.user_id for event in events if event.user_id}
        teams: set[int] = set()
        for event in events:
            people |= {pk for name in ("to", "owner", "assignee") if (pk := _id(event.data, name))}
            teams |= {pk} if (pk := _id(event.data, "team")) else set()
        return cls(
            people=dict(User.objects.filter(pk__in=people).values_list("pk", "name")),
            teams={
                team.pk: f"{team.name} ({team.tier.name})"
                for team in Team.objects.filter(pk__in=teams).select_related("tier")
            },
        )

    def target(self, data: Mapping[str, Any]) -> str:
        """The person, else the team, that something went to."""
        for name in ("to", "owner", "assignee"):
            if found := self.people.get(_id(data, name)):
                return found
        return self.teams.get(_id(data, "team"), "")


def _id(data: Mapping[str, Any], name: str) -> int:
    """An id among an event's values; 0 for anything else, such as the status under ``to``."""
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _happening(event: Event, ticket: Ticket, book: _Book) -> Happening:
    by = book.people.get(event.user_id or 0, "")
    organization = ticket.organization
    to_status = event.data.get("to")
    return Happening(
        kind=event.kind,
        key=f"event:{event.pk}",
        at=event.at,
        about=ticket.about,
        ref=ticket.reference,
        url=ticket.address,
        team_id=ticket.team_id,
        is_private=ticket.team is not None and ticket.team.is_private,
        data={"ticket": _facts(ticket), "by": _author(event, by), "values": dict(event.data)},
        words=Words(
            subject=ticket.subject,
            to=book.target(event.data),
            status=Status(to_status).label if to_status in Status.values else "",
            facts=(ticket.priority_label, organization.name if organization else "", by),
        ),
    )


def _facts(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.pk,
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": ticket.priority_label,
        "team": _named(ticket.team),
        "assignee": _named(ticket.assignee),
        "organization": _named(ticket.organization),
        "url": ticket.address,
        "api_url": f"{settings.HELPDESK_BASE_URL}/api/v1/tickets/{ticket.reference}/",
    }


def _named(row: Any) -> dict[str, Any] | None:
    return {"id": row.pk, "name": row.name} if row is not None else None


def _author(event: Event, name: str) -> dict[str, Any]:
    """Who did it; a contact by their id alone."""
    if event.user_id is not None:
        return {"kind": "staff", "id": event.user_id, "name": name}
    if event.contact_id is not None:
        return {"kind": "contact", "id": event.contact_id}
    return {"kind": "system"}
